"""Words much as spaCy 3.8's rule-based tokenizers cut them: datatrove's default.

Punctuation is cut off both ends of what stands between spaces, clitics are cut off, and words are
cut at hyphens, slashes and commas inside. Web addresses and abbreviations stay whole. Where a
language's tokenizer does otherwise, its bits say so. What is not done: spaCy's special cases
(1,300 in English: emoticons, "gonna", times of day; abbreviations of other languages) and its
rarer units after numbers. `docs/dialects.md` has the agreement.
"""

import numpy as np

from llm_data_assets.kernel import inlined, kernel
from llm_data_assets.text.characters import (
    ALNUM,
    ALPHA,
    CURRENCY,
    DECIMAL,
    EDGE,
    QUOTE,
    SMALL,
    UPPER,
)
from llm_data_assets.text.kernels import ZERO, is_among, is_space, record_of
from llm_data_assets.text.kernels_numbers import hash_folded

# How a language's tokenizer cuts (spacy/lang/*/punctuation.py): bits; 0 is not at all.
# CLITICS: n't, 'll and the like; POSSESSIVE: 's; ELISION: after an apostrophe between letters.
# JOINED: a hyphen between letters does not cut; JOINED_CAPITALS: before a capital letter it does
# not; JOINED_DIGITS: between digits. ORDINALS: a full stop stays with its number; STOPS: with all
# but capital letters and letters without case. Only English, of CLITICS, cuts `32-bit`.
TOKENS, CLITICS, POSSESSIVE, ELISION = 1, 2, 4, 8
JOINED, JOINED_CAPITALS, JOINED_DIGITS, ORDINALS, STOPS = 16, 32, 64, 128, 256
CUTS_OF_LANGUAGE = {
    "ar": TOKENS | STOPS,
    "en": TOKENS | CLITICS | POSSESSIVE,
    "de": TOKENS | JOINED | ORDINALS,
    "es": TOKENS | JOINED | JOINED_DIGITS,
    "fr": TOKENS | ELISION,
    "it": TOKENS | POSSESSIVE | ELISION | JOINED_CAPITALS,
    "pt": TOKENS | POSSESSIVE | JOINED | JOINED_DIGITS,
}
CUTS = TOKENS | POSSESSIVE  # of spaCy's other languages

_DOT, _HYPHEN, _PERCENT = 0x2E, 0x2D, 0x25
_UNITS = np.array([ord(each) for each in "GKMTgmt"], np.uint32)
_LONG_UNITS = np.array(
    [
        (ord(unit[0]) << 8) | ord(unit[1])
        for unit in "GB KB MB TB cm dm gb kb kg km mb mg mm nm tb".split()
    ],
    np.uint32,
)
_LONGEST_ABBREVIATION = 6  # characters; "messrs." is no loss


@kernel
def find_tokens(points, words, records, lower, abbreviations, cuts, starts, ends, before):  # type: ignore[no-untyped-def]
    """Begin and end of every token of a text; returns how many.

    Args:
        words: of `kernels.scan`, begins and ends of the words between spaces, how many, and the
            characters so far that are no letters.
        abbreviations: uint64[...], `hash_points` in lower case, full stop included.
        cuts: bits of the text's language, as above.
        starts, ends: int32[>= n + 2], overwritten.
        before: int32[> how many words], overwritten: tokens before each word, and all.
    """
    word_starts, word_ends, m, others = words
    count = ZERO
    other = np.int32(0)
    for w in range(m):
        begin = np.int64(word_starts[w])
        i = np.int64(word_ends[w])
        before[w] = count
        marks = others[w] - other
        other = others[w]
        last = record_of(records, points[i - 1])
        # Most words are letters, or letters and one mark at the end.
        if marks == 0:
            starts[count] = begin
            ends[count] = i
            count += 1
        elif (
            marks == 1
            and i > begin + 1
            and (
                last & EDGE
                or (
                    points[i - 1] == _DOT
                    and not cuts & STOPS
                    and i - begin > _LONGEST_ABBREVIATION
                    and record_of(records, points[i - 2]) & SMALL
                )
            )
        ):
            starts[count] = begin
            ends[count] = starts[count + 1] = i - 1
            ends[count + 1] = i
            count += 2
        else:
            count = _cut(points, begin, i, records, lower, abbreviations, cuts, starts, ends, count)
    before[m] = count
    return count


