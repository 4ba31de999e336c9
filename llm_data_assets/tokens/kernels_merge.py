"""Merging the characters of one word, as SentencePiece's BPE does."""

import numpy as np

from llm_data_assets.dedup.vectors import load32
from llm_data_assets.kernel import inlined, kernel
from llm_data_assets.tokens.kernels_cache import ID, U21, width
from llm_data_assets.tokens.merges import EMPTY, MULTIPLIER

_FEW = 32  # symbols among which the best pair is looked for; of more, a heap knows it
_SYMBOLS = np.int64(ID)
_NONE = np.int64(1) << 62  # no rank is as large
_UNION, _RANK = 21, 42  # bits that they are moved by
_RANKS = np.int64(-1) << _RANK

_SYMBOL, _BEGIN, _AFTER, _BEFORE, _PAIR, _HEAP = range(6)


def work_of(size: int) -> np.ndarray:
    """Room to merge a word of `size` bytes: a row for each of _SYMBOL to _HEAP."""
    return np.empty((6, 3 * size + _FEW), np.int64)


@kernel
def merge(text, i, end, tables, byte_ids, fixed, work, out, at):  # type: ignore[no-untyped-def]
    """Merge the characters of one word, best pair first, and write its ids.

    Args:
        tables: symbols, unions and ranks of `Merges`, and 64 less the bits of a place in unions.
        fixed: how many pieces there are, and the id of the unknown one.
        work: `work_of` the word.

    Returns:
        Where the ids end.
    """
    after = _merge_few(text, i, end, tables, fixed[0], work, out, at)
    if after < 0:
        after = _merge_any(text, i, end, tables, byte_ids, fixed, work, out, at)
    return after


@inlined
def _merge_few(text, i, end, tables, n_pieces, work, out, at):  # type: ignore[no-untyped-def]
    """Merge a word of few characters that becomes pieces; -1 where it is not one.

    A place of the first row holds a symbol and, above it, the `_pair` of it and the next one.
    """
    symbols, unions, ranks, shift = tables
    n = 0
    before = np.int64(-1)
    while i < end:
        symbol = np.int64(symbols[code_point(load32(text, i))])
        if symbol < 0 or n == _FEW:
            return -1
        if n > 0:
            work[0, n - 1] = _pair(unions, ranks, shift, before, symbol) | before
        before = symbol
        i += width(text[i])
        n += 1
    work[0, n - 1] = _NONE | before
    while True:
        best, left = _NONE, -1
        for k in range(n - 1):
            pair = work[0, k]
            if pair < best & _RANKS:
                best, left = pair, k
        if left < 0:
            break
        union = best >> _UNION & _SYMBOLS
        n -= 1
        for k in range(left + 1, n):
            work[0, k] = work[0, k + 1]
        if left < n - 1:
            work[0, left] = union | _pair(unions, ranks, shift, union, work[0, left + 1] & _SYMBOLS)
        else:
            work[0, left] = union | _NONE
        if left > 0:
            before = work[0, left - 1] & _SYMBOLS
            work[0, left - 1] = before | _pair(unions, ranks, shift, before, union)
    for k in range(n):
        symbol = work[0, k] & _SYMBOLS
        if symbol >= n_pieces:
            return -1
        out[at + k] = symbol
    return at + n


