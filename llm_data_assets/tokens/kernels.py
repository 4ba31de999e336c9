"""UTF-8 to ids of a BPE model, straight over Arrow's buffers, with a cache of whole words.

Texts are cut into words where no merge can cross (`merges`). A word seen before is one look-up in
a hash table of exact bytes; an unseen one is merged as SentencePiece would, and remembered.
SentencePiece itself is the reference that tests hold this to.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from llm_data_assets.dedup.vectors import load32, load64, trailing_zeros
from llm_data_assets.tokens.merges import ASK, CODE_POINTS, CUT, EMPTY, JOIN, MULTIPLIER

PAD = 16  # readers of eight bytes run past the end of a text by up to this much
SLACK = 8  # ids written past the last one
_SHORT = 15  # bytes of a word that is its own key
_LONG = 255  # bytes of a word that is remembered at all
_SECOND_MULTIPLIER = np.uint64(0xC2B2AE3D27D4EB4F)  # XXH64's prime 2
_ID = np.uint64((1 << 21) - 1)
_U8, _U21, _U42, _U48, _U56 = (np.uint64(n) for n in (8, 21, 42, 48, 56))
_PLACE = np.uint64((1 << 48) - 1)
_LONG_MARK = np.uint64(_LONG << 56)
_INLINE = 5
# Masks that keep the first n bytes of a little-endian word, and the bytes after the eighth.
_FIRST = np.array([(1 << 8 * min(n, 8)) - 1 for n in range(17)], np.uint64)
_SECOND = np.array([(1 << 8 * max(n - 8, 0)) - 1 for n in range(17)], np.uint64)
_ASKED = np.uint64(0x0202020202020202)
_ONES = np.uint64(0x0101010101010101)
_GATHER = np.uint64(0x0102040810204080)  # brings the lowest bits of eight bytes to the top byte
_MANY = np.uint64((_INLINE + 1) << 48)
_FOUR = np.uint64(4 << 48)
_ABOVE = np.uint64(0xFFFFFFFFFFFFFFFE)  # all bits above the first; shifted, above another
_NO_RANK = np.int64(1) << 40

USED, BYTES, IDS, FULL = 0, 1, 2, 3
SYMBOL, BEGIN, AFTER, BEFORE, RANK, UNION, HEAP = range(7)


class Cache(NamedTuple):
    """Words and their ids.

    Attributes:
        slots: uint64[2^k, 4]. A word of up to 15 bytes is its own key in the first two, its length
            in the top byte; a longer one has its hash in the first and its place among `words` in
            the second. Then up to five ids of 21 bits, or the place among `ids`, and their count.
        words: uint8[:], bytes of the longer words.
        ids: int32[:], ids of words that have more than five.
        counters: int64[4], slots, bytes and ids in use; and whether something found no room.
    """

    slots: np.ndarray
    words: np.ndarray
    ids: np.ndarray
    counters: np.ndarray


@njit(nogil=True, cache=True)
def prepare(text, offsets, as_prefix, as_suffix):  # type: ignore[no-untyped-def]
    """A copy with U+2581 as a space, and a space before or after every text that is not empty.

    Returns:
        uint8[... + PAD] and int64[n + 1].
    """
    n = len(offsets) - 1
    out = np.empty(offsets[n] - offsets[0] + n + PAD, np.uint8)
    places = np.zeros(n + 1, np.int64)
    at = 0
    for document in range(n):
        start, end = offsets[document], offsets[document + 1]
        if as_prefix and end > start:
            out[at] = 32
            at += 1
        i = start
        while i < end:
            if text[i] == 0xE2 and i + 2 < end and text[i + 1] == 0x96 and text[i + 2] == 0x81:
                out[at] = 32
                i += 3
            else:
                out[at] = text[i]
                i += 1
            at += 1
        if as_suffix and end > start:
            out[at] = 32
            at += 1
        places[document + 1] = at
    return out, places


@njit(nogil=True, cache=True)
def cut_words(text, offsets, merges):  # type: ignore[no-untyped-def]
    """Where words begin.

    Args:
        text: uint8[... + PAD], `offsets` int64[n + 1] from 0.

    Returns:
        uint64[...], bit i % 64 of number i / 64 is set where a word begins at byte i, or all ends.
    """
    kinds, pairs, begins = merges.kinds, merges.pairs, merges.begins
    defined_offsets, defined_bytes = merges.defined_offsets, merges.defined_bytes
    shift = np.uint64(64 - _log2(len(pairs)))
    size = offsets[-1]
    marks = np.zeros(size + 1 + 64 + PAD, np.uint8)
    for i in range(1, size):
        marks[i] = kinds[np.uint64(text[i - 1]) << _U8 | np.uint64(text[i])]
    for document in range(len(offsets) - 1):
        i, end = offsets[document], offsets[document + 1]
        if i == end:
            continue
        marks[i] = ASK
        certain = i  # a symbol ends here, or the document begins
        while i < end:
            asked = load64(marks, i) & _ASKED
            if asked == 0:
                i += 8
                continue
            i += trailing_zeros(asked) >> 3
            if i >= end:
                break
            width = _defined_at(text, i, end, begins, defined_offsets, defined_bytes)
            if width > 0:
                marks[i] = CUT
                marks[i + 1 : i + width] = 0
                i += width
                marks[i] = ASK
                certain = i
            else:
                marks[i] = CUT if i == certain else _held(text, i, pairs, shift)
                i += 1
    marks[size] = CUT
    bits = np.empty(size // 64 + 1, np.uint64)
    for block in range(len(bits)):
        word = np.uint64(0)
        for k in range(8):
            eight = (load64(marks, 64 * block + 8 * k) & _ONES) * _GATHER
            word |= (eight >> _U56) << np.uint64(8 * k)
        bits[block] = word
    return bits


@njit(nogil=True, cache=True)
def encode_documents(text, offsets, cuts, first, merges, cache, bos, eos, out, at, lengths):  # type: ignore[no-untyped-def]
    """Write the ids of documents `first` and following to `out` from `at` on.

    Stops before the end when the cache has no room left, so that the caller can enlarge it.

    Args:
        text: uint8[... + PAD], `offsets` int64[n + 1] from 0.
        cuts: where words begin, as `cut_words` says.
        bos, eos: ids to begin and end each document with; -1 for none.
        out: uint16[:] or uint32[:] of an id a byte and two a document, plus SLACK.
        lengths: int32[n], filled in.

    Returns:
        The next document, and where its ids go.
    """
    # The loop over words calls nothing that takes an array: Numba would count references, with an
    # atomic instruction, at every call.
    symbols, unions, byte_ids = merges.symbols, merges.unions, merges.byte_ids
    slots, words, ids, counters = cache.slots, cache.words, cache.ids, cache.counters
    unknown = merges.unknown
    fixed = (merges.n_pieces, unknown)
    mask = len(slots) - 1
    work = _work(_LONG)
    document = first
    while document < len(lengths):
        started = at
        if bos >= 0:
            out[at] = bos
            at += 1
        i = offsets[document]
        end = offsets[document + 1]
        while i < end:
            block = i >> 6
            left = cuts[block] & (_ABOVE << np.uint64(i & 63))
            while left == 0:
                block += 1
                left = cuts[block]
            j = (block << 6) + trailing_zeros(left)
            known = False
            if j - i <= _SHORT:
                low = load64(text, i) & _FIRST[j - i]
                high = (load64(text, i + 8) & _SECOND[j - i]) | (np.uint64(j - i) << _U56)
                slot = _home(low, high) & mask
                while slots[slot, 1] != EMPTY and (slots[slot, 1] != high or slots[slot, 0] != low):
                    slot = (slot + 1) & mask
                few, more = slots[slot, 2], slots[slot, 3]
                known = slots[slot, 1] != EMPTY and more < _MANY
            if known:
                out[at] = few & _ID
                out[at + 1] = (few >> _U21) & _ID
                out[at + 2] = (few >> _U42) & _ID
                if more >= _FOUR:
                    out[at + 3] = more & _ID
                    out[at + 4] = (more >> _U21) & _ID
                after = at + np.int64(more >> _U48)
            else:
                after = _encode_word(
                    text, i, j, symbols, unions, byte_ids, fixed,
                    slots, words, ids, counters, work, out, at,
                )  # fmt: skip
            # Unknown characters in a row are one unknown, also across words.
            if out[at] == unknown and at > started and out[at - 1] == unknown and after > at:
                after = _drop(out, at, after)
            at = after
            i = j
        if eos >= 0:
            out[at] = eos
            at += 1
        lengths[document] = at - started
        document += 1
        if counters[FULL]:
            break
    return document, at


@njit(nogil=True)
def _encode_word(  # type: ignore[no-untyped-def]
    text, i, end, symbols, unions, byte_ids, fixed, slots, words, ids, counters, work, out, at
):
    """Write the ids of one word, known or not, and remember it."""
    size = end - i
    if size > _LONG:
        room = _work(size)
        return _merge(text, i, end, symbols, unions, byte_ids, fixed, room, out, at)
    slot = _find(text, i, size, slots, words)
    if slots[slot, 1] == EMPTY:
        after = _merge(text, i, end, symbols, unions, byte_ids, fixed, work, out, at)
        _remember(text, i, size, slots, words, ids, counters, slot, out, at, after)
        return after
    few, more = slots[slot, 2], slots[slot, 3]
    count = np.int64(more >> _U48)
    for k in range(count):
        if count > _INLINE:
            out[at + k] = ids[np.int64(few) + k]
        else:
            place = few if k < 3 else more
            out[at + k] = (place >> np.uint64(21 * (k % 3))) & _ID
    return at + count


@njit(nogil=True)
def _drop(out, at, end):  # type: ignore[no-untyped-def]
    """Take out the id at `at`; returns the new end."""
    for k in range(at, end - 1):
        out[k] = out[k + 1]
    return end - 1


@njit(nogil=True)
def _work(size):  # type: ignore[no-untyped-def]
    """Room to merge a word of `size` bytes: a row for each of SYMBOL to HEAP."""
    return np.empty((7, 3 * size + 3), np.int64)


@njit(nogil=True, cache=True)
def remember_defined(merges, cache):  # type: ignore[no-untyped-def]
    """Put user-defined symbols among the known words: none of them is ever merged.

    Their bytes are never those of another word: wherever they stand, they are taken first.
    """
    text = np.zeros(len(merges.defined_bytes) + PAD, np.uint8)
    text[:-PAD] = merges.defined_bytes
    for row in range(len(merges.defined_ids)):
        i = merges.defined_offsets[row]
        size = merges.defined_offsets[row + 1] - i
        slot = _find(text, i, size, cache.slots, cache.words)
        _remember(
            text, i, size, cache.slots, cache.words, cache.ids, cache.counters,
            slot, merges.defined_ids, row, row + 1,
        )  # fmt: skip


@njit(nogil=True, cache=True)
def enlarge(old, new):  # type: ignore[no-untyped-def]
    """Copy what a cache knows into a larger, empty one."""
    slots, grown = old.slots, new.slots
    new.words[: old.counters[BYTES]] = old.words[: old.counters[BYTES]]
    new.ids[: old.counters[IDS]] = old.ids[: old.counters[IDS]]
    mask = len(grown) - 1
    for slot in range(len(slots)):
        if slots[slot, 1] != EMPTY:
            is_long = slots[slot, 1] >= _LONG_MARK
            home = _home(slots[slot, 0], np.uint64(0) if is_long else slots[slot, 1]) & mask
            while grown[home, 1] != EMPTY:
                home = (home + 1) & mask
            grown[home] = slots[slot]
    new.counters[:3] = old.counters[:3]


@njit(nogil=True, forceinline=True)
def _defined_at(text, i, end, begins, defined_offsets, defined_bytes):  # type: ignore[no-untyped-def]
    """Bytes of the longest user-defined symbol that begins at i; 0 for none."""
    for row in range(begins[text[i]], begins[text[i] + 1]):
        start = defined_offsets[row]
        size = defined_offsets[row + 1] - start
        if i + size <= end:
            k = 1
            while k < size and text[i + k] == defined_bytes[start + k]:
                k += 1
            if k >= size:
                return size
    return 0


@njit(nogil=True, forceinline=True)
def _held(text, i, pairs, shift):  # type: ignore[no-untyped-def]
    """JOIN where a piece holds the character at i after the one before it, else CUT."""
    before = i - 1
    while text[before] & 0xC0 == 0x80:
        before -= 1
    key = np.uint64(_code_point(load32(text, before)) << 21 | _code_point(load32(text, i)))
    slot = np.int64((key * MULTIPLIER) >> shift)
    while pairs[slot] != key and pairs[slot] != EMPTY:
        slot = (slot + 1) & (len(pairs) - 1)
    return JOIN if pairs[slot] == key else CUT


@njit(nogil=True, forceinline=True)
def _width(byte):  # type: ignore[no-untyped-def]
    """Bytes of the UTF-8 character that begins with `byte`."""
    return 1 if byte < 0xC0 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4


@njit(nogil=True, forceinline=True)
def _code_point(four):  # type: ignore[no-untyped-def]
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


@njit(nogil=True, forceinline=True)
def _log2(size):  # type: ignore[no-untyped-def]
    bits = 0
    while size > 1:
        size >>= 1
        bits += 1
    return bits


@njit(nogil=True, forceinline=True)
def _home(low, high):  # type: ignore[no-untyped-def]
    """Where to look for a word first, before the table's mask."""
    mixed = (low * MULTIPLIER) ^ (high * _SECOND_MULTIPLIER)
    mixed ^= mixed >> np.uint64(32)
    return np.int64((mixed * MULTIPLIER) >> np.uint64(32))


