"""Repeated n-grams of numbered words, in every convention that a rule set knows.

An n-gram is named by the number of its first n-1 words' n-gram and that of its last word, so no
hash stands for it and the counts are exact. Only positions whose n-1-gram repeats, here and one
word further, can begin an n-gram that repeats: the rest is never looked at again, from single
words on.
"""

import numpy as np

from llm_data_assets.kernel import kernel
from llm_data_assets.text.kernels import ZERO
from llm_data_assets.text.kernels_numbers import clear_slots, look_up

# What is measured for the commonest n-gram, n = 2..4 (rows of `top`, columns n - 2).
# LONGEST and FIRST are characters of words in all its occurrences: of the longest among the
# commonest (0 where none repeats), and of the one that stands first, which begins at PLACE.
TOP_LONGEST, TOP_FIRST, TOP_COUNT, TOP_PLACE = range(4)
# What is measured of repeated n-grams, n = 5..10 (rows of `dup`, columns n - 5), in characters:
# COVERED: words in any of them, once. WALKED: second and later occurrences, none overlapping
# another. SUMMED: all occurrences, each in full. JOINED: second and later occurrences with the
# spaces inside, overlaps once.
DUP_COVERED, DUP_WALKED, DUP_SUMMED, DUP_JOINED, DUP_ALL = range(5)


@kernel
def measure_ngrams(tokens, lengths, m, space, top, dup):  # type: ignore[no-untyped-def]
    """Fill `top` and `dup` for m numbered words.

    Args:
        tokens: int32[>= m]; lengths: int32[>= m], characters of each.
        space: arrays to overwrite: sums int64[m + 1]; group, places, counts, firsts int32[m];
            keys uint64[m]; slots int32[4 m + 32]; seen uint8[m].
        top: float64[4, 3]; dup: float64[5, 6].
    """
    sums, group, places, keys, slots, counts, firsts, seen = space
    top[:] = 0.0
    dup[:] = 0.0
    sums[0] = 0
    for i in range(m):
        sums[i + 1] = sums[i] + lengths[i]
    counts[:m] = 0
    for i in range(m):
        counts[tokens[i]] += 1
    live = ZERO
    for i in range(m - 1):
        places[live] = i
        group[i] = tokens[i]
        live += (counts[tokens[i]] > 1) & (counts[tokens[i + 1]] > 1)
    for n in range(2, 11):
        # `places[:live]` may begin an n-gram that repeats; group[i] numbers the one before it.
        entries = ZERO
        if live > 0:
            shift = clear_slots(slots, live)
            for k in range(live):
                i = places[k]
                key = (np.uint64(group[i]) << np.uint64(32)) | np.uint64(tokens[i + n - 1])
                number = look_up(key, keys, slots, shift, entries)
                if number == entries:
                    counts[number] = 0
                    firsts[number] = i
                    entries += 1
                counts[number] += 1
                group[i] = number
        if n <= 4 and m >= n:
            _top(n, sums, counts, firsts, entries, top)
        repeats = ZERO
        for k in range(live):
            i = places[k]
            places[repeats] = i
            repeats += counts[group[i]] > 1
        if n >= 5 and m >= n:
            _dup(n, m, sums, group, places, repeats, seen, entries, dup)
        live = ZERO
        for k in range(repeats - 1):
            i = places[k]
            places[live] = i
            live += (places[k + 1] == i + 1) & (i + n < m)


@kernel
def _top(n, sums, counts, firsts, entries, top):  # type: ignore[no-untyped-def]
    most = 1
    place = 0
    longest = 0
    for e in range(entries):
        if counts[e] > most:
            most = counts[e]
            place = firsts[e]
            longest = sums[place + n] - sums[place]
        elif counts[e] == most and most > 1:
            longest = max(longest, sums[firsts[e] + n] - sums[firsts[e]])
    top[TOP_LONGEST, n - 2] = longest * most
    top[TOP_FIRST, n - 2] = (sums[place + n] - sums[place]) * most
    top[TOP_COUNT, n - 2] = most
    top[TOP_PLACE, n - 2] = place


@kernel
def _dup(n, m, sums, group, places, repeats, seen, entries, dup):  # type: ignore[no-untyped-def]
    seen[:entries] = 0
    covered = 0
    walked = 0
    summed = 0
    joined = 0
    covered_to = 0
    walked_to = 0
    last_joined = -n
    for k in range(repeats):
        i = places[k]
        size = sums[i + n] - sums[i]
        summed += size
        covered += sums[i + n] - sums[max(i, covered_to)]
        covered_to = i + n
        bits = seen[group[i]]
        if bits & 2:
            overlap = max(0, n - (i - last_joined))
            joined += sums[i + n] - sums[i + overlap] + min(n - overlap, n - 1)
            last_joined = i
        if i >= walked_to:
            if bits & 1:
                walked += size
                walked_to = i + n
            bits |= 1
        seen[group[i]] = bits | 2
    # All but the first n sums, less all but the last n: what is in both is not added.
    whole = np.int64(0)
    for i in range(min(n, m - n + 1)):
        whole += sums[m - i] - sums[i]
    dup[DUP_COVERED, n - 5] = covered
    dup[DUP_WALKED, n - 5] = walked
    dup[DUP_SUMMED, n - 5] = summed
    dup[DUP_JOINED, n - 5] = joined
    dup[DUP_ALL, n - 5] = whole


@kernel
def count_inside(points, n, starts, ends, place, width, spaced):  # type: ignore[no-untyped-def]
    """How often words[place:place + width], joined by spaces, stand in points[:n] (str.count).

    Args:
        spaced: uint32[>= n + 1], overwritten.
    """
    size = 0
    for w in range(place, place + width):
        if w > place:
            spaced[size] = 0x20
            size += 1
        for i in range(starts[w], ends[w]):
            spaced[size] = points[i]
            size += 1
    found = 0
    i = 0
    while i + size <= n:
        k = 0
        while k < size and points[i + k] == spaced[k]:
            k += 1
        if k == size:
            found += 1
            i += size
        else:
            i += 1
    return found, size
