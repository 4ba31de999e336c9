"""What is measured of lines and paragraphs, in every convention that a rule set knows."""

import numpy as np

from llm_data_assets.kernel import inlined, kernel
from llm_data_assets.text.kernels import (
    NO,
    PRIME_1,
    PRIME_2,
    YES,
    ZERO,
    hash_points,
    is_among,
    is_space,
)
from llm_data_assets.text.kernels_numbers import clear_slots

_NEWLINE, _CR = 0x0A, 0x0D
_DOT, _ELLIPSIS, _SPACE = 0x2E, 0x2026, 0x20
SHORT_LINE = 30  # characters; FineWeb (Penedo et al. 2024)

# Sets of characters that begin a list item, and that end a line. RedPajama-v2's ten glyphs, with
# the ASCII ones that datatrove 0.10 and Dolma 1.2 count; then datatrove's, DCLM's and NeMo's own.
BULLETS = np.array(sorted(map(ord, "•‣▶◀◦■□▪▫–●*-")), np.uint32)
BULLETS_DCLM = np.array(sorted(map(ord, "●•*-")), np.uint32)
BULLETS_NEMO = np.array(sorted(map(ord, "•‣⁃⁌⁍∙○●◘◦⦾⦿")), np.uint32)
TERMINAL = np.array(sorted(map(ord, ".?!\"'。？！”’」』;；:：…")), np.uint32)
_END_MARKS = np.array(sorted(map(ord, ".?!\"'")), np.uint32)
_READ_MORE = np.array(list(map(ord, "read more")), np.uint32)
JAVASCRIPT = np.array(list(map(ord, "javascript")), np.uint32)

# How `split_lines` cuts.
AT_NEWLINE, AT_NEWLINES, AT_BREAK, AT_TWO_NEWLINES, AT_BLANK = map(np.int64, range(5))


@kernel
def split_lines(points, start, n, breaks, how, starts, ends):  # type: ignore[no-untyped-def]
    """Begin and end of every line or paragraph of points[start:n]; returns how many.

    AT_NEWLINE: str.split("\\n"). AT_TWO_NEWLINES: str.split("\\n\\n"). AT_NEWLINES:
    re.split("\\n+"). AT_BLANK: re.split("\\n{2,}"). AT_BREAK: str.splitlines().

    Args:
        breaks: int32[...], the places that `kernels.scan` found.
    """
    count = 0
    begin = np.int64(start)
    b = 0
    while b < len(breaks):
        i = np.int64(breaks[b])
        b += 1
        if i < begin or i >= n or (how != AT_BREAK and points[i] != _NEWLINE):
            continue
        width = np.int64(1)
        if how == AT_BREAK:
            width += points[i] == _CR and i + 1 < n and points[i + 1] == _NEWLINE
        elif how != AT_NEWLINE:
            while i + width < n and points[i + width] == _NEWLINE:
                width += 1
            if how == AT_TWO_NEWLINES:
                width = min(width, np.int64(2))
            if how != AT_NEWLINES and width < 2:
                continue
        starts[count] = begin
        ends[count] = i
        count += 1
        begin = i + width
    if how != AT_BREAK or begin < n:
        starts[count] = begin
        ends[count] = n
        count += 1
    return count


@kernel
def strip(points, start, end, records):  # type: ignore[no-untyped-def]
    """Begin and end of points[start:end] without white space around it."""
    while start < end and is_space(points[start], records):
        start += 1
    while end > start and is_space(points[end - 1], records):
        end -= 1
    return start, end


@inlined
def strip_line(points, starts, ends, k, records):  # type: ignore[no-untyped-def]
    """`strip` of points[starts[k]:ends[k]]."""
    return strip(points, np.int64(starts[k]), np.int64(ends[k]), records)


@kernel
def keep_stripped(points, starts, ends, count, records):  # type: ignore[no-untyped-def]
    """Strip every part in place and leave out the empty ones; returns how many are left."""
    kept = ZERO
    for k in range(count):
        start, end = strip_line(points, starts, ends, k, records)
        if end > start:
            starts[kept] = start
            ends[kept] = end
            kept += 1
    return kept


