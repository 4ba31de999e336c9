"""Shingle hashes with repeats, to sets: how large each is, and its members in ascending order."""

import numpy as np

from llm_data_assets.kernel import allocating, kernel

_BITS = np.uint64(64)


@allocating
def count_distinct(hashes, offsets):  # type: ignore[no-untyped-def]
    """How many distinct values each set of 64-bit hashes has, int32[n]; zero is not one of them.

    (A shingle hashes to zero with probability 2^-64.) Open addressing in a table twice the size.
    """
    n = len(offsets) - 1
    table = np.empty(1 << _log_slots(_largest(offsets)), np.uint64)
    counts = np.zeros(n, np.int32)
    for row in range(n):
        size = 1 << _log_slots(offsets[row + 1] - offsets[row])
        for slot in range(size):
            table[slot] = 0
        for at in range(offsets[row], offsets[row + 1]):
            slot = hashes[at] & np.uint64(size - 1)
            while table[slot] != 0 and table[slot] != hashes[at]:
                slot = (slot + np.uint64(1)) & np.uint64(size - 1)
            counts[row] += table[slot] == 0
            table[slot] = hashes[at]
    return counts


@allocating
def sorted_sets(hashes, offsets):  # type: ignore[no-untyped-def]
    """The distinct values of each set of 64-bit hashes, ascending; zero is not one of them.

    Hashes are uniform, so a table addressed by their highest bits is nearly in order: linear
    probing that keeps a larger value behind a smaller one makes it so (Amble and Knuth 1974,
    "Ordered hash tables"), and drops repeats on the way. Nothing wraps: the last value may be
    pushed past the slots by as many as there are values.

    Returns:
        values uint64[...] and their offsets int64[n + 1].
    """
    n = len(offsets) - 1
    largest = _largest(offsets)
    table = np.empty((1 << _log_slots(largest)) + largest + 1, np.uint64)
    out = np.empty(offsets[n] - offsets[0] + 1, np.uint64)
    ends = np.zeros(n + 1, np.int64)
    for row in range(n):
        count = offsets[row + 1] - offsets[row]
        log_slots = _log_slots(count)
        slots = (1 << log_slots) + count + 1
        for slot in range(slots):
            table[slot] = 0
        # A shift by 64 bits is not defined: one value has two slots, and none is not asked for one.
        shift = _BITS - np.uint64(log_slots)
        for at in range(offsets[row], offsets[row + 1]):
            value = hashes[at]
            slot = value >> shift
            while table[slot] != 0 and table[slot] < value:
                slot += np.uint64(1)
            while value != 0 and table[slot] != value:
                value, table[slot] = table[slot], value
                slot += np.uint64(1)
        to = ends[row]
        for slot in range(slots):
            out[to] = table[slot]
            to += table[slot] != 0
        ends[row + 1] = to
    return out[: ends[n]], ends


@kernel
def _largest(offsets):  # type: ignore[no-untyped-def]
    largest = 0
    for row in range(len(offsets) - 1):
        largest = max(largest, offsets[row + 1] - offsets[row])
    return largest


@kernel
def _log_slots(count):  # type: ignore[no-untyped-def]
    """The power of two that makes at least twice as many slots as there are values."""
    log_slots = 0
    while 1 << log_slots < 2 * count:
        log_slots += 1
    return log_slots
