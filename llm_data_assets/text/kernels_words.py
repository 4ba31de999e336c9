"""What is measured of characters and words, in every convention that a rule set knows."""

import numpy as np

from llm_data_assets.kernel import allocating, kernel
from llm_data_assets.text.characters import ALNUM, DECIMAL, SPACE, STOP, UPPER
from llm_data_assets.text.kernels import ZERO, record_of
from llm_data_assets.text.kernels_lines import find, share
from llm_data_assets.text.kernels_numbers import (
    BEGINS_ALNUM,
    CAPITALS,
    COUNT,
    FLAGS,
    HAS_ALPHA,
    HAS_LETTER,
    HAS_MARK,
    LENGTH,
    MARKS_ONLY,
    NORMAL,
    NOT_SYMBOL,
    REAL,
    STOP_EXACT,
    STOP_LANGUAGE,
    STOP_LOWER,
    STOP_NORMAL,
    clear_slots,
    look_up,
)

_LOREM_IPSUM = np.array(list(map(ord, "lorem ipsum")), np.uint32)
_GRAM = 3  # characters
# The share of repeated characters grows with length: 0.1 at a thousand, 0.5 at 200,000 in clean
# Chinese. It is measured where every document can be compared.
REPETITION_CHARACTERS = np.int64(2_000)
_LONGEST = 64  # characters: word lengths from here on count as one for the median


@kernel
def count_marks(points, noted, marks):  # type: ignore[no-untyped-def]
    """How often "#", "...", ". . ." and "…" occur, as str.count counts, into marks[:4].

    Args:
        noted: int32[...], the places that `kernels.scan` found.
    """
    marks[:] = 0
    dots_from = 0
    spaced_from = 0
    for k in range(len(noted)):
        i = np.int64(noted[k])
        point = points[i]
        if point == 0x2E:
            if i >= dots_from + 2 and points[i - 1] == 0x2E and points[i - 2] == 0x2E:
                marks[1] += 1
                dots_from = i + 1
            elif (
                i >= spaced_from + 4
                and points[i - 1] == 0x20
                and points[i - 2] == 0x2E
                and points[i - 3] == 0x20
                and points[i - 4] == 0x2E
            ):
                marks[2] += 1
                spaced_from = i + 1
        elif point == 0x23:
            marks[0] += 1
        elif point == 0x2026:
            marks[3] += 1


@kernel
def measure_characters(points, n, records, keys, slots, row):  # type: ignore[no-untyped-def]
    """The signals of _CHARACTER_SIGNALS (text.signals), into `row`."""
    alnum = 0
    upper = 0
    decimal = 0
    space = 0
    lost = 0
    curly = 0
    sentences = 0
    is_open = 0
    has_text = 0
    for i in range(n):
        point = points[i]
        record = record_of(records, point)
        alnum += (record & ALNUM) != 0
        upper += (record & UPPER) != 0
        decimal += (record & DECIMAL) != 0
        is_space = np.int64((record & SPACE) != 0)
        space += is_space
        goes_on = np.int64((record & STOP) == 0)
        sentences += is_open & (1 - goes_on)
        is_open = goes_on
        has_text = goes_on & (has_text | (1 - is_space))
        curly += (point == 0x7B) | (point == 0x7D)
        lost += point == 0xFFFD
    sentences += is_open & has_text
    lorem = 0
    at = find(points, ZERO, n, _LOREM_IPSUM)
    while at >= 0:
        lorem += 1
        at = find(points, at + len(_LOREM_IPSUM), n, _LOREM_IPSUM)
    row[0] = n
    row[1] = sentences
    row[2] = share(curly, n)
    row[3] = lorem
    row[4] = _character_repetition(points, n, records, keys, slots)
    row[5] = share(alnum, n)
    row[6] = share(lost, n)
    row[7] = share(upper, n)
    row[8] = share(decimal, n)
    row[9] = share(space, n)


@kernel
def _character_repetition(points, n, records, keys, slots):  # type: ignore[no-untyped-def]
    """1 - distinct / all 3-grams of the first 2,000 characters, white space left out."""
    shift = clear_slots(slots, REPETITION_CHARACTERS)
    grams = 0
    distinct = 0
    first = second = np.uint64(0)
    dense = 0
    for i in range(min(n, 2 * REPETITION_CHARACTERS)):
        if record_of(records, points[i]) & SPACE:
            continue
        third = np.uint64(points[i])
        dense += 1
        if dense >= _GRAM:
            grams += 1
            # Three code points of 21 bits are one number.
            key = (first << np.uint64(42)) | (second << np.uint64(21)) | third
            distinct += look_up(key, keys, slots, shift, distinct) == distinct
        first, second = second, third
        if dense == REPETITION_CHARACTERS:
            break
    return 1.0 - np.float64(distinct) / grams if grams else 0.0