@kernel
def repeated(points, starts, ends, count, space):  # type: ignore[no-untyped-def]
    """How much of the parts repeats.

    Two parts are the same if their points are: a table finds those whose length and a few points
    agree. Where too many agree by chance (rows of a table), their whole hash goes into the key.

    Args:
        space: arrays to overwrite: keys uint64[>= count], slots int32[4 count + 32], counts and
            places int32[>= count].

    Returns:
        parts and characters that repeat an earlier part; parts and characters of all occurrences
        of what occurs twice or more; characters of all parts.
    """
    keys, slots, counts, places = space
    entries = _count_parts(points, starts, ends, count, keys, slots, counts, places, NO)
    if entries < 0:
        entries = _count_parts(points, starts, ends, count, keys, slots, counts, places, YES)
    characters = 0
    for k in range(count):
        characters += ends[k] - starts[k]
    later = 0
    later_characters = 0
    every = 0
    every_character = 0
    for e in range(entries):
        if counts[e] > 1:
            size = ends[places[e]] - starts[places[e]]
            later += counts[e] - 1
            later_characters += (counts[e] - 1) * size
            every += counts[e]
            every_character += counts[e] * size
    return later, later_characters, every, every_character, characters


@kernel
def _count_parts(points, starts, ends, count, keys, slots, counts, places, in_full):  # type: ignore[no-untyped-def]
    """Number of distinct parts, their `counts` and first `places`; -1 after too many mismatches."""
    shift = clear_slots(slots, count)
    mask = (np.uint64(1) << (np.uint64(64) - shift)) - np.uint64(1)
    entries = 0
    mismatches = 0
    for k in range(count):
        start, end = np.int64(starts[k]), np.int64(ends[k])
        key = hash_points(points, start, end) if in_full else _sample(points, start, end)
        place = key >> shift
        while slots[place] >= 0:
            found = slots[place]
            if keys[found] == key:
                if _same(points, starts[places[found]], ends[places[found]], start, end):
                    break
                mismatches += 1
            place = (place + np.uint64(1)) & mask
        if slots[place] < 0:
            slots[place] = entries
            keys[entries] = key
            counts[entries] = 0
            places[entries] = k
            entries += 1
        counts[slots[place]] += 1
        if mismatches > count + 64 and not in_full:
            return -1
    return entries


@kernel
def _sample(points, start, end):  # type: ignore[no-untyped-def]
    """A hash of a part's length and of five of its points."""
    size = end - start
    h = PRIME_1 ^ np.uint64(size)
    if size:
        for k in range(5):
            i = start + (size - 1) * k // 4
            h = (h ^ np.uint64(points[i])) * PRIME_2
            h ^= h >> np.uint64(29)
    return h * PRIME_1


@kernel
def _same(points, start, end, other, other_end):  # type: ignore[no-untyped-def]
    if end - start != other_end - other:
        return False
    for i in range(end - start):
        if points[start + i] != points[other + i]:
            return False
    return True


@kernel
def ends_with_dots(points, start, end):  # type: ignore[no-untyped-def]
    """Whether points[start:end] ends in "..." ."""
    return (
        end - start >= 3
        and points[end - 1] == _DOT
        and points[end - 2] == _DOT
        and points[end - 3] == _DOT
    )


@kernel
def ends_in_ellipsis(points, start, end):  # type: ignore[no-untyped-def]
    """Whether points[start:end] ends in "..." or "…"."""
    return end > start and (points[end - 1] == _ELLIPSIS or ends_with_dots(points, start, end))


@kernel
def find(points, start, end, needle):  # type: ignore[no-untyped-def]
    """Where `needle` (lower case, ASCII) first stands in points[start:end] in any case; or -1."""
    size = len(needle)
    first = needle[0]
    capital = first - 32 if 97 <= first <= 122 else first
    for i in range(start, end - size + 1):
        if points[i] == first or points[i] == capital:
            k = 1
            while k < size and _lower(points[i + k]) == needle[k]:
                k += 1
            if k == size:
                return i
    return -1


