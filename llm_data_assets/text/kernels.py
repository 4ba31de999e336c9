"""Texts to characters, words and word numbers, straight over Arrow's UTF-8 buffers.

The kernels of this room work on one document at a time: its code points (`decode`), where its
words begin and end (`find_words`), and a number for each distinct word, exact and normalised
(`number_words`). What is counted over them is in `kernels_words`, `kernels_lines`,
`kernels_ngrams` and `kernels_c4`; `text.reference` says the same in plain Python.
"""

import numpy as np
from numba import njit

from llm_data_assets.text.characters import (
    ALNUM,
    ALPHA,
    BREAK,
    DECIMAL,
    EXTENDS,
    HAN,
    KATAKANA,
    LEADING_VOWEL,
    LETTER,
    MARK,
    NOTED,
    PUNCTUATION,
    SMALL,
    SPACE,
    TABLE_SIZE,
    THAI,
    UNSPACED,
    UPPER,
    WORD,
)
from llm_data_assets.text.stop_words import BY_LANGUAGE, GOPHER

# Odd 64-bit constants: XXH64's primes 1 and 2 (xxHash specification 0.1.1).
PRIME_1 = np.uint64(0x9E3779B185EBCA87)
PRIME_2 = np.uint64(0xC2B2AE3D27D4EB4F)

# Numba compiles a kernel, and all it calls, once more for each literal that another kernel calls it
# with, for int32 beside int64, and for what a variable holds before a loop has changed its type.
# So numbers that kernels hand on have a type from the start: these, and casts where they are read.
ZERO, YES, NO = np.int64(0), np.bool_(True), np.bool_(False)

# How the words of a document are found.
BY_SPACE, GIVEN, BY_SCRIPT = map(np.uint8, range(3))

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
_FIRST_UNSPACED = 0x0E00  # Thai


@njit(nogil=True, cache=True)
def decode(data, start, end, points, narrow):  # type: ignore[no-untyped-def]
    """Code points of data[start:end], valid UTF-8; returns how many.

    Args:
        points: uint32[>= end - start], overwritten; narrow: uint8 likewise, with the points below
            256 and 0 for the others.
    """
    n = 0
    i = start
    while i < end:
        byte = data[i]
        point = np.uint32(byte)
        if byte < 0x80:
            i += 1
        elif byte < 0xE0:
            point = (np.uint32(byte & 0x1F) << 6) | (data[i + 1] & 0x3F)
            i += 2
        elif byte < 0xF0:
            point = (
                (np.uint32(byte & 0x0F) << 12)
                | (np.uint32(data[i + 1] & 0x3F) << 6)
                | (data[i + 2] & 0x3F)
            )
            i += 3
        else:
            point = (
                (np.uint32(byte & 0x07) << 18)
                | (np.uint32(data[i + 1] & 0x3F) << 12)
                | (np.uint32(data[i + 2] & 0x3F) << 6)
                | (data[i + 3] & 0x3F)
            )
            i += 4
        points[n] = point
        narrow[n] = point if point < 0x100 else 0
        n += 1
    return n


@njit(nogil=True, cache=True, inline="always")
def record_of(records, point):  # type: ignore[no-untyped-def]
    """A character's record; 0 past the table."""
    return records[point] if point < TABLE_SIZE else np.uint32(0)


@njit(nogil=True, cache=True, inline="always")
def is_among(value, values):  # type: ignore[no-untyped-def]
    """Whether a number is one of a few."""
    found = False
    for k in range(len(values)):
        found |= values[k] == value
    return found


@njit(nogil=True, cache=True)
def hash_points(points, start, end):  # type: ignore[no-untyped-def]
    """64-bit hash of points[start:end], two at a time."""
    h = PRIME_1 ^ np.uint64(end - start)
    i = start
    while i + 1 < end:
        h = (h ^ (np.uint64(points[i]) | (np.uint64(points[i + 1]) << np.uint64(32)))) * PRIME_2
        h ^= h >> np.uint64(29)
        i += 2
    if i < end:
        h = (h ^ np.uint64(points[i])) * PRIME_2
    return (h ^ (h >> np.uint64(32))) * PRIME_1


