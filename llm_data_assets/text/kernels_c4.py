"""C4's line rules and what is left after them: page rules, FineWeb's shares, RefinedWeb's losses.

C4 (Raffel et al. 2020, section 2.2) is read in three ways. `c4@t5`: a line must end in . ? ! " or '
but not in "...", and have three words once citations are gone. FineWeb (datatrove 0.10): any end,
three words before citations go, and what FineWeb measures it measures on the lines that are left.
`c4@dclm`: a line must end in . ! ? or ", and have five words.
"""

import numpy as np
from numba import njit

from llm_data_assets.text.characters import (
    ALNUM,
    CLOSING,
    DECIMAL,
    DIGIT,
    END,
    MARK,
    SMALL,
    SPACE,
    STOP,
    UPPER,
    WORD,
)
from llm_data_assets.text.kernels import ZERO, hash_folded, is_among, is_space, record_of
from llm_data_assets.text.kernels_lines import (
    AT_NEWLINE,
    SHORT_LINE,
    ends_with_dots,
    find,
    repeated,
    share,
    split_lines,
    strip,
    strip_line,
)


def _points(text: str) -> np.ndarray:
    return np.array(list(map(ord, text)), np.uint32)


MAX_WORD = 1_000  # characters; C4's code (tensorflow_datasets, c4_utils.py)
_T5_MARKS = _points("\"'.!?")
_DCLM_MARKS = _points('".!?')
_EDIT, _CITATION = _points("[edit]"), _points("[citation needed]")
_NEEDLES = tuple(
    map(
        _points,
        (
            "lorem ipsum", "javascript", "terms of use", "privacy policy", "cookie policy",
            "uses cookies", "use of cookies", "use cookies",
        ),
    )
)  # fmt: skip
_LOREM, _JAVASCRIPT, _TERMS, _PRIVACY, _COOKIE, _USES, _USE_OF, _USE = _NEEDLES
_OPEN, _CURLY, _NEWLINE, _DOT, _ELLIPSIS = 0x5B, 0x7B, 0x0A, 0x2E, 0x2026

# What a line has: bits.
_HAS_LOREM, _HAS_JAVASCRIPT, _HAS_CURLY, _HAS_POLICY, _HAS_BRACKET = 1, 2, 4, 8, 16
# Each phrase has a rare letter: j, p ("ipsum"), v ("privacy"), f ("of"), k ("cookie").
_HOT = np.zeros(128, np.bool_)
_HOT[[ord(each) for each in "jJpPvVfFkK[{"]] = True

# RefinedWeb's line rules as DCLM's refinedweb.yaml has them.
_CART, _READ_MORE, _SIGN_IN = _points("items in cart"), _points("read more"), _points("sign-in")
_COUNTED = tuple(
    map(
        _points,
        (
            "likes", "shares", "comments", "retweets", "reposts", "quotes", "bookmarks",
            "upvotes", "downvotes", "downloads", "views", "followers",
        ),
    )
)  # fmt: skip
_COUNTED_TEXT = np.concatenate(_COUNTED)
_COUNTED_AT = np.cumsum(np.array([0, *map(len, _COUNTED)]))
SHORTENED_LINE = 10  # words