@kernel
def count_tokens(points, start, end, records, lower, abbreviations, cuts, starts, ends):  # type: ignore[no-untyped-def]
    """How many tokens points[start:end] has, which begins and ends in a word.

    Args:
        starts, ends: int32[>= end - start + 2], overwritten; the rest as of `find_tokens`.
    """
    count = ZERO
    i = start
    while i < end:
        begin = i
        while i < end and not is_space(points[i], records):
            i += 1
        count = _cut(points, begin, i, records, lower, abbreviations, cuts, starts, ends, count)
        while i < end and is_space(points[i], records):
            i += 1
    return count


@kernel
def _cut(points, start, end, records, lower, abbreviations, cuts, starts, ends, count):  # type: ignore[no-untyped-def]
    # What is cut off the end is noted from the back of `ends`, and written after the middle.
    tail = len(ends)
    while start < end:
        if _is_special(points, start, end, records, lower, abbreviations):
            break
        size = _prefix(points, start, end, records)
        if size:
            starts[count] = start
            ends[count] = start + size
            count += 1
            start += size
            continue
        size = _suffix(points, start, end, records, cuts)
        if not size:
            break
        tail -= 1
        ends[tail] = end
        end -= size
    if end > start:
        if _is_special(points, start, end, records, lower, abbreviations) or _is_address(
            points, start, end, records
        ):
            starts[count] = start
            ends[count] = end
            count += 1
        else:
            count = _cut_inside(points, start, end, records, cuts, starts, ends, count)
    at = end
    for k in range(tail, len(ends)):
        starts[count] = at
        at = ends[k]
        ends[count] = at
        count += 1
    return count


@kernel
def _is_special(points, start, end, records, lower, abbreviations):  # type: ignore[no-untyped-def]
    """An abbreviation with its full stop, or a letter with one."""
    if points[end - 1] != _DOT or end - start > _LONGEST_ABBREVIATION:
        return False
    if end - start == 2 and record_of(records, points[start]) & SMALL:
        return True
    key = hash_folded(points, start, end, lower)
    for a in range(len(abbreviations)):
        if abbreviations[a] == key:
            return True
    return False


@kernel
def _dots_before(points, start, end):  # type: ignore[no-untyped-def]
    i = end
    while i > start and points[i - 1] == _DOT:
        i -= 1
    return end - i


@kernel
def _prefix(points, start, end, records):  # type: ignore[no-untyped-def]
    """Characters to cut off the begin; 0 for none."""
    point = points[start]
    record = record_of(records, point)
    if record & (EDGE | CURRENCY) or point == 0xA7 or point == _PERCENT or point == 0x3D:
        return 1
    if point == 0x2B and not (start + 1 < end and record_of(records, points[start + 1]) & DECIMAL):
        return 1
    if point == _DOT and start + 1 < end and points[start + 1] == _DOT:
        i = start
        while i < end and points[i] == _DOT:
            i += 1
        return i - start
    return 0


@kernel
def _suffix(points, start, end, records, cuts):  # type: ignore[no-untyped-def]
    """Characters to cut off the end; 0 for none."""
    point = points[end - 1]
    record = record_of(records, point)
    if record & EDGE:
        return 1
    n = end - start
    if record & ALPHA and not (n > 2 and _has_apostrophe(points, end)):
        return _unit(points, start, end, records)
    before = record_of(records, points[end - 2]) if n > 1 else record & 0
    if cuts & POSSESSIVE and (point == 0x73 or point == 0x53) and n > 2:
        if points[end - 2] == 0x27 or points[end - 2] == 0x2019:
            return 2
    if point == _DOT and n > 1:
        dots = _dots_before(points, start, end)
        if dots > 1:
            return dots
        previous = points[end - 2]
        if before & DECIMAL and not cuts & (ORDINALS | STOPS):
            return 1
        is_mark = previous == _PERCENT or previous == _HYPHEN or previous == 0x2B
        if (before & (EDGE | SMALL) or is_mark or previous == 0xB2) and not cuts & STOPS:
            return 1
        if (before & (ALPHA | UPPER | SMALL)) == ALPHA:
            return 1
        if n > 2 and before & UPPER and record_of(records, points[end - 3]) & UPPER:
            return 1
    if before & DECIMAL and (record & CURRENCY or point == _PERCENT or point == 0x2B):
        return 1
    if not cuts & CLITICS:
        return 0
    if n > 3 and (point == 0x74 or point == 0x54) and _is_apostrophe(points[end - 2]):
        if points[end - 3] | 0x20 == 0x6E:
            return 3
    if n > 2 and (point | 0x20 == 0x6D or point | 0x20 == 0x64) and _is_apostrophe(points[end - 2]):
        return 2
    if n > 3 and _is_apostrophe(points[end - 3]):
        pair = ((points[end - 2] | 0x20) << 8) | (point | 0x20)
        if pair == 0x6C6C or pair == 0x7265 or pair == 0x7665:
            return 3
    return 0