@kernel
def _merge_any(text, i, end, tables, byte_ids, fixed, work, out, at):  # type: ignore[no-untyped-def]
    """Merge any word.

    The heap holds `rank << 32 | left symbol` of every pair that was ever possible; an entry counts
    only while it is still the rank of the pair that begins there.
    """
    symbols, unions, ranks, shift = tables
    n = 0
    while i < end:
        work[_SYMBOL, n] = symbols[code_point(load32(text, i))]
        work[_BEGIN, n], work[_AFTER, n], work[_BEFORE, n] = i, n + 1, n - 1
        i += width(text[i])
        n += 1
    work[_BEGIN, n] = end
    # Pairs to look up: first all, then the two that a merge makes.
    fresh, second, waiting = 0, -1, 0
    while True:
        if fresh < n:
            left = fresh
            fresh += 1
        elif second >= 0:
            left = second
            second = -1
        elif waiting > 0:
            top = work[_HEAP, 0]
            waiting -= 1
            entry = work[_HEAP, waiting]
            k = 0
            while 2 * k + 1 < waiting:
                child = 2 * k + 1
                if child + 1 < waiting and work[_HEAP, child + 1] < work[_HEAP, child]:
                    child += 1
                if work[_HEAP, child] >= entry:
                    break
                work[_HEAP, k] = work[_HEAP, child]
                k = child
            work[_HEAP, k] = entry
            left = top & 0xFFFFFFFF
            if work[_PAIR, left] >> _RANK != top >> 32:
                continue
            work[_SYMBOL, left] = work[_PAIR, left] >> _UNION & _SYMBOLS
            work[_PAIR, work[_AFTER, left]] = _NONE
            work[_AFTER, left] = work[_AFTER, work[_AFTER, left]]
            if work[_AFTER, left] < n:
                work[_BEFORE, work[_AFTER, left]] = left
            second = work[_BEFORE, left]
        else:
            break
        right = work[_AFTER, left]
        pair = _NONE
        if right < n and work[_SYMBOL, left] >= 0 and work[_SYMBOL, right] >= 0:
            pair = _pair(unions, ranks, shift, work[_SYMBOL, left], work[_SYMBOL, right])
        work[_PAIR, left] = pair
        if pair != _NONE:
            entry = pair >> _RANK << 32 | left
            k = waiting
            while k > 0 and work[_HEAP, (k - 1) >> 1] > entry:
                work[_HEAP, k] = work[_HEAP, (k - 1) >> 1]
                k = (k - 1) >> 1
            work[_HEAP, k] = entry
            waiting += 1
    return _write_symbols(text, n, byte_ids, fixed, work, out, at)


@inlined
def _pair(unions, ranks, shift, left, right):  # type: ignore[no-untyped-def]
    """`rank << 42 | union << 21` of two symbols; _NONE where their union is no piece."""
    mask = len(unions) - 1
    key = np.uint64(left << 21 | right)
    slot = np.int64((key * MULTIPLIER) >> shift)
    found = unions[slot]
    while found >> U21 != key and found != EMPTY:
        slot = (slot + 1) & mask
        found = unions[slot]
    if found == EMPTY:
        return _NONE
    union = np.int64(found & ID)
    return np.int64(ranks[union]) << _RANK | union << _UNION


@kernel
def _write_symbols(text, n, byte_ids, fixed, work, out, at):  # type: ignore[no-untyped-def]
    """Write what merging has left: pieces; bytes, or one unknown in a row, for what is none."""
    n_pieces, unknown = fixed
    k = 0
    start = at
    while k < n:
        if 0 <= work[_SYMBOL, k] < n_pieces:
            out[at] = work[_SYMBOL, k]
            at += 1
        elif byte_ids[0] >= 0:
            for place in range(work[_BEGIN, k], work[_BEGIN, k + 1]):
                out[at] = byte_ids[text[place]]
                at += 1
        elif at == start or out[at - 1] != unknown:
            out[at] = unknown
            at += 1
        k = work[_AFTER, k]
    return at


@inlined
def code_point(four):  # type: ignore[no-untyped-def]
    """The character whose UTF-8 the four bytes begin with."""
    byte = np.int64(four)
    first = byte & 0xFF
    if first < 0x80:
        return first
    second = byte >> 8 & 0x3F
    if first < 0xE0:
        return (first & 0x1F) << 6 | second
    third = byte >> 16 & 0x3F
    if first < 0xF0:
        return (first & 0x0F) << 12 | second << 6 | third
    return (first & 0x07) << 18 | second << 12 | third << 6 | (byte >> 24 & 0x3F)
