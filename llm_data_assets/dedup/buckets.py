"""Who shares a key with whom, among very many keys of which few are shared.

Keys are dealt into parts by their leading bits, small enough that looking each up in its part's
hash table stays in a core's cache. Where there are too many to deal at once, a table of two-bit
counters, eight a key, first says which keys may stand more than once, and only those are dealt:
that reads every key twice in order and needs two bytes a key beside them.
"""

import numpy as np

from llm_data_assets.kernel import allocating, kernel

_SLOTS_PER_KEY = 8
_MIX = 0x9E3779B185EBCA87
# Keys dealt at once (20 bytes each meanwhile), and about how many come to a part.
_DEALT = 1 << 22
_PART = 1 << 12
_PARTS = 1 << 10


def equal_keys(
    keys: np.ndarray,
    more: np.ndarray | None = None,
    rows: np.ndarray | None = None,
    shift: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The groups of equal keys that have at least two members.

    Args:
        keys: uint64[...], well mixed.
        more: uint64[...], a second half of each key.
        rows: int32[n], which keys to look at, a member being a place in `rows`; all if absent.
        shift: uint64[n], added to the key of each member: keys of unlike shifts are not equal.

    Returns:
        members int32[k], of each group in ascending order, groups among each other in any; group
        of each member int32[k]; first member of each group int32[g].
    """
    n = len(keys) if rows is None else len(rows)
    places = None
    if n > _DEALT:
        bits = int(_SLOTS_PER_KEY * n - 1).bit_length()
        counters = np.zeros(1 << (bits - 2), np.uint8)
        places = _repeated(keys, rows, shift, counters, np.uint64(64 - bits))
        n = len(places)
    bits = max(1, min(_PARTS, n // _PART)).bit_length()
    dealt, members, starts = _dealt(keys, rows, shift, places, n, bits)
    return _grouped(dealt, members, starts, more, rows)


@kernel
def _key(keys, rows, shift, at):  # type: ignore[no-untyped-def]
    key = keys[at] if rows is None else keys[rows[at]]
    return key if shift is None else key + shift[at]


@allocating
def _repeated(keys, rows, shift, counters, down):  # type: ignore[no-untyped-def]
    """Places of all keys that stand more than once, and of a few that do not, ascending."""
    n = len(keys) if rows is None else len(rows)
    found = 0
    for at in range(n):
        slot = (_key(keys, rows, shift, at) * np.uint64(_MIX)) >> down
        place = np.uint8(2) * np.uint8(slot & np.uint64(3))
        count = counters[slot >> np.uint64(2)]
        before = (count >> place) & np.uint8(1)
        found += before
        counters[slot >> np.uint64(2)] = count | (
            (np.uint8(1) | np.uint8(before << np.uint8(1))) << place
        )
    places = np.empty(2 * found + 1, np.int32)
    to = 0
    for at in range(n):
        slot = (_key(keys, rows, shift, at) * np.uint64(_MIX)) >> down
        place = np.uint8(2) * np.uint8(slot & np.uint64(3))
        if (counters[slot >> np.uint64(2)] >> place) & np.uint8(2):
            places[to] = at
            to += 1
    return places[:to]


@allocating
def _dealt(keys, rows, shift, places, n, bits):  # type: ignore[no-untyped-def]
    """Keys and their places, part by part, in order within one; where each part starts."""
    down = np.uint64(64 - bits)
    starts = np.zeros((1 << bits) + 1, np.int64)
    for i in range(n):
        key = _key(keys, rows, shift, i if places is None else places[i])
        starts[((key * np.uint64(_MIX)) >> down) + np.uint64(1)] += 1
    for part in range(1 << bits):
        starts[part + 1] += starts[part]
    dealt, members = np.empty(n, np.uint64), np.empty(n, np.int32)
    to = starts.copy()
    for i in range(n):
        at = i if places is None else places[i]
        key = _key(keys, rows, shift, at)
        part = (key * np.uint64(_MIX)) >> down
        dealt[to[part]], members[to[part]] = key, at
        to[part] += 1
    return dealt, members, starts


@allocating
def _grouped(dealt, members, starts, more, rows):  # type: ignore[no-untyped-def]
    n = len(dealt)
    room = np.int64(16)
    longest = np.int64(0)
    for part in range(len(starts) - 1):
        longest = max(longest, starts[part + 1] - starts[part])
    while room < 4 * longest:
        room *= 2
    mask = np.uint64(room - 1)
    # A slot names the first of a key, in the order dealt, and its group. One of an earlier part
    # than the present, whose first is `start`, is free.
    slots, group_of = np.full(room, -1, np.int32), np.empty(room, np.int32)
    found, groups = np.empty(n, np.int32), np.empty(n, np.int32)
    firsts = np.empty(n // 2 + 1, np.int32)
    n_found = n_groups = 0
    for part in range(len(starts) - 1):
        start = starts[part]
        for i in range(start, starts[part + 1]):
            key, member = dealt[i], members[i]
            slot = key & mask
            while slots[slot] >= start:
                first = members[slots[slot]]
                if dealt[slots[slot]] == key and _are_equal(more, rows, first, member):
                    break
                slot = (slot + np.uint64(1)) & mask
            if slots[slot] < start:
                slots[slot], group_of[slot] = i, -1
                continue
            if group_of[slot] < 0:
                group_of[slot] = n_groups
                firsts[n_groups] = first
                found[n_found], groups[n_found] = first, n_groups
                n_groups += 1
                n_found += 1
            found[n_found], groups[n_found] = member, group_of[slot]
            n_found += 1
    # Copies, so that what was kept for keys that are alone after all can go.
    return found[:n_found].copy(), groups[:n_found].copy(), firsts[:n_groups].copy()


@kernel
def _are_equal(more, rows, left, right):  # type: ignore[no-untyped-def]
    """Whether the second halves of two members' keys are equal, if there are such."""
    if more is None:
        return True
    if rows is None:
        return more[left] == more[right]
    return more[rows[left]] == more[rows[right]]


@kernel
def fill_band_keys(signatures, rows, keys):  # type: ignore[no-untyped-def]
    """One key a band: a polynomial in its values, then MurmurHash3's 64-bit finalizer.

    Args:
        signatures: uint32 or uint64[n, ...], `rows` of them a band.
        keys: uint64[bands, n], written.
    """
    # Four values at once, whose products wait for nothing, and places without a sign, which Numba
    # would ask after: together half the time.
    one, four, rows = np.uint64(1), np.uint64(4), np.uint64(rows)
    factor = np.uint64(_MIX)
    square = factor * factor
    cube, fourth = square * factor, square * square
    for document in range(len(signatures)):
        values = signatures[document]
        at = np.uint64(0)
        for band in range(len(keys)):
            key = np.uint64(band + 1)
            end = at + rows
            while at + four <= end:
                left = np.uint64(values[at]) * cube + np.uint64(values[at + one]) * square
                at += one + one
                right = np.uint64(values[at]) * factor + np.uint64(values[at + one])
                at += one + one
                key = key * fourth + (left + right)
            while at < end:
                key = key * factor + np.uint64(values[at])
                at += one
            key = (key ^ (key >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
            key = (key ^ (key >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
            keys[band, document] = key ^ (key >> np.uint64(33))
