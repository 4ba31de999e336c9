"""Encoding: SentencePiece's own ids, with document boundaries."""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from llm_data_assets.tokens import kernels, kernels_merge, kernels_unigram
from llm_data_assets.tokens.kernels import MARKS, PAD, SLACK, cut_words, longest_word, prepare
from llm_data_assets.tokens.kernels_cache import AHEAD, FULL, Cache, enlarge
from llm_data_assets.tokens.merges import Merges, build_merges, why_not
from llm_data_assets.tokens.model_file import SPACE_MARK, UNIGRAM, read_model
from llm_data_assets.tokens.tokenizer import load
from llm_data_assets.tokens.unigram import Unigram, build_unigram, mixed_pieces

_MARK = re.compile(re.escape(SPACE_MARK.encode()))  # reads an array where it lies
# Half of them words: 4 M words in 256 MB, about those of 2 GB of English. More are not remembered.
_MOST_SLOTS = 1 << 23
_FIRST_SLOTS = 1 << 16


@dataclass(frozen=True)
class Encoded:
    """Flat ids of all texts (uint16 or uint32, by vocabulary) and each text's length (int32)."""

    tokens: np.ndarray
    lengths: np.ndarray

    @property
    def offsets(self) -> np.ndarray:
        """int64[n + 1]: document i is `tokens[offsets[i]:offsets[i + 1]]`."""
        return np.concatenate([[0], np.cumsum(self.lengths, dtype=np.int64)])

    def document_of(self, positions: np.ndarray) -> np.ndarray:
        """Row of the document that each position of `tokens` belongs to; int64."""
        return np.searchsorted(self.offsets, positions, side="right") - 1


