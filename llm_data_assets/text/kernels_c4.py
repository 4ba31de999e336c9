"""C4's line rules and what is left after them: page rules, sentences, FineWeb's shares.

C4 (Raffel et al. 2020, section 2.2) is read in three ways. `c4@t5`: a line must end in . ? ! " or '
but not in "...", and have three words once citations are gone. FineWeb (datatrove 0.10): any end,
three words before citations go, and what FineWeb measures it measures on the lines that are left.
`c4@dclm`: a line must end in . ! ? or ", and have five words.
"""

import numpy as np

from llm_data_assets.kernel import allocating, inlined, kernel
from llm_data_assets.text.characters import (
    DECIMAL,
)
from llm_data_assets.text.kernels import ZERO, is_among, is_space, record_of
from llm_data_assets.text.kernels_fineweb import measure_kept_lines
from llm_data_assets.text.kernels_lines import (
    ends_with_dots,
    strip,
)
from llm_data_assets.text.kernels_sentences import count_sentences, sentences_between
from llm_data_assets.text.kernels_tokens import count_tokens


def points_of(text: str) -> np.ndarray:
    return np.array(list(map(ord, text)), np.uint32)


MAX_WORD = 1_000  # characters; C4's code (tensorflow_datasets, c4_utils.py)
_T5_MARKS = points_of("\"'.!?")
_DCLM_MARKS = points_of('".!?')
_EDIT, _CITATION = points_of("[edit]"), points_of("[citation needed]")
_NEEDLES = tuple(
    map(
        points_of,
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


@allocating
def measure_c4(
    points, records, lower, abbreviations, found, tokens, phrases, space, left, t5, fineweb, dclm
):  # type: ignore[no-untyped-def]
    """Sentences, and whether "lorem ipsum" or "{" stood in a line that is left, for each reading.

    Returns:
        characters of FineWeb's text, its words, and its tokens if asked for.

    Args:
        abbreviations: uint64[...], `hash_points` in lower case, full stop included.
        found: of `kernels.scan`, begins and ends of the words between spaces, how many, places
            of noted characters, and what stands before each break.
        tokens: how they are cut, 0 for not at all, how many come before each word, and two arrays
            int32[> n + 2] to be overwritten (kernels_tokens).
        phrases: what `may_hold_phrase` says of the text.
        space: see `measure_lines`; left: uint32[>= n + 1], overwritten by FineWeb's text.
        t5, dclm: float64[3]; fineweb: float64[7], after those three what FineWeb measures.
    """
    starts, ends, _, breaks = space
    t5[:] = 0.0
    dclm[:] = 0.0
    fineweb[:] = 0.0
    size = kept = n_words = n_tokens = ZERO
    word_starts, word_ends, m, noted, before = found
    cuts, tokens_before, token_starts, token_ends = tokens
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
            if cuts and is_cut:
                n_tokens += count_tokens(
                    left, first, last, records, lower, abbreviations, cuts, token_starts, token_ends
                )
            elif cuts:
                n_tokens += tokens_before[w] - tokens_before[first_word]
            starts[kept] = first
            ends[kept] = last
            kept += 1
        if after >= 5:
            _, stripped = strip(left, first, last, records)
            if is_end(left, first, stripped, _DCLM_MARKS):
                _judge(has, sentences, dclm)
    measure_kept_lines(left, kept, records, n_words, space, fineweb)
    return size, n_words, n_tokens


@kernel
def _has_long_word(starts, ends, first, to):  # type: ignore[no-untyped-def]
    for w in range(first, to):
        if ends[w] - starts[w] > MAX_WORD:
            return True
    return False


@kernel
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


@inlined
def _mark(point):  # type: ignore[no-untyped-def]
    """Bits of a line with this character."""
    return _HAS_BRACKET * (point == _OPEN) + _HAS_CURLY * (point == _CURLY)


@kernel
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


@kernel
def is_end(points, start, end, marks):  # type: ignore[no-untyped-def]
    """Whether points[start:end] ends in one of `marks`, but not in an ellipsis."""
    return (
        end > start and is_among(points[end - 1], marks) and not ends_with_dots(points, start, end)
    )


@kernel
def _count_words(points, start, end, records):  # type: ignore[no-untyped-def]
    words = 0
    for i in range(start, end):
        if not is_space(points[i], records):
            words += i == start or is_space(points[i - 1], records)
    return words


@kernel
def _find_phrases(points, start, end):  # type: ignore[no-untyped-def]
    """What a line has: bits."""
    has = 0
    for i in range(start, end):
        if points[i] < 0x80 and _HOT[points[i]]:
            has |= _phrase(points, start, i, end)
    return has


@kernel
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


@kernel
def _is_around(points, start, at, i, end, needle):  # type: ignore[no-untyped-def]
    """Whether a phrase with its rare letter at i begins at `at`."""
    return (
        at >= start
        and (i == start or i == at or points[i - 1] | 0x20 == needle[i - at - 1])
        and is_here(points, at, end, needle)
    )


@kernel
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
            if is_here(points, i, end, _EDIT):
                i += len(_EDIT)
                continue
            if is_here(points, i, end, _CITATION):
                i += len(_CITATION)
                continue
        left[to] = points[i]
        to += 1
        i += 1
    return to


@kernel
def is_here(points, i, end, needle):  # type: ignore[no-untyped-def]
    if i + len(needle) > end:
        return False
    for k in range(len(needle)):
        point = points[i + k]
        if 65 <= point <= 90 and needle[0] != _OPEN:
            point += 32
        if point != needle[k]:
            return False
    return True