@njit(nogil=True, forceinline=True)
def _hash(text, i, size):  # type: ignore[no-untyped-def]
    """A 64-bit hash of a word of more than 15 bytes."""
    mixed = np.uint64(size) * _SECOND_MULTIPLIER
    k = 0
    while k + 8 < size:
        mixed = (mixed ^ load64(text, i + k)) * MULTIPLIER
        mixed ^= mixed >> np.uint64(29)
        k += 8
    mixed = (mixed ^ load64(text, i + size - 8)) * _SECOND_MULTIPLIER
    return mixed ^ (mixed >> np.uint64(32))


@njit(nogil=True, forceinline=True)
def _find(text, i, size, slots, words):  # type: ignore[no-untyped-def]
    """The slot that holds the word, or the empty one where it would go."""
    mask = len(slots) - 1
    if size <= _SHORT:
        low = load64(text, i) & _FIRST[size]
        high = (load64(text, i + 8) & _SECOND[size]) | (np.uint64(size) << _U56)
        slot = _home(low, high) & mask
        while slots[slot, 1] != EMPTY and (slots[slot, 0] != low or slots[slot, 1] != high):
            slot = (slot + 1) & mask
        return slot
    low = _hash(text, i, size)
    slot = _home(low, np.uint64(0)) & mask
    while slots[slot, 1] != EMPTY:
        if slots[slot, 0] == low and slots[slot, 1] >= _LONG_MARK:
            place = np.int64(slots[slot, 1] & _PLACE)
            if words[place] == size:
                k = 0
                while k < size and words[place + 1 + k] == text[i + k]:
                    k += 1
                if k == size:
                    return slot
        slot = (slot + 1) & mask
    return slot