@inlined
def _lower(point):  # type: ignore[no-untyped-def]
    return point + 32 if 65 <= point <= 90 else point


@kernel
def _ends_in_nemo_ellipsis(points, start, end):  # type: ignore[no-untyped-def]
    """Whether a stripped line ends in one of NeMo Curator 1.4's ellipsis marks."""
    if ends_in_ellipsis(points, start, end):
        return True
    n = end - start
    if n >= 2 and points[end - 2] == 0x2D and points[end - 1] == 0xBB:
        return True
    if n >= 3 and points[end - 1] == 0x5D and points[end - 2] == _ELLIPSIS:
        return points[end - 3] == 0x5B
    if n >= 5 and (
        (points[end - 1] == 0x5D and points[end - 5] == 0x5B)
        or (points[end - 1] == 0x29 and points[end - 5] == 0x28)
    ):
        return ends_with_dots(points, start, end - 1)
    while end > start and n - (end - start) < 2 and points[end - 1] == _DOT:
        end -= 1
    trimmed = n - (end - start)
    if trimmed == 1 or end - start < 9:
        return False
    for k in range(9):
        if _lower(points[end - 9 + k]) != _READ_MORE[k]:
            return False
    return True


@kernel
def measure_lines(points, n, records, m, space, row):  # type: ignore[no-untyped-def]
    """The signals of LINE_SIGNALS (text.signals), into `row`; lines are stripped, blank ones not
    counted. `m` is the number of words."""
    starts, ends, table, breaks = space
    count = split_lines(points, ZERO, n, breaks, AT_NEWLINE, starts, ends)
    newlines = count - 1
    lines = keep_stripped(points, starts, ends, count, records)
    longest = 0
    ellipses = 0
    bullets = 0
    bullets_dclm = 0
    ellipses_dclm = 0
    terminal = 0
    short = 0
    javascript = 0
    for k in range(lines):
        start = np.int64(starts[k])
        end = np.int64(ends[k])
        longest = max(longest, end - start)
        is_ellipsis = ends_in_ellipsis(points, start, end)
        ellipses += is_ellipsis
        bullets += is_among(points[start], BULLETS)
        bullets_dclm += is_among(points[start], BULLETS_DCLM)
        ellipses_dclm += is_ellipsis or (
            end - start >= 5
            and points[end - 1] == _DOT
            and points[end - 2] == _SPACE
            and points[end - 3] == _DOT
            and points[end - 4] == _SPACE
            and points[end - 5] == _DOT
        )
        terminal += is_among(points[end - 1], TERMINAL)
        short += end - start <= SHORT_LINE
        javascript += find(points, start, end, JAVASCRIPT) >= 0
    later, later_characters, every, every_character, characters = repeated(
        points, starts, ends, lines, table
    )
    row[0] = lines
    row[1] = share(characters, lines)
    row[2] = longest
    row[3] = share(ellipses, lines)
    row[4] = share(bullets, lines)
    row[5] = share(terminal, lines)
    row[6] = share(short, lines)
    row[7] = share(newlines, m)
    row[8] = share(later, lines)
    row[9] = share(later_characters, characters)
    row[12] = javascript
    # DCLM: all occurrences; one line alone is no repetition.
    row[13] = share(bullets_dclm, lines)
    row[14] = share(ellipses_dclm, lines)
    row[15] = share(every, lines) if lines > 1 else 0.0
    row[16] = share(every_character, characters) if lines > 1 else 0.0
    count = _paragraphs(points, n, records, breaks, starts, ends)
    later, later_characters, every, every_character, characters = repeated(
        points, starts, ends, count, table
    )
    row[10] = share(later, count)
    row[11] = share(later_characters, characters)
    count = split_lines(points, ZERO, n, breaks, AT_TWO_NEWLINES, starts, ends)
    count = keep_stripped(points, starts, ends, count, records)
    later, later_characters, every, every_character, characters = repeated(
        points, starts, ends, count, table
    )
    row[17] = share(every, count) if count > 1 else 0.0
    row[18] = share(every_character, characters) if count > 1 else 0.0