@njit(nogil=True, cache=True)
def measure_c4(
    points, records, lower, abbreviations, found, phrases, space, left, t5, fineweb, dclm
):  # type: ignore[no-untyped-def]
    """Sentences, and whether "lorem ipsum" or "{" stood in a line that is left, for each reading.

    Returns:
        characters of FineWeb's text, and its words.

    Args:
        abbreviations: uint64[...], `hash_points` in lower case, full stop included.
        found: of `kernels.scan`, begins and ends of the words between spaces, how many, places
            of noted characters, and what stands before each break.
        phrases: what `may_hold_phrase` says of the text.
        space: see `measure_lines`; left: uint32[>= n + 1], overwritten by FineWeb's text.
        t5, dclm: float64[3]; fineweb: float64[7], after those three what FineWeb measures.
    """
    starts, ends, _, breaks = space
    t5[:] = 0.0
    dclm[:] = 0.0
    fineweb[:] = 0.0
    size = kept = n_words = ZERO
    word_starts, word_ends, m, noted, before = found
    longest = 0
    for w in range(m):
        longest = max(longest, word_ends[w] - word_starts[w])
    w = to = ZERO
    # Between the two characters of "\r\n" is a line without words.
    for k in range(len(breaks) + 1):
        first_word, since = w, to
        w, to = m, len(noted)
        if k < len(breaks):
            w, to = np.int64(before[k, 0]), np.int64(before[k, 1])
        words_here = w - first_word
        if words_here < 3 or (
            longest > MAX_WORD and _has_long_word(word_starts, word_ends, first_word, w)
        ):
            continue  # no reading keeps it
        start, end = np.int64(word_starts[first_word]), np.int64(word_ends[w - 1])
        has = 0
        for each in range(since, to):
            has |= _mark(points[noted[each]])
        if phrases:
            has |= _find_phrases(points, start, end)
        if kept:
            left[size] = _NEWLINE
        first = size + (kept > 0)
        for i in range(end - start):
            left[first + i] = points[start + i]
        last = first + end - start
        after = words_here
        is_cut = False
        if has & _HAS_BRACKET:
            last = _without_citations(points, start, end, records, left, first)
            is_cut = last - first < end - start
            if is_cut:
                after = _count_words(left, first, last, records)
                has = _find_phrases(left, first, last)
        ends_t5 = after >= 3 and is_end(left, first, last, _T5_MARKS)
        if is_cut:
            sentences = count_sentences(left, first, last, records, lower, abbreviations)
        else:
            sentences = sentences_between(
                points, start, end, noted[since:to], records, lower, abbreviations
            )
        if ends_t5:
            _judge(has, sentences, t5)
        if _judge(has, sentences, fineweb):
            size = last
            n_words += after
            starts[kept] = first
            ends[kept] = last
            kept += 1
        if after >= 5:
            _, stripped = strip(left, first, last, records)
            if is_end(left, first, stripped, _DCLM_MARKS):
                _judge(has, sentences, dclm)
    _measure_fineweb(left, kept, records, n_words, space, fineweb)
    return size, n_words


@njit(nogil=True, cache=True)
def _has_long_word(starts, ends, first, to):  # type: ignore[no-untyped-def]
    for w in range(first, to):
        if ends[w] - starts[w] > MAX_WORD:
            return True
    return False


@njit(nogil=True, cache=True)
def may_hold_phrase(data):  # type: ignore[no-untyped-def]
    """Whether a rare part of one of C4's phrases stands in uint8[n] of UTF-8, in any case.

    Where it says no, there is none: one look at a text, eight times as fast as one at each line.
    """
    found = False
    for i in range(len(data) - 5):
        a, b, c = data[i] | 0x20, data[i + 1] | 0x20, data[i + 2] | 0x20
        d, e, f = data[i + 3] | 0x20, data[i + 4] | 0x20, data[i + 5] | 0x20
        found |= (a == 0x61) & (b == 0x76) & (c == 0x61) & (d == 0x73)  # jAVAScript
        found |= (b == 0x69) & (c == 0x70) & (d == 0x73) & (e == 0x75)  # lorem IPSUm
        found |= (a == 0x61) & (b == 0x63) & (c == 0x79) & (d == 0x20)  # privACY policy
        found |= (b == 0x20) & (c == 0x6F) & (d == 0x66) & (e == 0x20) & (f == 0x75)  # OF Use
        found |= (b == 0x6F) & (c == 0x6B) & (d == 0x69) & (e == 0x65)  # coOKIE
    return found


@njit(nogil=True, cache=True, inline="always")
def _mark(point):  # type: ignore[no-untyped-def]
    """Bits of a line with this character."""
    return _HAS_BRACKET * (point == _OPEN) + _HAS_CURLY * (point == _CURLY)


@njit(nogil=True, cache=True)
def _judge(has, sentences, row):  # type: ignore[no-untyped-def]
    """Add one line that has words and an end; returns whether it is left."""
    if has & _HAS_LOREM:
        row[1] = 1.0
        return True
    if has & _HAS_JAVASCRIPT:
        return False
    if has & _HAS_CURLY:
        row[2] = 1.0
        return True
    if has & _HAS_POLICY:
        return False
    row[0] += sentences
    return True


