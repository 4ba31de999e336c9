"""Texts to characters and words, straight over Arrow's UTF-8 buffers.

The kernels of this room work on one document at a time: its code points (`decode`), where its
words begin and end (`find_words`). `kernels_numbers` gives each distinct word a number; what is
counted over them is in `kernels_words`, `kernels_lines`, `kernels_ngrams`, `kernels_c4`,
`kernels_fineweb` and `kernels_dclm`. `text.reference` says the same in plain Python.
"""

import numpy as np

from llm_data_assets.kernel import allocating, inlined, kernel
from llm_data_assets.text.characters import (
    ALNUM,
    ALPHA,
    BREAK,
    EXTENDS,
    HAN,
    KATAKANA,
    LEADING_VOWEL,
    NOTED,
    SPACE,
    TABLE_SIZE,
    THAI,
    UNSPACED,
)

# Odd 64-bit constants: XXH64's primes 1 and 2 (xxHash specification 0.1.1).
PRIME_1 = np.uint64(0x9E3779B185EBCA87)
PRIME_2 = np.uint64(0xC2B2AE3D27D4EB4F)

# Numba compiles a kernel, and all it calls, once more for each literal that another kernel calls it
# with, for int32 beside int64, and for what a variable holds before a loop has changed its type.
# So numbers that kernels hand on have a type from the start: these, and casts where they are read.
ZERO, YES, NO = np.int64(0), np.bool_(True), np.bool_(False)

# How the words of a document are found.
BY_SPACE, GIVEN, BY_SCRIPT = map(np.uint8, range(3))

_FIRST_UNSPACED = 0x0E00  # Thai
_NOT_ASCII = np.uint64(0x8080808080808080)  # of eight bytes


@kernel
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
            eight = eight_bytes(data, i) if i + 8 <= end else _NOT_ASCII
            if not eight & _NOT_ASCII:
                for k in range(8):
                    points[n + k] = (eight >> np.uint64(8 * k)) & np.uint64(0xFF)
                # A loop of its own, which becomes one store.
                for k in range(8):
                    narrow[n + k] = eight >> np.uint64(8 * k)
                i += 8
                n += 8
                continue
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


@inlined
def eight_bytes(data, i):  # type: ignore[no-untyped-def]
    """Bytes i to i + 7 as one number, which LLVM loads at once."""
    eight = np.uint64(data[i])
    eight |= np.uint64(data[i + 1]) << np.uint64(8)
    eight |= np.uint64(data[i + 2]) << np.uint64(16)
    eight |= np.uint64(data[i + 3]) << np.uint64(24)
    eight |= np.uint64(data[i + 4]) << np.uint64(32)
    eight |= np.uint64(data[i + 5]) << np.uint64(40)
    eight |= np.uint64(data[i + 6]) << np.uint64(48)
    return eight | np.uint64(data[i + 7]) << np.uint64(56)


@inlined
def record_of(records, point):  # type: ignore[no-untyped-def]
    """A character's record; 0 past the table."""
    return records[point] if point < TABLE_SIZE else np.uint32(0)


@inlined
def is_among(value, values):  # type: ignore[no-untyped-def]
    """Whether a number is one of a few."""
    found = False
    for k in range(len(values)):
        found |= values[k] == value
    return found


@kernel
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


@kernel
def scan(points, n, records, starts, ends, others, noted, breaks, before):  # type: ignore[no-untyped-def]
    """One pass over points[:n]: words between spaces, marks and line breaks.

    Args:
        starts, ends: int32[> n / 2 + 1], begin and end of each word, as str.split has them.
        others: int32[> n / 2 + 1], characters of words up to each word's end that are no letters.
        noted: int32[> n], where the characters of the class NOTED stand.
        breaks: int32[...], where str.splitlines cuts; before: int32[..., 2], how many words and
            noted characters stand before each. What does not fit is only counted.

    Returns:
        how many words, noted characters and breaks.
    """
    count = 0
    opened = 0
    marks = 0
    other = 0
    lines = 0
    inside = False
    # Words and marks are written at every character and counted where they are true: what a
    # branch would cost, mispredicted once a word, is several times the loop.
    for i in range(n):
        record = record_of(records, points[i])
        is_word = (record & SPACE) == 0
        starts[opened] = i
        ends[count] = i
        others[count] = other
        noted[marks] = i
        opened += is_word & (not inside)
        count += inside & (not is_word)
        other += is_word & ((record & ALPHA) == 0)
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
        others[count] = other
        count += 1
    return count, marks, lines


@allocating
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


@allocating
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


@inlined
def is_space(point, records):  # type: ignore[no-untyped-def]
    """Whether str.split splits at a character; most are printable ASCII, and told by that."""
    return not (0x20 < point < 0x80) and (record_of(records, point) & SPACE) != 0


@kernel
def _is_unspaced(points, start, end, records):  # type: ignore[no-untyped-def]
    for i in range(start, end):
        if record_of(records, points[i]) & UNSPACED:
            return True
    return False


@kernel
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
