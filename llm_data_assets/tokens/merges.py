"""A BPE model as tables that a kernel can merge by, and the proof that words can be cached.

SentencePiece's BPE joins, over and over, the adjacent pair of symbols whose union is the piece of
highest score, the leftmost where scores are equal (bpe_model.cc, sentencepiece 0.2). A union is
always a piece. So where no piece holds character *a* directly followed by *b*, no merge ever
crosses from an *a* to a *b*: what stands left and right of it is encoded independently, whatever
the settings the model was trained with. Texts are cut at all such places, and what lies between
two cuts, a *word*, has the same ids wherever it stands. Nothing is assumed of white space: that
words end at spaces, or do not, is read off the pieces.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from llm_data_assets.tokens.model_file import (
    BPE,
    BYTE,
    CONTROL,
    NORMAL,
    SPACE_MARK,
    UNIGRAM,
    UNKNOWN,
    UNUSED,
    USER_DEFINED,
    ModelFile,
)

CODE_POINTS = 0x110000
# Three ids share a word of the cache; two symbols and their union, one of a table. Symbols are ids
# and, above them, characters.
MAX_IDS = (1 << 21) - CODE_POINTS
EMPTY = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
MULTIPLIER = np.uint64(0x9E3779B185EBCA87)  # XXH64's prime 1
# No piece holds the two characters; one does; the characters themselves must be looked up.
JOIN, CUT, ASK = np.uint8(0), np.uint8(1), np.uint8(2)


class Merges(NamedTuple):
    """Tables of one model. A *symbol* is a piece's id, or a number above all ids for a character
    that stands in pieces without being one.

    Attributes:
        n_pieces: int, ids are below it.
        kinds: uint8[256 * 256], what two bytes say of a cut between them: JOIN, CUT or ASK.
        pairs: uint64[2^k], hash set of character pairs that pieces hold, `first << 21 | second`.
        symbols: int32[CODE_POINTS], symbol of a character; -1 where no piece holds it.
        unions: uint64[2^k], hash table of `left << 42 | right << 21 | symbol of the union`.
        ranks: int32[n_pieces], the rank of each piece as a union.
        begins: int32[257], user-defined symbols by first byte: rows of the two tables below.
        defined_offsets, defined_bytes, defined_ids: their UTF-8, the longer first.
        byte_ids: int32[256], ids of byte pieces; -1 without byte fallback.
        unknown: int, the id of what is neither.
    """

    n_pieces: int
    kinds: np.ndarray
    pairs: np.ndarray
    symbols: np.ndarray
    unions: np.ndarray
    ranks: np.ndarray
    begins: np.ndarray
    defined_offsets: np.ndarray
    defined_bytes: np.ndarray
    defined_ids: np.ndarray
    byte_ids: np.ndarray
    unknown: int


def why_not(model: ModelFile) -> str | None:
    """Why words of this model cannot be encoded one by one; None where they can.

    Each reason names a setting under which SentencePiece's result may depend on more than the
    word: such a model is left to SentencePiece.
    """
    plain = {
        piece
        for piece, kind in zip(model.pieces, model.types, strict=True)
        if kind in (NORMAL, USER_DEFINED)
    }
    symbols = [
        piece
        for piece, kind in zip(model.pieces, model.types, strict=True)
        if kind == USER_DEFINED and piece
    ]
    reserved = [
        piece
        for piece, kind in zip(model.pieces, model.types, strict=True)
        if kind in (UNKNOWN, CONTROL, BYTE)
    ]
    reasons = {
        "it is neither a BPE nor a unigram model": model.model_type not in (BPE, UNIGRAM),
        "it maps characters before encoding": model.has_character_map,
        "it removes repeated spaces": model.remove_extra_whitespaces,
        "it keeps spaces as they are": not model.escape_whitespaces,
        "a space is no piece": SPACE_MARK.encode() not in plain,
        "a piece has two ids": len(set(model.pieces)) != len(model.pieces),
        "a control piece can also be read as text": any(
            piece in plain or len(piece.decode(errors="replace")) < 2 for piece in reserved
        ),
        "byte pieces are missing": model.byte_fallback and model.types.count(BYTE) != 256,
        "it does not have exactly one unknown piece": model.types.count(UNKNOWN) != 1,
        "it has more ids than the cache can write": len(model.pieces) > MAX_IDS,
        "a score is not finite": not np.isfinite(model.scores).all(),
    }
    if model.model_type == BPE:
        reasons |= {
            "unused pieces are split by what was merged elsewhere in the text": (
                UNUSED in model.types
            ),
            "a user-defined symbol is too long for the cache": any(
                len(each) > 200 for each in symbols
            ),
            # SentencePiece then merges around the symbol in ways that no cut can foresee.
            "a user-defined symbol is part of a piece": any(
                symbol in piece
                for piece, kind in zip(model.pieces, model.types, strict=True)
                if kind == NORMAL
                for symbol in symbols
            ),
        }
    return next((reason for reason, holds in reasons.items() if holds), None)


def build_merges(model: ModelFile) -> Merges:
    """Tables of a model for which `why_not` has no reason. Spaces stand as U+0020 in them."""
    mergeable = {
        piece.decode().replace(SPACE_MARK, " "): number
        for number, (piece, kind) in enumerate(zip(model.pieces, model.types, strict=True))
        if kind == NORMAL and b" " not in piece  # a plain space never reaches the pieces
    }
    defined = {
        piece.decode().replace(SPACE_MARK, " ").encode(): number
        for number, (piece, kind) in enumerate(zip(model.pieces, model.types, strict=True))
        if kind == USER_DEFINED and b" " not in piece and piece
    }
    characters = sorted({character for piece in mergeable for character in piece})
    symbol = dict(mergeable)
    for character in characters:
        symbol.setdefault(character, len(model.pieces) + len(symbol) - len(mergeable))
    held = {pair for piece in mergeable for pair in pairwise(piece)}
    symbols = np.full(CODE_POINTS, -1, np.int32)
    symbols[[ord(character) for character in characters]] = [symbol[each] for each in characters]
    in_order = sorted(defined, key=lambda piece: (piece[0], -len(piece), piece))
    begins = np.searchsorted([piece[0] for piece in in_order], np.arange(257)).astype(np.int32)
    return Merges(
        n_pieces=len(model.pieces),
        kinds=cut_kinds(held, set(defined)),
        pairs=hash_set([ord(a) << 21 | ord(b) for a, b in held]),
        symbols=symbols,
        unions=_merge_table(mergeable, symbol),
        ranks=_ranks(model.scores),
        begins=begins,
        defined_offsets=np.cumsum([0, *map(len, in_order)], dtype=np.int64),
        defined_bytes=np.frombuffer(b"".join(in_order) or b"\0", np.uint8).copy(),
        defined_ids=np.array([defined[piece] for piece in in_order], np.int32),
        byte_ids=ids_of_bytes(model),
        unknown=model.types.index(UNKNOWN),
    )


def ids_of_bytes(model: ModelFile) -> np.ndarray:
    """int32[256], the piece of each byte; -1 where the model does not fall back to bytes."""
    found = np.full(256, -1, np.int32)
    if model.byte_fallback:
        for number, (piece, kind) in enumerate(zip(model.pieces, model.types, strict=True)):
            if kind == BYTE:
                found[int(piece[3:5], 16)] = number
    return found


def cut_kinds(held: set[tuple[str, str]], defined: set[bytes]) -> np.ndarray:
    """What two bytes say of a cut between them."""
    kinds = np.full((256, 256), CUT, np.uint8)
    for first, second in held:
        if ord(first) < 128 and ord(second) < 128:
            kinds[ord(first), ord(second)] = JOIN
    kinds[128:, :128] = kinds[:, 0xC0:] = ASK
    for byte in {piece[0] for piece in defined}:
        if all(len(piece) == 1 for piece in defined if piece[0] == byte):
            kinds[byte, :128] = np.where(kinds[byte, :128] == ASK, ASK, CUT)
            kinds[:128, byte] = CUT
        else:
            kinds[:, byte] = ASK
    kinds[:, 0x80:0xC0] = JOIN  # inside a character
    return kinds.ravel()


def _merge_table(mergeable: dict[str, int], symbol: dict[str, int]) -> np.ndarray:
    """Every way to make a piece of two symbols."""
    ways = {
        symbol[piece[:at]] << 21 | symbol[piece[at:]]: number
        for piece, number in mergeable.items()
        for at in range(1, len(piece))
        if piece[:at] in symbol and piece[at:] in symbol
    }
    pairs, unions = (np.fromiter(each, np.uint64, len(ways)) for each in (ways, ways.values()))
    return packed_table(pairs, unions, bits=21)


def _ranks(scores: list[float]) -> np.ndarray:
    """Which score is the highest, which comes next."""
    levels, places = np.unique(np.array(scores, np.float32), return_inverse=True)
    return (len(levels) - 1 - places).astype(np.int32)


def packed_table(keys: np.ndarray, values: np.ndarray, bits: int) -> np.ndarray:
    """uint64[2^k] of `key << bits | value`; a key is where `hash_set` would have it."""
    places, size = _places(keys)
    table = np.full(size, EMPTY, np.uint64)
    table[places] = keys << np.uint64(bits) | values
    return table


def hash_set(keys: Sequence[int]) -> np.ndarray:
    """An open-addressing set, at most half full: key at the top bits of key * MULTIPLIER."""
    numbers = np.array(keys, np.uint64)
    places, size = _places(numbers)
    slots = np.full(size, EMPTY, np.uint64)
    slots[places] = numbers
    return slots


def _places(keys: np.ndarray) -> tuple[np.ndarray, int]:
    """Where distinct keys stand in an open table, and its size.

    In the order of their homes each stands at its own or right behind the one before it.
    """
    bits = max(4, int(2 * len(keys)).bit_length())
    homes = ((keys * MULTIPLIER) >> np.uint64(64 - bits)).astype(np.int64)
    order = np.argsort(homes, kind="stable")
    at = np.arange(len(keys))
    in_order = np.maximum.accumulate(homes[order] - at) + at
    # What the end pushes out stands in the first free places from the begin on.
    past = in_order >= 1 << bits
    taken = np.zeros(1 << bits, np.bool_)
    taken[in_order[~past]] = True
    in_order[past] = np.flatnonzero(~taken)[: past.sum()]
    places = np.empty(len(keys), np.int64)
    places[order] = in_order
    return places, 1 << bits
