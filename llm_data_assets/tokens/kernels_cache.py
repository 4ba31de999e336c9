"""Words and their ids: a hash table of exact bytes that kernels read and fill.

Not a kernel by itself: what `kernels` and `kernels_unigram` inline. Copies are loops here, since
each assignment to a slice takes Numba seconds to compile.
"""

from typing import NamedTuple

import numpy as np

from llm_data_assets.dedup.vectors import load64, prefetch, trailing_zeros
from llm_data_assets.kernel import inlined, kernel
from llm_data_assets.tokens.merges import MULTIPLIER

SHORT = 15  # bytes of a word that is its own key
LONG = 255  # bytes of a word that is remembered at all
_SECOND_MULTIPLIER = np.uint64(0xC2B2AE3D27D4EB4F)  # XXH64's prime 2
ID = np.uint64((1 << 21) - 1)
U21, U42, U48, U56 = (np.uint64(n) for n in (21, 42, 48, 56))
_PLACE = np.uint64((1 << 48) - 1)
_LONG_MARK = np.uint64(LONG << 56)
INLINE = 5
# Masks that keep the first n bytes of a little-endian word, and the bytes after the eighth.
FIRST = np.array([(1 << 8 * min(n, 8)) - 1 for n in range(17)], np.uint64)
SECOND = np.array([(1 << 8 * max(n - 8, 0)) - 1 for n in range(17)], np.uint64)
MANY = np.uint64((INLINE + 1) << 48)
FREE = np.uint64(0)  # the second number of a slot without a word: no word has a length of 0

USED, BYTES, IDS, FULL = 0, 1, 2, 3

# Words whose slots are on their way from memory while the first of them is read: a known word takes
# 12 ns so, not 15 (150 MB of English, AMD EPYC), and two processes wait less for each other.
AHEAD = 16
NEXT, LOW, HIGH, HOME = 0, 1, 2, 3
_ABOVE = np.uint64(0xFFFFFFFFFFFFFFFE)  # all bits above the first; shifted, above another


class Cache(NamedTuple):
    """Words and their ids.

    Attributes:
        slots: uint64[2^k, 4]. A word of up to 15 bytes is its own key in the first two, its length
            in the top byte; a longer one has its hash in the first and its place among `words` in
            the second. Then up to five ids of 21 bits, or the place among `ids`; their count in
            the top two bytes; and six bits below it of a unigram model's own.
        words: uint8[:], bytes of the longer words.
        ids: int32[:], ids of words that have more than five.
        counters: int64[4], slots, bytes and ids in use; and whether something found no room.
    """

    slots: np.ndarray
    words: np.ndarray
    ids: np.ndarray
    counters: np.ndarray


@kernel
def enlarge(old, new):  # type: ignore[no-untyped-def]
    """Copy what a cache knows into a larger, empty one."""
    slots, grown = old.slots, new.slots
    for k in range(old.counters[BYTES]):
        new.words[k] = old.words[k]
    for k in range(old.counters[IDS]):
        new.ids[k] = old.ids[k]
    mask = len(grown) - 1
    for slot in range(len(slots)):
        if slots[slot, 1] != FREE:
            is_long = slots[slot, 1] >= _LONG_MARK
            place = home(slots[slot, 0], np.uint64(0) if is_long else slots[slot, 1]) & mask
            while grown[place, 1] != FREE:
                place = (place + 1) & mask
            for k in range(4):
                grown[place, k] = slots[slot, k]
    for k in range(FULL):
        new.counters[k] = old.counters[k]


@inlined
def width(byte):  # type: ignore[no-untyped-def]
    """Bytes of the UTF-8 character that begins with `byte`."""
    return 1 if byte < 0xC0 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4


@inlined
def log2(size):  # type: ignore[no-untyped-def]
    bits = 0
    while size > 1:
        size >>= 1
        bits += 1
    return bits


@inlined
def home(low, high):  # type: ignore[no-untyped-def]
    """Where to look for a word first, before the table's mask."""
    mixed = (low * MULTIPLIER) ^ (high * _SECOND_MULTIPLIER)
    mixed ^= mixed >> np.uint64(32)
    return np.int64((mixed * MULTIPLIER) >> np.uint64(32))


@inlined
def look_ahead(text, cuts, i, end, slots, ahead):  # type: ignore[no-untyped-def]
    """Find the next words of a document and ask for their slots.

    Args:
        cuts: where words begin (`kernels.cut_words`).
        ahead: uint64[AHEAD, 4], filled in: where each word ends and the next begins; then, where it
            is short, its key and its home.

    Returns:
        How many words.
    """
    n = 0
    while i < end and n < AHEAD:
        block = i >> 6
        left = cuts[block] & (_ABOVE << np.uint64(i & 63))
        while left == 0:
            block += 1
            left = cuts[block]
        j = (block << 6) + trailing_zeros(left)
        ahead[n, NEXT] = j
        if j - i <= SHORT:
            low = load64(text, i) & FIRST[j - i]
            high = (load64(text, i + 8) & SECOND[j - i]) | (np.uint64(j - i) << U56)
            slot = home(low, high) & (len(slots) - 1)
            ahead[n, LOW], ahead[n, HIGH], ahead[n, HOME] = low, high, slot
            prefetch(slots, 4 * slot)
        i = j
        n += 1
    return n


@inlined
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


@inlined
def slot_of(slots, low, high, slot):  # type: ignore[no-untyped-def]
    """The slot, from its home on, that holds a short word's key, or the empty one for it."""
    while slots[slot, 1] != FREE and (slots[slot, 1] != high or slots[slot, 0] != low):
        slot = (slot + 1) & (len(slots) - 1)
    return slot


@inlined
def find(text, i, size, slots, words):  # type: ignore[no-untyped-def]
    """The slot that holds the word, or the empty one where it would go."""
    mask = len(slots) - 1
    if size <= SHORT:
        low = load64(text, i) & FIRST[size]
        high = (load64(text, i + 8) & SECOND[size]) | (np.uint64(size) << U56)
        return slot_of(slots, low, high, home(low, high) & mask)
    low = _hash(text, i, size)
    slot = home(low, np.uint64(0)) & mask
    while slots[slot, 1] != FREE:
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


@kernel
def remember(text, i, size, slots, words, ids, counters, slot, out, start, end):  # type: ignore[no-untyped-def]
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
    if size <= SHORT:
        slots[slot, 0] = load64(text, i) & FIRST[size]
        slots[slot, 1] = (load64(text, i + 8) & SECOND[size]) | (np.uint64(size) << U56)
    else:
        place = counters[BYTES]
        words[place] = size
        for k in range(size):
            words[place + 1 + k] = text[i + k]
        counters[BYTES] += size + 1
        slots[slot, 0] = _hash(text, i, size)
        slots[slot, 1] = _LONG_MARK | np.uint64(place)
    few, more = np.uint64(0), np.uint64(count) << U48
    if count <= INLINE:
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


@kernel
def recall(slots, slot, ids, out, at):  # type: ignore[no-untyped-def]
    """Write the ids of a remembered word; returns where they end."""
    few, more = slots[slot, 2], slots[slot, 3]
    count = np.int64(more >> U48)
    for k in range(count):
        if count > INLINE:
            out[at + k] = ids[np.int64(few) + k]
        else:
            place = few if k < 3 else more
            out[at + k] = (place >> np.uint64(21 * (k % 3))) & ID
    return at + count
