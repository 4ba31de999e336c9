"""A number for each distinct word of a text, exact and normalised, and what is known of it."""

import numpy as np

from llm_data_assets.kernel import inlined, kernel
from llm_data_assets.text.characters import (
    ALNUM,
    ALPHA,
    LETTER,
    MARK,
    NOTED,
    PUNCTUATION,
    SMALL,
    TABLE_SIZE,
    UPPER,
    WORD,
)
from llm_data_assets.text.kernels import (
    PRIME_1,
    PRIME_2,
    ZERO,
    eight_bytes,
    hash_points,
    is_among,
    record_of,
)
from llm_data_assets.text.stop_words import BY_LANGUAGE, GOPHER

# What is known of a distinct word: bits of its flags.
REAL, HAS_LETTER, HAS_ALPHA, CAPITALS, NOT_SYMBOL, HAS_MARK = 1, 2, 4, 8, 16, 32
BEGINS_ALNUM, STOP_EXACT, STOP_LOWER, STOP_NORMAL, STOP_LANGUAGE = 64, 128, 256, 512, 1024
MARKS_ONLY = 2048

# Columns of `words`: one row a distinct word.
COUNT, LENGTH, FLAGS, NORMAL, NORMAL_LENGTH = range(5)
_ONES, _HIGHS = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
_EVERY = np.uint64(0xFFFFFFFFFFFFFFFF)
_LONGEST_STOP = max(map(len, (*GOPHER, *" ".join(BY_LANGUAGE.values()).split())))
_NUMBER_SIGN, _ELLIPSIS = 0x23, 0x2026


@kernel
def clear_slots(slots, entries):  # type: ignore[no-untyped-def]
    """Empty a hash table for `entries` entries; returns the shift that its places need."""
    bits = 4
    while (1 << bits) < 2 * entries:
        bits += 1
    slots[: 1 << bits] = -1
    return np.uint64(64 - bits)


@inlined
def look_up(key, keys, slots, shift, entries):  # type: ignore[no-untyped-def]
    """The number of a key in an open table: its own, or `entries` for a new one, which is added.

    Args:
        key: uint64; keys: uint64[...], the key of each number; slots: int32, numbers or -1.
    """
    place = (key * PRIME_1) >> shift
    mask = (np.uint64(1) << (np.uint64(64) - shift)) - np.uint64(1)
    found = slots[place]
    while found >= 0 and keys[found] != key:
        place = (place + np.uint64(1)) & mask
        found = slots[place]
    if found < 0:
        slots[place] = entries
        keys[entries] = key
        return np.int64(entries)
    return np.int64(found)


@inlined
def _has_zero(eight):  # type: ignore[no-untyped-def]
    """Whether one of eight bytes is 0 (Mycroft 1987)."""
    return ((eight - _ONES) & ~eight & _HIGHS) != 0


@inlined
def _word_key(points, narrow, start, end):  # type: ignore[no-untyped-def]
    """What tells a word from the others of its text: for points below 256 and up to eight of them
    the word itself, up to sixteen two numbers mixed, else `hash_points`."""
    size = end - start
    if size <= 8:
        left = np.uint64(8 * (8 - size))
        eight = eight_bytes(narrow, start)
        if not _has_zero(eight | ~(_EVERY >> left)):
            return eight & (_EVERY >> left)
    elif size <= 16:
        first, last = eight_bytes(narrow, start), eight_bytes(narrow, end - 8)
        if not (_has_zero(first) or _has_zero(last)):
            h = (first ^ np.uint64(size)) * PRIME_2
            h = (h ^ (h >> np.uint64(29)) ^ last) * PRIME_1
            return h ^ (h >> np.uint64(32))
    return hash_points(points, start, end)