@njit(nogil=True, cache=True)
def scan(points, n, records, starts, ends, noted, breaks, before):  # type: ignore[no-untyped-def]
    """One pass over points[:n]: words between spaces, marks and line breaks.

    Args:
        starts, ends: int32[> n / 2 + 1], begin and end of each word, as str.split has them.
        noted: int32[> n], where the characters of the class NOTED stand.
        breaks: int32[...], where str.splitlines cuts; before: int32[..., 2], how many words and
            noted characters stand before each. What does not fit is only counted.

    Returns:
        how many words, noted characters and breaks.
    """
    count = 0
    opened = 0
    marks = 0
    lines = 0
    inside = False
    # Words and marks are written at every character and counted where they are true: what a
    # branch would cost, mispredicted once a word, is several times the loop.
    for i in range(n):
        record = record_of(records, points[i])
        is_word = (record & SPACE) == 0
        starts[opened] = i
        ends[count] = i
        noted[marks] = i
        opened += is_word & (not inside)
        count += inside & (not is_word)
        marks += (record & NOTED) != 0
        if record & BREAK:
            if lines < len(breaks):
                breaks[lines] = i
                before[lines, 0] = opened
                before[lines, 1] = marks
            lines += 1
        inside = is_word
    if inside:
        ends[count] = n
        count += 1
    return count, marks, lines


@njit(nogil=True, cache=True)
def find_words(points, n, records, mode, starts, ends):  # type: ignore[no-untyped-def]
    """Begin and end of each word of points[:n]; returns how many.

    BY_SPACE splits as str.split does. BY_SCRIPT splits what stands between spaces again, where
    it has characters of a script without spaces: a run of Han or of katakana is a word; Thai is
    cut before the vowels that begin a syllable; else each character is one, with its marks.
    """
    count = 0
    opened = 0
    inside = False
    high = False
    # Without branches, as `scan`.
    for i in range(n):
        point = points[i]
        is_word = (record_of(records, point) & SPACE) == 0
        high |= point >= _FIRST_UNSPACED
        starts[opened] = i
        ends[count] = i
        opened += is_word & (not inside)
        count += inside & (not is_word)
        inside = is_word
    if inside:
        ends[count] = n
        count += 1
    if mode == BY_SCRIPT and high:
        return _split_words(points, records, starts, ends, count)
    return count


@njit(nogil=True, cache=True)
def _split_words(points, records, starts, ends, words):  # type: ignore[no-untyped-def]
    """Split, in place, those of the words between spaces that have characters without spaces."""
    spans = np.empty((words, 2), np.int32)
    for w in range(words):
        spans[w, 0] = starts[w]
        spans[w, 1] = ends[w]
    count = ZERO
    for w in range(words):
        start, end = np.int64(spans[w, 0]), np.int64(spans[w, 1])
        if _is_unspaced(points, start, end, records):
            count = _split_by_script(points, start, end, records, starts, ends, count)
        else:
            starts[count] = start
            ends[count] = end
            count += 1
    return count


@njit(nogil=True, cache=True, inline="always")
def is_space(point, records):  # type: ignore[no-untyped-def]
    """Whether str.split splits at a character; most are printable ASCII, and told by that."""
    return not (0x20 < point < 0x80) and (record_of(records, point) & SPACE) != 0


@njit(nogil=True, cache=True)
def _is_unspaced(points, start, end, records):  # type: ignore[no-untyped-def]
    for i in range(start, end):
        if record_of(records, points[i]) & UNSPACED:
            return True
    return False


@njit(nogil=True, cache=True)
def _split_by_script(points, start, end, records, starts, ends, count):  # type: ignore[no-untyped-def]
    script = np.uint32(HAN | KATAKANA | THAI)
    at = start
    while at < end:
        first = record_of(records, points[at])
        kind = first & script
        is_plain = (first & ALNUM) != 0 and (first & UNSPACED) == 0
        to = at + 1
        while to < end:
            record = record_of(records, points[to])
            if record & EXTENDS:
                to += 1
            elif kind != 0 and (record & script) == kind and (record & LEADING_VOWEL) == 0:
                to += 1
            elif is_plain and (record & ALNUM) != 0 and (record & UNSPACED) == 0:
                to += 1
            else:
                break
        starts[count] = at
        ends[count] = to
        count += 1
        at = to
    return count


@njit(nogil=True, cache=True)
def clear_slots(slots, entries):  # type: ignore[no-untyped-def]
    """Empty a hash table for `entries` entries; returns the shift that its places need."""
    bits = 4
    while (1 << bits) < 2 * entries:
        bits += 1
    slots[: 1 << bits] = -1
    return np.uint64(64 - bits)


@njit(nogil=True, cache=True, inline="always")
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


@njit(nogil=True, cache=True, inline="always")
def _eight(packed, i):  # type: ignore[no-untyped-def]
    """Eight bytes from byte i on, as one number; packed: uint64[...]."""
    place = np.uint64(i) >> np.uint64(3)
    shift = (np.uint64(i) & np.uint64(7)) << np.uint64(3)
    # Two shifts, as one by 64 is undefined.
    high = (packed[place + np.uint64(1)] << np.uint64(1)) << (np.uint64(63) - shift)
    return (packed[place] >> shift) | high