class Encoder:
    """A model, and the words it has met: the more it has encoded, the faster it is.

    Where the model's settings allow (`slow_because` is None), texts are cut into words that no
    piece crosses, and each word is merged (BPE) or split (unigram) once. Otherwise SentencePiece
    encodes. The ids are the same either way. One call at a time: others wait.

    SentencePiece writes a space as U+2581, so that a U+2581 of the text comes back as a space. With
    `keep_marks` it is written as its three byte pieces instead, which decode to what it was: no
    text changes, and those that hold none have SentencePiece's own ids as ever.

    Raises:
        ValueError: the bytes are no SentencePiece model, or marks cannot be kept by it.
    """

    format = "sentencepiece"

    def __init__(self, model: bytes, *, keep_marks: bool = False) -> None:
        self.processor = load(model)
        self._marks = (
            [self.processor.piece_to_id(f"<0x{byte:02X}>") for byte in SPACE_MARK.encode()]
            if keep_marks
            else None
        )
        parsed = read_model(model)
        self.slow_because = why_not(parsed)
        self.vocab_size = len(parsed.pieces)
        self.unknown: int = self.processor.unk_id()
        self.dtype = token_dtype(self.vocab_size)
        if keep_marks and (parsed.add_dummy_prefix or not parsed.byte_fallback):
            raise ValueError(
                "this model cannot keep U+2581: that takes byte fallback and no dummy prefix. "
                "Try: keep_marks=False, or a model trained here"
            )
        self._lock = threading.Lock()
        if self.slow_because is None:
            self._tables: Merges | Unigram
            self._work_of: Callable[[int], Any]
            self._cache = _cache(_FIRST_SLOTS)
            if parsed.model_type == UNIGRAM:
                self._tables = build_unigram(parsed)
                self._kernel, self._work_of = (
                    kernels_unigram.encode_unigram,
                    kernels_unigram.work_of,
                )
            else:
                self._tables = build_merges(parsed)
                self._kernel, self._work_of = kernels.encode_documents, kernels_merge.work_of
                kernels.remember_defined(self._tables, self._cache)
            # Arrays of one call, kept for the next: the system clears the pages of new ones.
            self._text = self._marks_of_cuts = np.empty(0, np.uint8)
            self._out = np.empty(0, self.dtype)
            self._ahead = np.empty((AHEAD, 4), np.uint64)
            self._prefix = parsed.add_dummy_prefix and not parsed.treat_whitespace_as_suffix
            self._suffix = parsed.add_dummy_prefix and parsed.treat_whitespace_as_suffix
            if parsed.model_type == UNIGRAM and not self._adds_up(mixed_pieces(parsed)):
                self.slow_because = "this version of SentencePiece adds scores up in another way"

    def encode(self, texts: pa.Array, *, add_bos: bool = False, add_eos: bool = True) -> Encoded:
        """Ids of every text, with a beginning and an end id if asked for.

        Args:
            texts: string or large_string; a null is an empty text.

        Raises:
            ValueError: a beginning or end is asked for and the model has none.
        """
        for asked, token, name in (
            (add_bos, self.processor.bos_id(), "beginning"),
            (add_eos, self.processor.eos_id(), "end"),
        ):
            if asked and token < 0:
                raise ValueError(
                    f"the tokenizer has no {name}-of-sequence token. Try: a model that was trained "
                    "with one, or encode without it"
                )
        if self.slow_because is not None:
            return self._slowly(texts, add_bos, add_eos)
        with self._lock:
            return self._by_words(texts, add_bos, add_eos)

    def decode(self, ids: list[int]) -> str:
        """The text of ids."""
        return str(self.processor.decode(ids))

    def piece(self, token: int) -> str:
        """How the model writes an id."""
        return str(self.processor.id_to_piece(token))

    def is_byte(self, token: int) -> bool:
        """Whether an id is a byte, which stands for part of a character that is no piece."""
        return bool(self.processor.is_byte(token))

    def _adds_up(self, text: str) -> bool:
        found = self._by_words(pa.array([text]), add_bos=False, add_eos=False)
        return found.tokens.tolist() == self.processor.encode(text)

    def _by_words(self, texts: pa.Array, add_bos: bool, add_eos: bool) -> Encoded:
        text, offsets = self._prepared(texts)
        n = len(texts)
        self._marks_of_cuts = _room(self._marks_of_cuts, offsets[-1] + MARKS)
        cuts = cut_words(text, offsets, self._tables, self._marks_of_cuts)
        # Never more ids than bytes: every symbol has at least one, and a space is a piece.
        self._out = out = _room(self._out, offsets[-1] + 2 * n + SLACK)
        work = self._work_of(longest_word(cuts))
        lengths = np.zeros(n, np.int32)
        bos = self.processor.bos_id() if add_bos else -1
        eos = self.processor.eos_id() if add_eos else -1
        document = at = 0
        while document < n:
            self._make_room()
            document, at = self._kernel(
                text, offsets, cuts, document, self._tables, self._cache, bos, eos,
                work, self._ahead, out, at, lengths,
            )  # fmt: skip
        return Encoded(out[:at].copy(), lengths)

    def _prepared(self, texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        array = texts.cast(pa.large_string()).fill_null("")
        offsets = np.frombuffer(array.buffers()[1], np.int64)[
            array.offset : array.offset + len(array) + 1
        ]
        data = np.frombuffer(array.buffers()[2] or b"", np.uint8)
        mine = data[offsets[0] : offsets[-1]]
        marked = self._marks is None and _MARK.search(mine.data)
        if not (self._prefix or self._suffix or marked):
            self._text = _room(self._text, len(mine) + PAD)
            self._text[: len(mine)] = mine
            self._text[len(mine) : len(mine) + PAD] = 0
            return self._text, offsets - offsets[0]
        return prepare(data, offsets, self._prefix, self._suffix)

    def _make_room(self) -> None:
        old = self._cache
        if old.counters[FULL]:
            if len(old.slots) < _MOST_SLOTS:
                self._cache = _cache(4 * len(old.slots))
                enlarge(old, self._cache)
            else:
                old.counters[FULL] = 0

    def _slowly(self, texts: pa.Array, add_bos: bool, add_eos: bool) -> Encoded:
        before = [self.processor.bos_id()] if add_bos else []
        after = [self.processor.eos_id()] if add_eos else []
        ids = [[*before, *self._parts(text), *after] for text in texts.fill_null("").to_pylist()]
        return flat(ids, self.dtype)

    def _parts(self, text: str) -> list[int]:
        if self._marks is None or SPACE_MARK not in text:
            return self.processor.encode(text)
        first, *others = (self.processor.encode(part) for part in text.split(SPACE_MARK))
        return first + [token for part in others for token in (*self._marks, *part)]


def flat(ids: list[list[int]], dtype: np.dtype) -> Encoded:
    """Lists of ids as one array."""
    lengths = np.fromiter((len(each) for each in ids), np.int32, len(ids))
    tokens = np.fromiter((token for each in ids for token in each), dtype, lengths.sum())
    return Encoded(tokens, lengths)


def token_dtype(vocab_size: int) -> np.dtype:
    """The smallest unsigned type that holds every id."""
    return np.dtype(np.uint16 if vocab_size <= 1 << 16 else np.uint32)


def _room(array: np.ndarray, size: int) -> np.ndarray:
    """An array of that size at least: the one there is, or a new one."""
    return array if len(array) >= size else np.empty(size, array.dtype)


def _cache(slots: int) -> Cache:
    # A slot is half a cache line: let none lie in two.
    room = np.zeros(4 * slots + 8, np.uint64)
    return Cache(
        room[-(room.ctypes.data // 8) % 8 :][: 4 * slots].reshape(slots, 4),
        np.empty(8 * slots, np.uint8),
        np.empty(4 * slots, np.int32),
        np.zeros(4, np.int64),
    )