@kernel
def number_words(  # type: ignore[no-untyped-def]
    points, narrow, starts, ends, count, records, lower, stops, stops_of_language, normalise, table
):
    """Number the distinct words, and those they become in lower case without edge punctuation.

    Args:
        narrow: uint8[...], of `decode`, and seven bytes more after the last.
        stops: uint64[...], `hash_points` of Gopher's stop words; stops_of_language likewise.
        normalise: whether to find what words become; else that is -1 for all.
        table: arrays to overwrite: tokens int32[count]; words int64[count, 5], the columns above;
            keys uint64[count] and slots int32[4 count + 32], exact and normalised.

    Returns:
        how many distinct words, and distinct normalised words.
    """
    tokens, words, keys, slots, normal_keys, normal_slots = table
    shift = clear_slots(slots, count)
    normal_shift = clear_slots(normal_slots, count if normalise else ZERO)
    distinct = 0
    normals = 0
    for w in range(count):
        start = np.int64(starts[w])
        end = np.int64(ends[w])
        key = _word_key(points, narrow, start, end)
        number = look_up(key, keys, slots, shift, distinct)
        tokens[w] = number
        if number < distinct:
            words[number, COUNT] += 1
            continue
        distinct += 1
        flags, first, last = _flags(points, start, end, records)
        words[number, COUNT] = 1
        words[number, LENGTH] = end - start
        if end - start <= _LONGEST_STOP:
            key = hash_points(points, start, end)
            if is_among(key, stops):
                flags |= STOP_EXACT
            if is_among(key, stops_of_language):
                flags |= STOP_LANGUAGE
        words[number, NORMAL] = -1
        words[number, NORMAL_LENGTH] = last - first
        if normalise and last > first:
            folded = hash_folded(points, first, last, lower)
            normal = look_up(folded, normal_keys, normal_slots, normal_shift, normals)
            normals += normal == normals
            words[number, NORMAL] = normal
            if is_among(folded, stops):
                flags |= STOP_NORMAL
                if last - first == end - start:
                    flags |= STOP_LOWER
        words[number, FLAGS] = flags
    return distinct, normals


@inlined
def _folded(point, lower):  # type: ignore[no-untyped-def]
    return np.uint64(lower[point]) if point < TABLE_SIZE else np.uint64(point)


@kernel
def hash_folded(points, start, end, lower):  # type: ignore[no-untyped-def]
    """`hash_points` of the lower case."""
    h = PRIME_1 ^ np.uint64(end - start)
    i = start
    while i + 1 < end:
        pair = _folded(points[i], lower) | (_folded(points[i + 1], lower) << np.uint64(32))
        h = (h ^ pair) * PRIME_2
        h ^= h >> np.uint64(29)
        i += 2
    if i < end:
        h = (h ^ _folded(points[i], lower)) * PRIME_2
    return (h ^ (h >> np.uint64(32))) * PRIME_1


@kernel
def _flags(points, start, end, records):  # type: ignore[no-untyped-def]
    """Flags of one word, and where it begins and ends without punctuation at its edges."""
    union = np.uint32(0)
    common = np.uint32(0xFFFFFFFF)
    for i in range(start, end):
        record = record_of(records, points[i])
        union |= record
        common &= record
    first, last = start, end
    while first < end and not record_of(records, points[first]) & WORD:
        first += 1
    while last > first and not record_of(records, points[last - 1]) & WORD:
        last -= 1
    flags = 0
    if union & ALNUM:
        flags |= REAL
    if union & LETTER:
        flags |= HAS_LETTER
    if union & ALPHA:
        flags |= HAS_ALPHA
    if (union & UPPER) and not (union & SMALL):
        flags |= CAPITALS
    if not common & PUNCTUATION:
        flags |= NOT_SYMBOL
    if record_of(records, points[start]) & ALNUM:
        flags |= BEGINS_ALNUM
    if union & MARK:
        if union & NOTED and _has_mark(points, start, end):
            flags |= HAS_MARK
        if _is_marks(points, start, end):
            flags |= MARKS_ONLY
    return flags, first, last


@kernel
def _has_mark(points, start, end):  # type: ignore[no-untyped-def]
    for i in range(start, end):
        if points[i] == _NUMBER_SIGN or points[i] == _ELLIPSIS:
            return True
    return False


@kernel
def _is_marks(points, start, end):  # type: ignore[no-untyped-def]
    """Whether a word is one of NeMo Curator 1.4's ellipsis marks, or more than half runs of '#'.

    Its ratio is runs of '#' a character, so only "#" and nothing longer passes one half; `a#` is
    just one half.
    """
    n = end - start
    runs = 0
    for i in range(start, end):
        if points[i] == _NUMBER_SIGN and (i == start or points[i - 1] != _NUMBER_SIGN):
            runs += 1
    if 2 * runs > n:
        return True
    # "...", "[...]", "(...)", "…", "[…]" and "-»"; two words cannot be one word.
    a, b = start, end
    if n > 2 and points[a] == 0x5B and points[b - 1] == 0x5D:
        a += 1
        b -= 1
    elif n == 5 and points[a] == 0x28 and points[b - 1] == 0x29:
        a += 1
        b -= 1
    if b - a == 1 and points[a] == _ELLIPSIS:
        return True
    if b - a == 3 and points[a] == 0x2E and points[a + 1] == 0x2E and points[a + 2] == 0x2E:
        return True
    return n == 2 and points[start] == 0x2D and points[start + 1] == 0xBB
