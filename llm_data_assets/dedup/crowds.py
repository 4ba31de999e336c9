"""Kept documents that meet in crowds, found by what is rare in them.

Pages under one banner share bands with one another and all stay: each would be compared with all
before it. But two sets can only be as alike as `threshold` if they share one of the first elements
of each, in any order that both obey (prefix filtering: Bayardo, Ma, Srikant 2007, "Scaling up all
pairs similarity search"; with lengths and places: PPJoin, Xiao et al. 2008, "Efficient similarity
joins for near duplicate detection"). With what is rare put first, the banner comes last, and
strangers under it do not meet.
"""

from typing import NamedTuple

import numpy as np

from llm_data_assets.dedup.similarity import needed_overlap
from llm_data_assets.kernel import allocating, kernel

_MIX = np.uint64(0x9E3779B97F4A7C15)
_CLASSES = 1_600  # of sizes, two per cent each: exp(1600 / 50) is beyond any set
_SAMPLED = 4_096  # documents whose shingles are counted, to know the common ones


class Crowd(NamedTuple):
    """Where each rare shingle of a kept document of some size was seen; empty slots are 0."""

    slots: np.ndarray  # uint64[power of two]: shingle and class of size
    heads: np.ndarray  # int32: a slot's newest link
    links: np.ndarray  # int32[n, 3]: document, place of the shingle in it, next link
    used: np.ndarray  # int64[2]: links, slots
    common: np.ndarray  # uint64[power of two]: shingles that were counted
    counts: np.ndarray  # int32: how often
    sizes: np.ndarray  # bool[classes]: whether a document has such a size


@allocating
def build(members, values, starts, ends, threshold):  # type: ignore[no-untyped-def]
    """The crowd of some documents, ordered by how common their shingles are among them now."""
    step = max(1, len(members) // _SAMPLED)
    n_shingles = 0
    for member in members[::step]:
        n_shingles += ends[member] - starts[member]
    common = np.zeros(_room(n_shingles), np.uint64)
    counts = np.zeros(len(common), np.int32)
    for member in members[::step]:
        for shingle in values[starts[member] : ends[member]]:
            at = _slot(common, shingle)
            common[at] = shingle
            counts[at] += 1
    crowd = Crowd(
        np.zeros(1 << 12, np.uint64),
        np.full(1 << 12, np.int32(-1), np.int32),
        np.empty((1 << 11, 3), np.int32),
        np.zeros(2, np.int64),
        common,
        counts,
        np.zeros(_CLASSES, np.bool_),
    )
    for member in members:
        crowd = insert(crowd, member, values[starts[member] : ends[member]], threshold)
    return crowd


@allocating
def insert(crowd, document, shingles, threshold):  # type: ignore[no-untyped-def]
    """The crowd with a document more."""
    n = len(shingles)
    size = _class(n)
    upto = min(n, n - needed_overlap(n, np.int64(threshold * n), threshold) + 1)
    ordered = _rare_first(crowd, shingles)
    slots, heads, links = crowd.slots, crowd.heads, crowd.links
    for place in range(upto):
        n_links, n_slots = crowd.used
        if 2 * n_slots >= len(slots):
            slots, heads = _wider(slots, heads)
        if n_links == len(links):
            longer = np.empty((2 * n_links, 3), np.int32)
            # A loop: a slice assigned brings along what it would say of an unlike shape, and that
            # takes longer to compile than all else here.
            for link in range(n_links):
                for column in range(3):
                    longer[link, column] = links[link, column]
            links = longer
        key = _key(ordered[place], size)
        at = _slot(slots, key)
        if slots[at] == 0:
            slots[at] = key
            crowd.used[1] += 1
        links[n_links, 0], links[n_links, 1], links[n_links, 2] = document, place, heads[at]
        heads[at] = n_links
        crowd.used[0] += 1
    crowd.sizes[size] = True
    return Crowd(slots, heads, links, crowd.used, crowd.common, crowd.counts, crowd.sizes)


@allocating
def candidates(crowd, document, shingles, starts, ends, threshold, marks, found):  # type: ignore[no-untyped-def]
    """Write the documents that may be as alike as `threshold` to `document` into `found`.

    Those marked with `document` in the second column of `marks` are left out, and those that are
    found are marked. Returns how many links were looked at, and how many documents were found.
    """
    n = len(shingles)
    ordered = _rare_first(crowd, shingles)
    looked = n_found = 0
    for size in range(_class(np.int64(threshold * n) - 1), _class(np.int64(n / threshold) + 1) + 1):
        if not crowd.sizes[size]:
            continue
        smallest = np.int64(np.exp(size / 50.0)) - 1
        upto = min(n, n - needed_overlap(n, smallest, threshold) + 1)
        for place in range(upto):
            link = crowd.heads[_slot(crowd.slots, _key(ordered[place], size))]
            while link >= 0:
                looked += 1
                kept, there, link = crowd.links[link]
                m = ends[kept] - starts[kept]
                if marks[kept, 1] != document and (
                    min(n - place, m - there) >= needed_overlap(n, m, threshold)
                ):
                    marks[kept, 1] = document
                    found[n_found] = kept
                    n_found += 1
    return looked, n_found


@allocating
def _rare_first(crowd, shingles):  # type: ignore[no-untyped-def]
    """The shingles by how often they were counted, of equals the smallest hash first."""
    often = np.empty(len(shingles), np.int32)
    for i in range(len(shingles)):
        often[i] = crowd.counts[_slot(crowd.common, shingles[i])]
    return shingles[np.argsort(often, kind="mergesort")]


@kernel
def _slot(slots, key):  # type: ignore[no-untyped-def]
    """Where a key stands, or the empty slot where it would."""
    mask = np.uint64(len(slots) - 1)
    at = (key * _MIX >> np.uint64(20)) & mask
    while slots[at] != 0 and slots[at] != key:
        at = (at + np.uint64(1)) & mask
    return at


@allocating
def _wider(slots, heads):  # type: ignore[no-untyped-def]
    wide = np.zeros(2 * len(slots), np.uint64)
    wide_heads = np.full(2 * len(slots), np.int32(-1), np.int32)
    for i in range(len(slots)):
        if slots[i] != 0:
            at = _slot(wide, slots[i])
            wide[at], wide_heads[at] = slots[i], heads[i]
    return wide, wide_heads


@kernel
def _room(n):  # type: ignore[no-untyped-def]
    """A power of two of at least twice as many."""
    room = 16
    while room < 2 * n:
        room *= 2
    return room


@kernel
def _key(shingle, size):  # type: ignore[no-untyped-def]
    return (shingle + np.uint64(size) * _MIX) | np.uint64(1)


@kernel
def _class(n):  # type: ignore[no-untyped-def]
    return np.int64(np.log(n) * 50.0) if n > 1 else np.int64(0)