@njit(nogil=True)
def _remember(text, i, size, slots, words, ids, counters, slot, out, start, end):  # type: ignore[no-untyped-def]
    """Keep a word's ids, where there is room."""
    count = end - start
    if (
        2 * counters[USED] >= len(slots)
        or counters[BYTES] + size + 1 > len(words)
        or counters[IDS] + count > len(ids)
    ):
        counters[FULL] = 1
        return
    counters[USED] += 1
    if size <= _SHORT:
        slots[slot, 0] = load64(text, i) & _FIRST[size]
        slots[slot, 1] = (load64(text, i + 8) & _SECOND[size]) | (np.uint64(size) << _U56)
    else:
        place = counters[BYTES]
        words[place] = size
        words[place + 1 : place + 1 + size] = text[i : i + size]
        counters[BYTES] += size + 1
        slots[slot, 0] = _hash(text, i, size)
        slots[slot, 1] = _LONG_MARK | np.uint64(place)
    few, more = np.uint64(0), np.uint64(count) << _U48
    if count <= _INLINE:
        for k in range(min(count, 3)):
            few |= np.uint64(out[start + k]) << np.uint64(21 * k)
        for k in range(3, count):
            more |= np.uint64(out[start + k]) << np.uint64(21 * (k - 3))
    else:
        few = np.uint64(counters[IDS])
        for k in range(count):
            ids[counters[IDS] + k] = out[start + k]
        counters[IDS] += count
    slots[slot, 2] = few
    slots[slot, 3] = more


