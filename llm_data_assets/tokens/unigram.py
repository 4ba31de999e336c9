"""A unigram model as tables, and when a word's split is the same wherever it stands.

SentencePiece takes the split of highest score (unigram_model.cc, EncodeOptimized, sentencepiece
0.2.3). Texts are cut where no piece holds the two characters: every split has a boundary there, so
that the best split of the whole is made of the best splits of the words.

In real numbers that is. SentencePiece adds the scores up in 32 bits from the beginning of the text
(and begins anew where the sum passes 100 000), so that rounding decides between splits that nearly
tie, and decides otherwise further on. Let a word have n characters and no sum in it reach 2^p: each
addition is off by at most half a unit of 2^(p-24), so two sums that have met are off by n units at
most, and a split that is ahead by more than n + 1 wherever it meets another stays ahead. A word is
remembered with the largest such p, its *reach*. Where the sum is beyond that, and where two splits
tie, the word is split as SentencePiece would, with its rounding, from the very sum it would have:
`kernels_unigram`.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from llm_data_assets.tokens.merges import cut_kinds, hash_set, ids_of_bytes, packed_table
from llm_data_assets.tokens.model_file import (
    NORMAL,
    SPACE_MARK,
    UNKNOWN,
    USER_DEFINED,
    ModelFile,
)

_UNKNOWN_PENALTY = 10  # kUnkPenalty of unigram_model.cc
_MIXED = 20_000


class Unigram(NamedTuple):
    """Tables of one model; the first five are those that `kernels.cut_words` reads.

    Attributes:
        kinds, pairs: as in `merges.Merges`.
        begins, defined_offsets, defined_bytes: none; a user-defined symbol is a piece like others.
        edges: uint64[2^k], hash table of a trie: `node << 8 | byte` in the upper half, the next
            node in the lower. A node where a piece ends has the piece's id; others have numbers
            from `root` on, which is the first node.
        root: int, how many ids there are.
        weights: float32[ids], what a piece adds to the score of a split.
        unknown_weight: float, what a character adds that is no piece.
        step: float, the largest of all of these without its sign.
        byte_ids: int32[256], ids of byte pieces; -1 without byte fallback.
        unknown: int, the id of what is neither.
    """

    kinds: np.ndarray
    pairs: np.ndarray
    begins: np.ndarray
    defined_offsets: np.ndarray
    defined_bytes: np.ndarray
    edges: np.ndarray
    root: int
    weights: np.ndarray
    unknown_weight: float
    step: float
    byte_ids: np.ndarray
    unknown: int


def build_unigram(model: ModelFile) -> Unigram:
    """Tables of a unigram model for which `merges.why_not` has no reason.

    Spaces stand as U+0020 in them.
    """
    pieces = {
        piece.decode().replace(SPACE_MARK, " "): number
        for number, (piece, kind) in enumerate(zip(model.pieces, model.types, strict=True))
        # A plain space never reaches the pieces; unused ones are passed over.
        if kind in (NORMAL, USER_DEFINED) and piece and b" " not in piece
    }
    held = {pair for piece in pieces for pair in pairwise(piece)}
    weights, unknown_weight = _weights(model)
    return Unigram(
        kinds=cut_kinds(held, set()),
        pairs=hash_set([ord(a) << 21 | ord(b) for a, b in held]),
        begins=np.zeros(257, np.int32),
        defined_offsets=np.zeros(1, np.int64),
        defined_bytes=np.zeros(1, np.uint8),
        edges=_trie({piece.encode(): n for piece, n in pieces.items()}, len(model.pieces)),
        root=len(model.pieces),
        weights=weights,
        unknown_weight=unknown_weight,
        step=float(max(1.0, np.abs(weights).max(), abs(unknown_weight))),
        byte_ids=ids_of_bytes(model),
        unknown=model.types.index(UNKNOWN),
    )


def mixed_pieces(model: ModelFile) -> str:
    """A text of all pieces in a mixed order, on which another arithmetic would show.

    Long enough for sums to be rounded coarsely, and to begin anew.
    """
    pieces = [
        piece.decode()
        for piece, kind in zip(model.pieces, model.types, strict=True)
        if kind in (NORMAL, USER_DEFINED)
    ]
    drawn = np.random.default_rng(0).integers(len(pieces), size=_MIXED)
    return "".join(pieces[each] for each in drawn.tolist()).replace(SPACE_MARK, " ")


def _weights(model: ModelFile) -> tuple[np.ndarray, float]:
    """What each piece adds, and an unknown character, as numbers of 32 bits.

    A user-defined symbol adds a tenth for each byte after its first, whatever its score is
    (GetUserDefinedScore, sentencepiece 0.2.3).
    """
    scores = np.array(model.scores, np.float32)
    kinds = np.array(model.types)
    lowest = scores[kinds == NORMAL].min(initial=np.finfo(np.float32).max)
    for number in np.flatnonzero(kinds == USER_DEFINED):
        scores[number] = 0.1 * (len(model.pieces[number]) - 1)
    return scores, float(lowest - np.float32(_UNKNOWN_PENALTY))


def _trie(pieces: dict[bytes, int], root: int) -> np.ndarray:
    """The edges of the trie of pieces (`Unigram`)."""
    edges: dict[int, int] = {}
    ends = [-1]
    for piece, number in pieces.items():
        node = 0
        for byte in piece:
            node = edges.setdefault(node << 8 | byte, len(ends))
            if node == len(ends):
                ends.append(-1)
        ends[node] = number
    assert root + len(ends) < 1 << 24  # a node and a byte fit the upper half of an edge
    numbers = np.array(ends)
    numbers[numbers < 0] = root + np.arange((numbers < 0).sum())
    numbers = numbers.astype(np.uint64)
    keys = np.fromiter(edges, np.uint64, len(edges))
    keys = numbers[keys >> np.uint64(8)] << np.uint64(8) | keys & np.uint64(255)
    following = numbers[np.fromiter(edges.values(), np.int64, len(edges))]
    return packed_table(keys, following, bits=32)
