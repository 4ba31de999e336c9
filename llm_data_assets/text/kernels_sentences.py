"""Sentences of a line, much as spaCy 3.8's rule-based sentencizer counts them: what C4 asks for."""

import numpy as np

from llm_data_assets.kernel import allocating, kernel
from llm_data_assets.text.characters import (
    CLOSING,
    MARK,
    SMALL,
    SPACE,
    STOP,
    UPPER,
)
from llm_data_assets.text.kernels import is_among, is_space, record_of
from llm_data_assets.text.kernels_numbers import hash_folded

_DOT = 0x2E


@allocating
def count_sentences(points, start, end, records, lower, abbreviations):  # type: ignore[no-untyped-def]
    """`sentences_between` of a text whose marks nobody has noted."""
    noted = np.empty(end - start, np.int32)
    count = 0
    for i in range(start, end):
        noted[count] = i
        count += (record_of(records, points[i]) & STOP) != 0
    return sentences_between(points, start, end, noted[:count], records, lower, abbreviations)


@kernel
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


@kernel
def _has_word(points, start, end, records):  # type: ignore[no-untyped-def]
    """Whether anything but marks and spaces stands in points[start:end]."""
    for i in range(start, end):
        if not record_of(records, points[i]) & (MARK | SPACE):
            return True
    return False


@kernel
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


@kernel
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
