"""DCLM's reading of a text: words by UAX #29, and the words that RefinedWeb's line rules remove."""

import numpy as np

from llm_data_assets.kernel import kernel
from llm_data_assets.text.characters import (
    ALNUM,
    ALPHA,
    DECIMAL,
    DIGIT,
    EXTENDS,
    KATAKANA,
    SPACE,
    UNSPACED,
    UPPER,
    WORD,
)
from llm_data_assets.text.kernels import ZERO, record_of
from llm_data_assets.text.kernels_c4 import is_here, points_of
from llm_data_assets.text.kernels_lines import (
    AT_NEWLINE,
    find,
    share,
    split_lines,
)

_DOT = 0x2E


# RefinedWeb's line rules as DCLM's refinedweb.yaml has them.
_CART, _READ_MORE, _SIGN_IN = (
    points_of("items in cart"),
    points_of("read more"),
    points_of("sign-in"),
)
_COUNTED = tuple(
    map(
        points_of,
        (
            "likes", "shares", "comments", "retweets", "reposts", "quotes", "bookmarks",
            "upvotes", "downvotes", "downloads", "views", "followers",
        ),
    )
)  # fmt: skip
_COUNTED_TEXT = np.concatenate(_COUNTED)
_COUNTED_AT = np.cumsum(np.array([0, *map(len, _COUNTED)]))
SHORTENED_LINE = 10  # words


@kernel
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


@kernel
def _joins(point, before, after):  # type: ignore[no-untyped-def]
    """Whether a mark stands inside a word or number."""
    in_both = point == 0x27 or point == 0x2019 or point == 0x2E
    if (before & ALPHA) and (after & ALPHA) and not (after & UNSPACED):
        return in_both or point == 0x3A or point == 0xB7
    if (before & DECIMAL) and (after & DECIMAL):
        return in_both or point == 0x2C or point == 0x3B
    return False


@kernel
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
            if end - start >= 12 and is_here(points, end - 12, end - 3, _READ_MORE):
                removed += min(counted, 2)
            if is_here(points, start, end, _SIGN_IN):
                removed += 1
    return share(removed, every)


@kernel
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
        if is_here(points, i, end, needle):
            i += len(needle)
            while i < end and not record_of(records, points[i]) & WORD:
                i += 1
            return i == end
    return False