@njit(nogil=True, cache=True)
def is_end(points, start, end, marks):  # type: ignore[no-untyped-def]
    """Whether points[start:end] ends in one of `marks`, but not in an ellipsis."""
    return (
        end > start and is_among(points[end - 1], marks) and not ends_with_dots(points, start, end)
    )


@njit(nogil=True, cache=True)
def _count_words(points, start, end, records):  # type: ignore[no-untyped-def]
    words = 0
    for i in range(start, end):
        if not is_space(points[i], records):
            words += i == start or is_space(points[i - 1], records)
    return words


@njit(nogil=True, cache=True)
def _find_phrases(points, start, end):  # type: ignore[no-untyped-def]
    """What a line has: bits."""
    has = 0
    for i in range(start, end):
        if points[i] < 0x80 and _HOT[points[i]]:
            has |= _phrase(points, start, i, end)
    return has


@njit(nogil=True, cache=True)
def _phrase(points, start, i, end):  # type: ignore[no-untyped-def]
    """Which of C4's phrases stands around the rare letter at i, whatever its case."""
    point = points[i]
    if point == _OPEN:
        return _HAS_BRACKET
    if point == _CURLY:
        return _HAS_CURLY
    point |= 0x20
    if point == 0x6A:  # j
        if _is_around(points, start, i, i, end, _JAVASCRIPT):
            return _HAS_JAVASCRIPT
    elif point == 0x70:  # p
        if _is_around(points, start, i - 7, i, end, _LOREM):
            return _HAS_LOREM
    elif point == 0x76:  # v
        if _is_around(points, start, i - 3, i, end, _PRIVACY):
            return _HAS_POLICY
    elif point == 0x66:  # f
        if _is_around(points, start, i - 7, i, end, _TERMS):
            return _HAS_POLICY
    elif point == 0x6B and (
        _is_around(points, start, i - 3, i, end, _COOKIE)
        or _is_around(points, start, i - 8, i, end, _USES)
        or _is_around(points, start, i - 10, i, end, _USE_OF)
        or _is_around(points, start, i - 7, i, end, _USE)
    ):
        return _HAS_POLICY
    return 0


@njit(nogil=True, cache=True)
def _is_around(points, start, at, i, end, needle):  # type: ignore[no-untyped-def]
    """Whether a phrase with its rare letter at i begins at `at`."""
    return (
        at >= start
        and (i == start or i == at or points[i - 1] | 0x20 == needle[i - at - 1])
        and _is_here(points, at, end, needle)
    )


@njit(nogil=True, cache=True)
def _without_citations(points, start, end, records, left, to):  # type: ignore[no-untyped-def]
    """Copy a line but for "[12]", "[edit]" and "[citation needed]"; returns where the copy ends."""
    i = start
    while i < end:
        if points[i] == _OPEN:
            close = i + 1
            while close < end and record_of(records, points[close]) & DECIMAL:
                close += 1
            if close < end and points[close] == 0x5D:
                i = close + 1
                continue
            if _is_here(points, i, end, _EDIT):
                i += len(_EDIT)
                continue
            if _is_here(points, i, end, _CITATION):
                i += len(_CITATION)
                continue
        left[to] = points[i]
        to += 1
        i += 1
    return to


@njit(nogil=True, cache=True)
def _is_here(points, i, end, needle):  # type: ignore[no-untyped-def]
    if i + len(needle) > end:
        return False
    for k in range(len(needle)):
        point = points[i + k]
        if 65 <= point <= 90 and needle[0] != _OPEN:
            point += 32
        if point != needle[k]:
            return False
    return True


@njit(nogil=True, cache=True)
def count_sentences(points, start, end, records, lower, abbreviations):  # type: ignore[no-untyped-def]
    """`sentences_between` of a text whose marks nobody has noted."""
    noted = np.empty(end - start, np.int32)
    count = 0
    for i in range(start, end):
        noted[count] = i
        count += (record_of(records, points[i]) & STOP) != 0
    return sentences_between(points, start, end, noted[:count], records, lower, abbreviations)