@allocating
def measure_words(words, distinct, normals, m, marks, normal_counts, row, split):  # type: ignore[no-untyped-def]
    """The signals of WORD_SIGNALS into `row` and of SPLIT_SIGNALS (text.signals) into `split`."""
    real = 0
    real_characters = 0
    letters = 0
    capitals = 0
    stops = 0
    stops_distinct = 0
    exact = 0
    lowered = 0
    alphabetic = 0
    characters = 0
    with_mark = 0
    marks_only = 0
    begins_alnum = 0
    real_normals = 0
    of_language = 0
    normal_counts[:normals] = 0
    lengths = np.zeros(_LONGEST + 1, np.int64)
    for w in range(distinct):
        count = words[w, COUNT]
        flags = words[w, FLAGS]
        size = words[w, LENGTH]
        characters += count * size
        lengths[min(size, _LONGEST)] += count
        letters += count * ((flags & HAS_LETTER) != 0)
        capitals += count * ((flags & CAPITALS) != 0)
        alphabetic += count * ((flags & HAS_ALPHA) != 0)
        with_mark += count * ((flags & HAS_MARK) != 0)
        marks_only += count * ((flags & MARKS_ONLY) != 0)
        begins_alnum += count * ((flags & BEGINS_ALNUM) != 0)
        exact += count * ((flags & STOP_EXACT) != 0)
        lowered += count * ((flags & STOP_LOWER) != 0)
        of_language += (flags & STOP_LANGUAGE) != 0
        if flags & REAL:
            real += count
            real_characters += count * size
            if normal_counts[words[w, NORMAL]] == 0:
                real_normals += 1
                stops_distinct += (flags & STOP_NORMAL) != 0
            normal_counts[words[w, NORMAL]] += count
            stops += count * ((flags & STOP_NORMAL) != 0)
    entropy = 0.0
    for k in range(normals):
        if normal_counts[k]:
            p = np.float64(normal_counts[k]) / real
            entropy -= p * np.log(p)
    row[0] = real
    row[1] = share(real_characters, real)
    row[2] = share(marks[0] + marks[1] + marks[3], m)
    row[3] = share(m - letters, m)
    row[4] = share(real_normals, real)
    row[5] = entropy
    row[6] = share(capitals, m)
    row[7] = share(stops, real)
    row[8] = stops_distinct
    split[0] = m
    split[1] = begins_alnum
    split[2] = share(characters, m)
    split[3] = _median(lengths, m)
    split[4] = share(alphabetic, m)
    split[5] = share(with_mark, m)
    split[6] = share(marks_only, m)
    split[7] = share(marks[0] + marks[1] + marks[2] + marks[3], m)
    split[8] = exact
    split[9] = lowered
    split[10] = of_language
    return characters


@kernel
def _median(lengths, m):  # type: ignore[no-untyped-def]
    if m == 0:
        return 0.0
    before = 0
    low = -1
    for size in range(len(lengths)):
        before += lengths[size]
        if low < 0 and 2 * before >= m:
            low = size
        if 2 * before > m:
            return (low + size) / 2.0
    return np.float64(_LONGEST)


@kernel
def measure_words_datatrove(words, distinct, m, marks, row):  # type: ignore[no-untyped-def]
    """What datatrove 0.10's Gopher filter counts of its words, into row[:7]."""
    real = 0
    real_characters = 0
    alphabetic = 0
    stops = 0
    of_language = 0
    for w in range(distinct):
        count = words[w, COUNT]
        flags = words[w, FLAGS]
        if flags & NOT_SYMBOL:
            real += count
            real_characters += count * words[w, LENGTH]
        alphabetic += count * ((flags & HAS_ALPHA) != 0)
        stops += (flags & STOP_EXACT) != 0
        of_language += (flags & STOP_LANGUAGE) != 0
    row[0] = real
    row[1] = share(real_characters, real)
    row[2] = share(marks[0], m)
    row[3] = share(marks[1] + marks[3], m)
    row[4] = share(alphabetic, m)
    row[5] = stops
    row[6] = of_language
