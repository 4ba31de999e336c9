"""Who shares a key with whom, among very many keys of which few are shared.

Keys are dealt into parts by their leading bits, small enough that looking each up in its part's
hash table stays in a core's cache. Where there are too many to deal at once, a table of two-bit
counters, eight a key, first says which keys may stand more than once, and only those are dealt:
that reads every key twice in order and needs two bytes a key beside them.
"""

import numpy as np

from llm_data_assets.dedup.vectors import prefetch
from llm_data_assets.kernel import allocating, kernel

_SLOTS_PER_KEY = 8
_MIX = 0x9E3779B185EBCA87
# Keys dealt at once (20 bytes each meanwhile), and about how many come to a part.
_DEALT = 1 << 22
_PART = 1 << 12
_PARTS = 1 << 10
# How many signatures ahead the next are asked for: a third less time than without.
_AHEAD, _CACHE_LINE = 8, 64


def equal_keys(
    keys: np.ndarray,
    more: np.ndarray | None = None,
    rows: np.ndarray | None = None,
    shift: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The groups of equal keys that have at least two members.

    Of a key 33 bits are compared and more, 52 of a million keys: enough to look closer at those
    who share one. Where that has to be certain, give `more`, which is compared in full.

    Args:
        keys: uint64[...].
        more: uint64[...], a second half of each key, or the keys themselves.
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
    members = np.uint64((1 << (len(keys) if rows is None else len(rows)).bit_length()) - 1)
    dealt, starts, ends = _dealt(keys, rows, shift, places, n, bits, members)
    return _grouped(dealt, starts, ends, n, members, more, rows)


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
def _dealt(keys, rows, shift, places, n, bits, members):  # type: ignore[no-untyped-def]
    """Of each key the bits that follow those of its part, above its place in the bits `members`;
    in order within a part, uint64[...]. And where each part starts and ends."""
    n_parts, n_each = 1 << bits, n / (1 << bits)
    # What chance alone brings to a part, and eight standard deviations: only where copies bring
    # more is it counted how many come to each.
    room = np.int64(n_each + 8 * np.sqrt(n_each)) + 8
    starts = room * np.arange(n_parts + 1)
    ends, dealt = starts[:-1].copy(), np.empty(room * n_parts, np.uint64)
    if not _deal(keys, rows, shift, places, n, bits, members, starts, ends, dealt):
        starts = _counted(keys, rows, shift, places, n, bits)
        ends, dealt = starts[:-1].copy(), np.empty(n, np.uint64)
        _deal(keys, rows, shift, places, n, bits, members, starts, ends, dealt)
    return dealt, starts, ends


@allocating
def _counted(keys, rows, shift, places, n, bits):  # type: ignore[no-untyped-def]
    """Where parts start that have just the room they need."""
    starts = np.zeros((1 << bits) + 1, np.int64)
    for i in range(n):
        key = _key(keys, rows, shift, i if places is None else places[i])
        starts[((key * np.uint64(_MIX)) >> np.uint64(64 - bits)) + np.uint64(1)] += 1
    for part in range(len(starts) - 1):
        starts[part + 1] += starts[part]
    return starts


@kernel
def _deal(keys, rows, shift, places, n, bits, members, starts, ends, dealt):  # type: ignore[no-untyped-def]
    """Put each key where its part ends so far; False where a part has no room for it."""
    down, bits = np.uint64(64 - bits), np.uint64(bits)
    for i in range(n):
        at = i if places is None else places[i]
        mixed = _key(keys, rows, shift, at) * np.uint64(_MIX)
        part = mixed >> down
        end = ends[part]
        if end == starts[part + np.uint64(1)]:
            return False
        dealt[end] = ((mixed << bits) & ~members) | np.uint64(at)
        ends[part] = end + 1
    return True


@allocating
def _grouped(dealt, starts, ends, n, members, more, rows):  # type: ignore[no-untyped-def]
    longest = np.int64(0)
    for part in range(len(ends)):
        longest = max(longest, ends[part] - starts[part])
    down = np.uint64(60)
    while (1 << (np.uint64(64) - down)) < 4 * longest:
        down -= np.uint64(1)
    mask = (np.uint64(1) << (np.uint64(64) - down)) - np.uint64(1)
    # A slot names the first of a key, in the order dealt; one of an earlier part than the present,
    # whose first is `start`, is free.
    slots = np.full(np.int64(mask) + 1, -1, np.int32)
    group_of = np.empty(longest, np.int32)  # of the firsts of a part
    found, groups = np.empty(n, np.int32), np.empty(n, np.int32)
    firsts = np.empty(n // 2 + 1, np.int32)
    n_found = n_groups = 0
    for part in range(len(ends)):
        start = starts[part]
        for i in range(start, ends[part]):
            key, member = dealt[i] & ~members, dealt[i] & members
            slot = key >> down
            group_of[i - start] = -1
            while slots[slot] >= start:
                other = dealt[slots[slot]]
                if other & ~members == key and _are_equal(more, rows, other & members, member):
                    break
                slot = (slot + np.uint64(1)) & mask
            if slots[slot] < start:
                slots[slot] = i
                continue
            first = slots[slot] - start
            if group_of[first] < 0:
                group_of[first] = n_groups
                firsts[n_groups] = found[n_found] = dealt[slots[slot]] & members
                groups[n_found] = n_groups
                n_groups += 1
                n_found += 1
            found[n_found], groups[n_found] = member, group_of[first]
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
    """One key a band: a polynomial in its values, then half of MurmurHash3's finalizer.

    Args:
        signatures: uint32 or uint64[n, ...], `rows` of them a band.
        keys: uint64[bands, n], written.
    """
    factor = np.uint64(_MIX)
    square = factor * factor
    cube, fourth = square * factor, square * square
    width, line = signatures.shape[1], _CACHE_LINE // signatures.itemsize
    for document in range(len(signatures)):
        for at in range(0, width, line):
            prefetch(signatures, np.uintp((document + _AHEAD) * width + at))
        at = 0
        for band in range(len(keys)):
            key = np.uint64(band + 1)
            # Four values at once, whose products wait for nothing.
            for _ in range(rows // 4):
                left = np.uint64(signatures[document, at]) * cube
                left += np.uint64(signatures[document, at + 1]) * square
                right = np.uint64(signatures[document, at + 2]) * factor
                key = key * fourth + left + right + np.uint64(signatures[document, at + 3])
                at += 4
            for _ in range(rows % 4):
                key = key * factor + np.uint64(signatures[document, at])
                at += 1
            key = (key ^ (key >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
            keys[band, document] = key ^ (key >> np.uint64(33))