@njit(nogil=True, cache=True)
def sentences_between(points, start, end, noted, records, lower, abbreviations):  # type: ignore[no-untyped-def]
    """Sentences of a line, much as spaCy 3.8's rule-based sentencizer finds them in English.

    A question or exclamation mark ends one, and so does a full stop at the end of a word, unless
    an abbreviation, an initial or another full stop stands before it. The next word begins one.

    Args:
        noted: int32[...], where the marks of the class STOP stand, and perhaps others.
    """
    sentences = 0
    ended = True
    at = start
    for k in range(len(noted)):
        i = np.int64(noted[k])
        point = points[i]
        if not record_of(records, point) & STOP:
            continue
        if ended and _has_word(points, at, i, records):
            sentences += 1
            ended = False
        if point != _DOT:
            ended = ended or point > 0x7F or _closes(points, i, end, records)
        elif not ended:
            word = i
            while word > start and not is_space(points[word - 1], records):
                word -= 1
            ended = _is_full_stop(points, word, i, end, records, lower, abbreviations)
        at = i + 1
    if ended:
        sentences += _has_word(points, at, end, records)
    return max(sentences, 1 if end > start else 0)


@njit(nogil=True, cache=True)
def _has_word(points, start, end, records):  # type: ignore[no-untyped-def]
    """Whether anything but marks and spaces stands in points[start:end]."""
    for i in range(start, end):
        if not record_of(records, points[i]) & (MARK | SPACE):
            return True
    return False


@njit(nogil=True, cache=True)
def _closes(points, i, end, records):  # type: ignore[no-untyped-def]
    """Whether only marks stand between points[i] and the next space."""
    i += 1
    while i < end:
        record = record_of(records, points[i])
        if record & SPACE:
            return True
        if not record & (CLOSING | STOP | MARK):
            return False
        i += 1
    return True


@njit(nogil=True, cache=True)
def _is_full_stop(points, word, i, end, records, lower, abbreviations):  # type: ignore[no-untyped-def]
    if (i + 1 < end and points[i + 1] == _DOT) or i == word or points[i - 1] == _DOT:
        return False
    before = record_of(records, points[i - 1])
    if (before & SMALL) and i + 1 < end and (record_of(records, points[i + 1]) & UPPER):
        return True
    if not _closes(points, i, end, records):
        return False
    if before & UPPER:
        return i - 2 >= word and (record_of(records, points[i - 2]) & UPPER) != 0
    while word < i and record_of(records, points[word]) & MARK:
        word += 1
    if i - word == 1 and (before & SMALL):
        return False
    if i - word < 8:
        return not is_among(hash_folded(points, word, i + 1, lower), abbreviations)
    return True


@njit(nogil=True, cache=True)
def _measure_fineweb(points, kept, records, n_words, space, row):  # type: ignore[no-untyped-def]
    """FineWeb's shares (datatrove 0.10) of the kept lines, joined and stripped, in row[3:7]."""
    starts, ends, table, _ = space
    # Lines that were citations alone are blank; around the text they are stripped away.
    head = 0
    while head < kept and _is_blank(points, starts[head], ends[head], records):
        head += 1
    while kept > head and _is_blank(points, starts[kept - 1], ends[kept - 1], records):
        kept -= 1
    if kept > head:
        starts[head], _ = strip_line(points, starts, ends, head, records)
        _, ends[kept - 1] = strip_line(points, starts, ends, kept - 1, records)
    lines = ZERO
    ended = 0
    short = 0
    characters = 0
    for k in range(head, kept):
        characters += ends[k] - starts[k]
        if not _is_blank(points, starts[k], ends[k], records):
            starts[lines] = starts[k]
            ends[lines] = ends[k]
            ended += (record_of(records, points[ends[k] - 1]) & END) != 0
            short += ends[k] - starts[k] <= SHORT_LINE
            lines += 1
    _, again, _, _, _ = repeated(points, starts, ends, lines, table)
    row[3] = share(ended, lines)
    row[4] = share(short, lines)
    row[5] = share(again, characters)
    row[6] = share(max(0, kept - head - 1), n_words)


