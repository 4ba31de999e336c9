"""Words of many texts at once, as kernels over code points: hashed, counted, compared."""

import numpy as np

from llm_data_assets.kernel import allocating, kernel

# What a code point is: a mark, part of a word, a word by itself, or white space.
MARK, WORD, ALONE, SPACE = range(4)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_START = np.uint64(0x9E3779B97F4A7C15)


@kernel
def mixed(value):  # type: ignore[no-untyped-def]
    """A uint64 whose bits all depend on those of another (the finaliser of SplitMix64)."""
    value = (value ^ (value >> np.uint64(30))) * _MIX_1
    value = (value ^ (value >> np.uint64(27))) * _MIX_2
    return value ^ (value >> np.uint64(31))


@allocating
def hash_words(points, text_starts, classes):  # type: ignore[no-untyped-def]
    """Hash each word of each text.

    Args:
        points: uint32[...], the code points of all texts in lower case, one after the other.
        text_starts: int64[n + 1].
        classes: uint8[0x110000], MARK, WORD, ALONE or SPACE of each code point.

    Returns:
        uint64[...] and int64[n + 1]: the hashes of the words in order, where each text's begin.
    """
    n = len(text_starts) - 1
    starts = np.zeros(n + 1, np.int64)
    hashes = np.empty(len(points), np.uint64)
    count = 0
    for text in range(n):
        at, stop = text_starts[text], text_starts[text + 1]
        while at < stop:
            kind = classes[points[at]]
            if kind == MARK or kind == SPACE:
                at += 1
                continue
            value = mixed(_START ^ points[at])
            at += 1
            while kind != ALONE and at < stop and classes[points[at]] == kind:
                value = mixed((value + _START) ^ points[at])
                at += 1
            hashes[count] = value
            count += 1
        starts[text + 1] = count
    return hashes[:count].copy(), starts


@allocating
def hash_character_grams(points, text_starts, classes):  # type: ignore[no-untyped-def]
    """Hash the runs of two to four characters of each text, within what white space parts.

    As scikit-learn's analyzer `char_wb` has them: each part stands between two spaces.

    Args:
        points, text_starts, classes: as for `hash_words`.

    Returns:
        uint64[...] and int64[n + 1]: the hashes, where each text's begin.
    """
    n = len(text_starts) - 1
    starts = np.zeros(n + 1, np.int64)
    hashes = np.empty(0, np.uint64)
    for writes in (False, True):
        count = 0
        for text in range(n):
            at, stop = text_starts[text], text_starts[text + 1]
            while at < stop:
                if classes[points[at]] == SPACE:
                    at += 1
                    continue
                end = at
                while end < stop and classes[points[end]] != SPACE:
                    end += 1
                for first in range(at - 1, end):
                    value = _START
                    for place in range(first, min(first + 4, end + 1)):
                        inside = at <= place < end
                        point = np.uint64(points[place]) if inside else np.uint64(32)
                        value = mixed((value + _START) ^ point)
                        if place > first:
                            if writes:
                                hashes[count] = value
                            count += 1
                at = end
            starts[text + 1] = count
        if not writes:
            hashes = np.empty(count, np.uint64)
    return hashes, starts


@allocating
def measure_words(hashes, starts, step_words):  # type: ignore[no-untyped-def]
    """Of each text: distinct words int64[n], repetition float64[n], words of inference int64[n].

    Repetition is `scores.repetition`: 1 - distinct / all n-grams, the most of n = 2 to 4, from 200
    words on n = 5; 0 under 8 n-grams.

    Args:
        hashes, starts: as `hash_words` gives them.
        step_words: uint64[...], ascending.
    """
    n = len(starts) - 1
    distinct, steps = np.zeros(n, np.int64), np.zeros(n, np.int64)
    repetition = np.zeros(n)
    for text in range(n):
        said = hashes[starts[text] : starts[text + 1]]
        distinct[text] = count_distinct(said.copy())
        for value in said:
            place = np.searchsorted(step_words, value)
            steps[text] += place < len(step_words) and step_words[place] == value
        shortest, longest = (5, 5) if len(said) >= 200 else (2, 4)
        for width in range(shortest, longest + 1):
            count = len(said) - width + 1
            if count >= 8:
                grams = np.empty(count, np.uint64)
                for i in range(count):
                    value = said[i]
                    for j in range(1, width):
                        value = mixed((value + _START) ^ said[i + j])
                    grams[i] = value
                repetition[text] = max(repetition[text], 1 - count_distinct(grams) / count)
    return distinct, repetition, steps


@allocating
def count_distinct(values):  # type: ignore[no-untyped-def]
    """How many different numbers there are; sorts them in place."""
    values.sort()
    found = min(1, len(values))
    for i in range(1, len(values)):
        found += values[i] != values[i - 1]
    return found
