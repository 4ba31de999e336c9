"""Exact substrings that stand more than once, by a suffix array (Lee et al. 2022, section 4.1)."""

import re
from collections.abc import Sequence

import numpy as np

# Positions are 32-bit: what one suffix array can hold. It takes 13 bytes for each of them.
MAX_LENGTH = (1 << 31) - 1
_WORD = re.compile(r"\S+")
Span = tuple[int, int]


def repeated_substrings(
    texts: Sequence[str], *, min_bytes: int | None = None, min_words: int | None = None
) -> list[list[Span]]:
    """The characters of each text that lie in a substring which stood before, in order of texts.

    Every window of `min_bytes` UTF-8 bytes (or of `min_words` words, as white space parts them)
    that equals an earlier one is taken, overlapping windows as one: so a repeated passage goes
    whole where it comes again, and stays where it stood first. Windows do not reach across texts.

    Needs the extra `substrings` (pydivsufsort).

    Raises:
        ValueError: neither or both lengths are given, or there is more text than positions.
        ImportError: the extra is not installed.
    """
    if (min_bytes is None) == (min_words is None):
        raise ValueError("give min_bytes or min_words. Try: min_words=50, or min_bytes=100")
    if min_bytes is not None:
        return [
            _to_characters(text.encode(), spans)
            for text, spans in zip(
                texts, _windows([_bytes(text) for text in texts], min_bytes), strict=True
            )
        ]
    numbers: dict[str, int] = {}
    words = [[match.span() for match in _WORD.finditer(text)] for text in texts]
    sequences = [
        np.array([numbers.setdefault(text[a:b], len(numbers) + 1) for a, b in spans], np.int32)
        for text, spans in zip(texts, words, strict=True)
    ]
    found = _windows(sequences, min_words or 1)
    return [
        [(spans[first][0], spans[last - 1][1]) for first, last in each]
        for spans, each in zip(words, found, strict=True)
    ]


def _bytes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode(), np.uint8)


def _windows(sequences: Sequence[np.ndarray], width: int) -> list[list[Span]]:
    """Runs of each sequence that windows of `width` cover, of which the first copy is elsewhere."""
    suffix_array, common_prefixes = _suffix_arrays()
    lengths = np.array([len(each) for each in sequences], np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths + 1)])
    n = int(starts[-1])
    if n > MAX_LENGTH:
        raise ValueError(
            f"{n:,} positions in one suffix array, {MAX_LENGTH:,} at most. "
            "Try: substrings of words, or a smaller source"
        )
    if n < width:
        return [[] for _ in sequences]
    kind = sequences[0].dtype
    # UTF-8 has no byte 255 and words are numbered from 1: either parts texts.
    between = np.array([255 if kind == np.uint8 else 0], kind)
    whole = np.concatenate([piece for each in sequences for piece in (each, between)])
    order = suffix_array(whole)
    shared = common_prefixes(whole, order)
    # Rank r begins a run of equal windows unless its window equals that of rank r - 1.
    begins = np.concatenate([[True], shared[:-1] < width])[:n]
    run = np.cumsum(begins) - 1
    first = np.full(int(run[-1]) + 1, n, np.int64)
    np.minimum.at(first, run, order)
    later = order[order != first[run]].astype(np.int64)
    text = np.searchsorted(starts, later, side="right") - 1
    inside = later + width <= starts[text] + lengths[text]
    later = np.sort(later[inside])
    found: list[list[Span]] = [[] for _ in sequences]
    if not len(later):
        return found
    text = np.searchsorted(starts, later, side="right") - 1
    new = np.concatenate([[True], (np.diff(later) > width) | (np.diff(text) > 0)])
    heads = np.flatnonzero(new)
    tails = np.append(heads[1:], len(later)) - 1
    for head, tail in zip(heads.tolist(), tails.tolist(), strict=True):
        at = int(text[head])
        found[at].append((int(later[head] - starts[at]), int(later[tail] + width - starts[at])))
    return found


def _to_characters(data: bytes, spans: Sequence[Span]) -> list[Span]:
    """Spans of bytes as spans of the whole characters in them."""
    if not spans:
        return []
    is_head = (np.frombuffer(data, np.uint8) & 0xC0) != 0x80
    before = np.concatenate([[0], np.cumsum(is_head)])  # characters that begin before each byte
    heads = np.append(is_head, True)
    found = []
    for start, end in spans:
        while start < end and not heads[start]:
            start += 1
        while end > start and not heads[end]:
            end -= 1
        if end > start:
            found.append((int(before[start]), int(before[end])))
    return found


def _suffix_arrays():  # type: ignore[no-untyped-def]
    try:
        from pydivsufsort import divsufsort, kasai
    except ImportError as error:
        raise ImportError(
            "repeated substrings need pydivsufsort. Try: pip install 'llm_data_assets[substrings]'"
        ) from error
    return divsufsort, kasai
