"""Who shares a key with whom, among very many keys of which few are shared.

A table of two-bit counters, eight a key, says which keys may stand more than once; only those
are sorted. That reads every key twice in order and needs two bytes a key beside them.
"""

import numpy as np
from numba import njit

_SLOTS_PER_KEY = 8
_MIX = 0x9E3779B185EBCA87


def equal_keys(
    keys: np.ndarray, more: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The groups of equal keys that have at least two members.

    Args:
        keys: uint64[n], well mixed.
        more: uint64[n], a second half of each key.

    Returns:
        members int32[k], group by group, in any order within one; where each group starts
        int32[g]; group of each member int32[k].
    """
    members = repeated_keys(keys)
    found = keys[members]
    order = np.argsort(found)
    second = found if more is None else more[members]
    if more is not None:
        halves = found[order], second[order]
        alike = halves[0][1:] == halves[0][:-1]
        if (alike & (halves[1][1:] != halves[1][:-1])).any():  # two keys of one first half
            order = np.lexsort((second, found))
    return _groups(members[order], found[order], second[order])


@njit(nogil=True, cache=True)
def _groups(members, first, second):  # type: ignore[no-untyped-def]
    n = len(members)
    found, groups = np.empty(n, np.int32), np.empty(n, np.int32)
    starts = np.empty(n // 2 + 1, np.int32)
    to = group = 0
    at = 0
    while at < n:
        end = at + 1
        while end < n and first[end] == first[at] and second[end] == second[at]:
            end += 1
        if end - at > 1:
            starts[group] = to
            for i in range(at, end):
                found[to], groups[to] = members[i], group
                to += 1
            group += 1
        at = end
    # Copies, so that what was kept for keys that are alone after all can go.
    return found[:to].copy(), starts[:group].copy(), groups[:to].copy()


def repeated_keys(keys: np.ndarray) -> np.ndarray:
    """Positions of all keys that stand more than once, and of a few that do not, ascending."""
    bits = max(2, int(_SLOTS_PER_KEY * max(1, len(keys)) - 1).bit_length())
    counters = np.zeros(1 << (bits - 2), np.uint8)
    return _repeated(keys, counters, np.uint64(64 - bits))


@njit(nogil=True, cache=True)
def _repeated(keys, counters, shift):  # type: ignore[no-untyped-def]
    found = 0
    for key in keys:
        slot = (key * np.uint64(_MIX)) >> shift
        place = np.uint8(2) * np.uint8(slot & np.uint64(3))
        count = counters[slot >> np.uint64(2)]
        before = (count >> place) & np.uint8(1)
        found += before
        counters[slot >> np.uint64(2)] = count | (
            (np.uint8(1) | np.uint8(before << np.uint8(1))) << place
        )
    positions = np.empty(2 * found + 1, np.int32)
    to = 0
    for i in range(len(keys)):
        slot = (keys[i] * np.uint64(_MIX)) >> shift
        place = np.uint8(2) * np.uint8(slot & np.uint64(3))
        if (counters[slot >> np.uint64(2)] >> place) & np.uint8(2):
            positions[to] = i
            to += 1
    return positions[:to]


@njit(nogil=True, cache=True)
def fill_band_keys(signatures, rows, keys):  # type: ignore[no-untyped-def]
    """One key a band: a polynomial in its values, then MurmurHash3's 64-bit finalizer.

    Args:
        signatures: uint32 or uint64[n, ...], `rows` of them a band.
        keys: uint64[bands, n], written.
    """
    factor = np.uint64(_MIX)
    for document in range(len(signatures)):
        values = signatures[document]
        for band in range(len(keys)):
            key = np.uint64(band + 1)
            for at in range(band * rows, band * rows + rows):
                key = key * factor + np.uint64(values[at])
            key = (key ^ (key >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
            key = (key ^ (key >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
            keys[band, document] = key ^ (key >> np.uint64(33))