@njit(nogil=True)
def _merge(text, i, end, symbols, unions, byte_ids, fixed, work, out, at):  # type: ignore[no-untyped-def]
    """Merge the characters of one word, best pair first, and write its ids.

    The heap holds `rank << 32 | left symbol` of every pair that was ever possible; an entry counts
    only while it is still the rank of the pair that begins there.
    """
    shift, mask = np.uint64(64 - _log2(len(unions))), len(unions) - 1
    n = 0
    while i < end:
        work[SYMBOL, n] = symbols[_code_point(load32(text, i))]
        work[BEGIN, n], work[AFTER, n], work[BEFORE, n] = i, n + 1, n - 1
        i += _width(text[i])
        n += 1
    work[BEGIN, n] = end
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
            top = work[HEAP, 0]
            waiting -= 1
            entry = work[HEAP, waiting]
            k = 0
            while 2 * k + 1 < waiting:
                child = 2 * k + 1
                if child + 1 < waiting and work[HEAP, child + 1] < work[HEAP, child]:
                    child += 1
                if work[HEAP, child] >= entry:
                    break
                work[HEAP, k] = work[HEAP, child]
                k = child
            work[HEAP, k] = entry
            left = top & 0xFFFFFFFF
            if work[RANK, left] != top >> 32:
                continue
            work[SYMBOL, left] = work[UNION, left]
            work[RANK, work[AFTER, left]] = _NO_RANK
            work[AFTER, left] = work[AFTER, work[AFTER, left]]
            if work[AFTER, left] < n:
                work[BEFORE, work[AFTER, left]] = left
            second = work[BEFORE, left]
        else:
            break
        work[RANK, left] = _NO_RANK
        right = work[AFTER, left]
        if right < n and work[SYMBOL, left] >= 0 and work[SYMBOL, right] >= 0:
            key = np.uint64(np.int64(work[SYMBOL, left]) << 32 | np.int64(work[SYMBOL, right]))
            slot = np.int64((key * MULTIPLIER) >> shift)
            while unions[slot, 0] != key and unions[slot, 0] != EMPTY:
                slot = (slot + 1) & mask
            if unions[slot, 0] == key:
                value = np.int64(unions[slot, 1])
                work[RANK, left], work[UNION, left] = value >> 32, value & 0xFFFFFFFF
                entry = work[RANK, left] << 32 | left
                k = waiting
                while k > 0 and work[HEAP, (k - 1) >> 1] > entry:
                    work[HEAP, k] = work[HEAP, (k - 1) >> 1]
                    k = (k - 1) >> 1
                work[HEAP, k] = entry
                waiting += 1
    return _write_symbols(text, n, byte_ids, fixed, work, out, at)


@njit(nogil=True)
def _write_symbols(text, n, byte_ids, fixed, work, out, at):  # type: ignore[no-untyped-def]
    """Write what merging has left: pieces; bytes, or one unknown in a row, for what is none."""
    n_pieces, unknown = fixed
    k = 0
    start = at
    while k < n:
        if 0 <= work[SYMBOL, k] < n_pieces:
            out[at] = work[SYMBOL, k]
            at += 1
        elif byte_ids[0] >= 0:
            for place in range(work[BEGIN, k], work[BEGIN, k + 1]):
                out[at] = byte_ids[text[place]]
                at += 1
        elif at == start or out[at - 1] != unknown:
            out[at] = unknown
            at += 1
        k = work[AFTER, k]
    return at


assert CODE_POINTS <= 1 << 21  # a pair of characters fits 42 bits of its key