@kernel
def _unit(points, start, end, records):  # type: ignore[no-untyped-def]
    """Letters of a unit after a digit: m, g, t, T, G, M, K; km, cm, mm, kg, mg, KB, MB, GB, TB."""
    last = points[end - 1]
    if end - start > 1 and record_of(records, points[end - 2]) & DECIMAL:
        return int(is_among(last, _UNITS))
    if end - start > 2 and record_of(records, points[end - 3]) & DECIMAL:
        return 2 * int(is_among((points[end - 2] << 8) | last, _LONG_UNITS))
    return 0


@inlined
def _has_apostrophe(points, end):  # type: ignore[no-untyped-def]
    return _is_apostrophe(points[end - 2]) or _is_apostrophe(points[end - 3])


@inlined
def _is_apostrophe(point):  # type: ignore[no-untyped-def]
    return point == 0x27 or point == 0x2019


@kernel
def _is_address(points, start, end, records):  # type: ignore[no-untyped-def]
    """Whether a word is a web or mail address: "://", or names joined by dots with two letters or
    more at the end."""
    dot = start - 1
    slash = end
    is_name = True
    for i in range(start, end):
        point = points[i]
        if point == 0x2F or point == 0x3A or point == 0x3F:
            slash = i
            break
        if point == _DOT:
            is_name &= i != dot + 1
            dot = i
        elif not (point == _HYPHEN or point == 0x40 or point == 0x5F):
            is_name &= (record_of(records, point) & ALNUM) != 0
    for i in range(slash, end - 2):
        if points[i] == 0x3A and points[i + 1] == 0x2F and points[i + 2] == 0x2F:
            return True
    if not is_name or dot < start or slash - dot < 3:
        return False
    for i in range(dot + 1, slash):
        if not record_of(records, points[i]) & SMALL:
            return False
    return True


@kernel
def _cut_inside(points, start, end, records, cuts, starts, ends, count):  # type: ignore[no-untyped-def]
    begin = start
    i = start + 1
    while i < end - 1:
        size = 0
        if cuts & ELISION and _is_apostrophe(points[i]) and _is_between_letters(points, i, records):
            starts[count] = begin
            ends[count] = i + 1
            count += 1
            begin = i + 1
        elif not record_of(records, points[i]) & ALNUM:
            size = _infix(points, i, end, records, cuts)
        if size:
            if i > begin:
                starts[count] = begin
                ends[count] = i
                count += 1
            starts[count] = i
            ends[count] = i + size
            count += 1
            i += size
            begin = i
        else:
            i += 1
    if end > begin:
        starts[count] = begin
        ends[count] = end
        count += 1
    return count


@inlined
def _is_between_letters(points, i, records):  # type: ignore[no-untyped-def]
    both = record_of(records, points[i - 1]) & record_of(records, points[i + 1])
    return (both & ALPHA) != 0


@kernel
def _infix(points, i, end, records, cuts):  # type: ignore[no-untyped-def]
    """Characters of what cuts a word at i; 0 for nothing."""
    point = points[i]
    if point == 0x2026:
        return 1
    before = record_of(records, points[i - 1])
    after = record_of(records, points[i + 1])
    if point == _DOT:
        if points[i + 1] == _DOT:
            size = 2
            while i + size < end and points[i + size] == _DOT:
                size += 1
            return size
        return int((before & (SMALL | QUOTE)) != 0 and (after & (UPPER | QUOTE)) != 0)
    if point == 0x2B or point == _HYPHEN or point == 0x2A or point == 0x5E:
        if before & DECIMAL and (after & DECIMAL or points[i + 1] == _HYPHEN):
            return int(not (point == _HYPHEN and cuts & JOINED_DIGITS))
    if before & (ALPHA | DECIMAL):
        if point == 0x2C and before & ALPHA:
            return int((after & ALPHA) != 0)
        if point == _HYPHEN or point == 0x2013 or point == 0x2014 or point == 0x7E:
            if not (before & ALPHA or cuts & CLITICS):
                return 0
            size = 1
            while point == _HYPHEN and size < 3 and i + size < end and points[i + size] == point:
                size += 1
            if i + size < end and record_of(records, points[i + size]) & ALPHA:
                capital = record_of(records, points[i + size]) & UPPER
                if size == 1 and (cuts & JOINED or (cuts & JOINED_CAPITALS and capital)):
                    return 0
                return size
            return 0
    if before & (ALPHA | DECIMAL) and (0x3C <= point <= 0x3E or point == 0x3A or point == 0x2F):
        return int((after & ALPHA) != 0)
    return 0