@njit(nogil=True, cache=True)
def _is_blank(points, start, end, records):  # type: ignore[no-untyped-def]
    for i in range(start, end):
        if not is_space(points[i], records):
            return False
    return True


@njit(nogil=True, cache=True)
def measure_fineweb(points, n, records, n_words, space, row):  # type: ignore[no-untyped-def]
    """FineWeb's four shares of a text as it is, with the words found in it, into row[:4]."""
    starts, ends, table, breaks = space
    count = split_lines(points, ZERO, n, breaks, AT_NEWLINE, starts, ends)
    newlines = count - 1
    lines = ZERO
    ended = 0
    short = 0
    for k in range(count):
        first, last = strip_line(points, starts, ends, k, records)
        if last > first:
            starts[lines] = starts[k]
            ends[lines] = ends[k]
            ended += (record_of(records, points[ends[k] - 1]) & END) != 0
            short += ends[k] - starts[k] <= SHORT_LINE
            lines += 1
    _, characters, _, _, _ = repeated(points, starts, ends, lines, table)
    row[0] = share(ended, lines)
    row[1] = share(short, lines)
    row[2] = share(characters, n - newlines)
    row[3] = share(newlines, n_words)


@njit(nogil=True, cache=True)
def removed_words(points, n, records, space):  # type: ignore[no-untyped-def]
    """Share of words that RefinedWeb's line rules remove (DCLM's refinedweb.yaml).

    A word stands between spaces and begins with a letter or digit. A line goes if more than half
    of it is in capitals, if it is digits alone, a counter ("3 likes") or one word; "items in
    cart", "read more..." at the end and "sign-in" at the begin leave lines of up to ten words.
    """
    starts, ends, _, breaks = space
    count = split_lines(points, ZERO, n, breaks, AT_NEWLINE, starts, ends)
    removed = 0
    every = 0
    for k in range(count):
        start, end = np.int64(starts[k]), np.int64(ends[k])
        upper = 0
        digits = 0
        words = 0
        counted = 0
        for i in range(start, end):
            record = record_of(records, points[i])
            upper += (record & UPPER) != 0
            digits += (record & DIGIT) != 0
            if not record & SPACE and (i == start or record_of(records, points[i - 1]) & SPACE):
                words += 1
                counted += (record & ALNUM) != 0
        every += counted
        if (
            2 * upper > end - start
            or (digits == end - start and end > start)
            or words == 1
            or (words and _is_counter(points, start, end, records))
        ):
            removed += counted
        elif words and words <= SHORTENED_LINE:
            if find(points, start, end, _CART) >= 0:
                removed += min(counted, 3)
            if end - start >= 12 and _is_here(points, end - 12, end - 3, _READ_MORE):
                removed += min(counted, 2)
            if _is_here(points, start, end, _SIGN_IN):
                removed += 1
    return share(removed, every)


@njit(nogil=True, cache=True)
def _is_counter(points, start, end, records):  # type: ignore[no-untyped-def]
    """Whether a line is a number, a space and what was counted: "1,204 likes", "3K views"."""
    i = start
    while i < end and not record_of(records, points[i]) & WORD:
        i += 1
    digits = i
    while i < end and (
        record_of(records, points[i]) & DECIMAL or points[i] == 0x2C or points[i] == _DOT
    ):
        i += 1
    if i == digits:
        return False
    if i < end and (points[i] | 0x20) in (0x6B, 0x6D, 0x62):
        i += 1
    spaces = i
    while i < end and record_of(records, points[i]) & SPACE:
        i += 1
    if i == spaces:
        return False
    for c in range(len(_COUNTED_AT) - 1):
        needle = _COUNTED_TEXT[_COUNTED_AT[c] : _COUNTED_AT[c + 1]]
        if _is_here(points, i, end, needle):
            i += len(needle)
            while i < end and not record_of(records, points[i]) & WORD:
                i += 1
            return i == end
    return False