@njit(nogil=True, cache=True, inline="always")
def _has_zero(eight):  # type: ignore[no-untyped-def]
    """Whether one of eight bytes is 0 (Mycroft 1987)."""
    return ((eight - _ONES) & ~eight & _HIGHS) != 0


@njit(nogil=True, cache=True, inline="always")
def _word_key(points, packed, start, end):  # type: ignore[no-untyped-def]
    """What tells a word from the others of its text: for points below 256 and up to eight of them
    the word itself, up to sixteen two numbers mixed, else `hash_points`."""
    size = end - start
    if size <= 8:
        left = np.uint64(8 * (8 - size))
        eight = _eight(packed, start)
        if not _has_zero(eight | ~(_EVERY >> left)):
            return eight & (_EVERY >> left)
    elif size <= 16:
        first, last = _eight(packed, start), _eight(packed, end - 8)
        if not (_has_zero(first) or _has_zero(last)):
            h = (first ^ np.uint64(size)) * PRIME_2
            h = (h ^ (h >> np.uint64(29)) ^ last) * PRIME_1
            return h ^ (h >> np.uint64(32))
    return hash_points(points, start, end)


@njit(nogil=True, cache=True)
def number_words(
    points, packed, starts, ends, count, records, lower, stops, stops_of_language, normalise, table
):  # type: ignore[no-untyped-def]
    """Number the distinct words, and those they become in lower case without edge punctuation.

    Args:
        packed: uint64[...], the bytes that `decode` calls narrow, eight in one, and one number
            more after the last.
        stops: uint64[...], `hash_points` of Gopher's stop words; stops_of_language likewise.
        normalise: whether to find what words become; else that is -1 for all.
        table: arrays to overwrite: tokens int32[count]; words int64[count, 5], the columns above;
            keys uint64[count] and slots int32[4 count + 32], exact and normalised.

    Returns:
        how many distinct words, and distinct normalised words.
    """
    tokens, words, keys, slots, normal_keys, normal_slots = table
    shift = clear_slots(slots, count)
    normal_shift = clear_slots(normal_slots, count)
    distinct = 0
    normals = 0
    for w in range(count):
        start = np.int64(starts[w])
        end = np.int64(ends[w])
        key = _word_key(points, packed, start, end)
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


@njit(nogil=True, cache=True, inline="always")
def _folded(point, lower):  # type: ignore[no-untyped-def]
    return np.uint64(lower[point]) if point < TABLE_SIZE else np.uint64(point)


@njit(nogil=True, cache=True)
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


@njit(nogil=True, cache=True)
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


@njit(nogil=True, cache=True)
def _has_mark(points, start, end):  # type: ignore[no-untyped-def]
    for i in range(start, end):
        if points[i] == _NUMBER_SIGN or points[i] == _ELLIPSIS:
            return True
    return False


@njit(nogil=True, cache=True)
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


@njit(nogil=True, cache=True)
def word_parts(points, n, records, starts, ends):  # type: ignore[no-untyped-def]
    """Words of Unicode's default segmentation (UAX #29) that begin with a letter or digit.

    Letters, digits, marks and underscores stay together; so do letters around ' ’ . : · and
    digits around . , ' ’ ;. A Han or hiragana character is a word of its own.
    """
    count = 0
    i = 0
    while i < n:
        record = record_of(records, points[i])
        if not (record & (ALNUM | EXTENDS) or points[i] == 0x5F):
            i += 1
            continue
        start = i
        begins = record & ALNUM
        if (record & UNSPACED) and not (record & KATAKANA):
            i += 1
            while i < n and record_of(records, points[i]) & EXTENDS:
                i += 1
        else:
            i += 1
            while i < n:
                record = record_of(records, points[i])
                if (record & UNSPACED) and not (record & (KATAKANA | EXTENDS)):
                    break
                if record & (ALNUM | EXTENDS) or points[i] == 0x5F:
                    i += 1
                elif i + 1 < n and _joins(
                    points[i],
                    record_of(records, points[i - 1]),
                    record_of(records, points[i + 1]),
                ):
                    i += 2
                else:
                    break
        if begins:
            starts[count] = start
            ends[count] = i
            count += 1
    return count


@njit(nogil=True, cache=True)
def _joins(point, before, after):  # type: ignore[no-untyped-def]
    """Whether a mark stands inside a word or number."""
    in_both = point == 0x27 or point == 0x2019 or point == 0x2E
    if (before & ALPHA) and (after & ALPHA) and not (after & UNSPACED):
        return in_both or point == 0x3A or point == 0xB7
    if (before & DECIMAL) and (after & DECIMAL):
        return in_both or point == 0x2C or point == 0x3B
    return False