@kernel
def _paragraphs(points, n, records, breaks, starts, ends):  # type: ignore[no-untyped-def]
    """Runs of lines that are not blank, stripped as a whole; returns how many."""
    lines = split_lines(points, ZERO, n, breaks, AT_NEWLINE, starts, ends)
    count = ZERO
    is_open = False
    for k in range(lines):
        first, last = strip_line(points, starts, ends, k, records)
        if last > first:
            if not is_open:
                starts[count] = first
                count += 1
                is_open = True
            ends[count - 1] = last
        else:
            is_open = False
    return count


@kernel
def measure_lines_datatrove(points, n, records, space, row):  # type: ignore[no-untyped-def]
    """Bullet and ellipsis lines and repetition as datatrove 0.10 counts them, into row[:6]."""
    starts, ends, table, breaks = space
    count = split_lines(points, ZERO, n, breaks, AT_BREAK, starts, ends)
    bullets = 0
    ellipses = 0
    for k in range(count):
        start, end = strip_line(points, starts, ends, k, records)
        if end > start:
            bullets += points[start] == 0x2022 or points[start] == 0x2D
            ellipses += ends_in_ellipsis(points, start, end)
    row[0] = share(bullets, count)
    row[1] = share(ellipses, count)
    start, end = strip(points, ZERO, n, records)
    count = split_lines(points, start, end, breaks, AT_BLANK, starts, ends)
    later, characters, _, _, _ = repeated(points, starts, ends, count, table)
    row[2] = share(later, count)
    row[3] = share(characters, n)
    count = split_lines(points, ZERO, n, breaks, AT_NEWLINES, starts, ends)
    later, characters, _, _, _ = repeated(points, starts, ends, count, table)
    row[4] = share(later, count)
    row[5] = share(characters, n)


@kernel
def measure_lines_raw(points, n, records, n_word_characters, space, dolma, nemo):  # type: ignore[no-untyped-def]
    """Lines as Dolma 1.2 (row[:4]) and NeMo Curator 1.4 (row[:7]) count them: not stripped."""
    starts, ends, table, breaks = space
    count = split_lines(points, ZERO, n, breaks, AT_NEWLINE, starts, ends)
    bullets = 0
    ellipses = 0
    for k in range(count):
        if ends[k] > starts[k]:
            bullets += points[starts[k]] == 0x2A or points[starts[k]] == 0x2D
            ellipses += points[ends[k] - 1] == _ELLIPSIS
    _, _, every, every_character, _ = repeated(points, starts, ends, count, table)
    dolma[0] = share(bullets, count)
    dolma[1] = share(ellipses, count)
    dolma[2] = share(every, count)
    dolma[3] = share(every_character, n_word_characters)
    lines = ZERO
    bullets = 0
    ellipses = 0
    unended = 0
    for k in range(count):
        start, end = strip_line(points, starts, ends, k, records)
        if end > start:
            starts[lines] = starts[k]
            ends[lines] = ends[k]
            lines += 1
            bullets += is_among(points[start], BULLETS_NEMO)
            ellipses += _ends_in_nemo_ellipsis(points, start, end)
            unended += not is_among(points[end - 1], _END_MARKS)
    later, later_characters, _, _, characters = repeated(points, starts, ends, lines, table)
    nemo[0] = share(bullets, lines)
    nemo[1] = share(ellipses, lines)
    nemo[2] = share(unended, lines)
    nemo[3] = share(later, lines)
    nemo[4] = share(later_characters, characters)
    count = split_lines(points, ZERO, n, breaks, AT_TWO_NEWLINES, starts, ends)
    later, later_characters, _, _, characters = repeated(points, starts, ends, count, table)
    nemo[5] = share(later, count)
    nemo[6] = share(later_characters, characters)


@inlined
def share(part, whole):  # type: ignore[no-untyped-def]
    """part / whole; 0 of nothing."""
    return np.float64(part) / np.float64(whole) if whole else 0.0
