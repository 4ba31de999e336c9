"""SHA-1 of many short strings at once: the price of being identical to datasketch.

A shingle of five words is one SHA-1 block (up to 55 bytes). Sixteen shingles go through the
rounds side by side, a vector instruction a step; they are taken in the order of their number of
blocks, so that lanes seldom wait for a longer one. SHA-1 is FIPS 180-4,
sections 5.1.1 (padding) and 6.1 (rounds).
"""

import numpy as np

from llm_data_assets.dedup.kernels import (
    BY_SCRIPT,
    CHARACTERS,
    CHARACTERS_PER_WORD,
    is_unspaced,
    word_edges,
)
from llm_data_assets.dedup.vectors import LANES, add_sha1_block
from llm_data_assets.kernel import allocating, kernel

# A block that holds only padding begins up to 8 bytes past the end of its message.
_PAD = 80
_ONE_BLOCK = 55  # bytes that leave room for the end marker and the length
_INITIAL = np.array([0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0], np.uint32)
_SPACE = np.uint8(32)


@allocating
def sha1_shingles(keys, offsets, ngram, unit):  # type: ignore[no-untyped-def]
    """First four bytes of the SHA-1 of every shingle, little-endian, as datasketch reads them.

    Args:
        keys, offsets: uint8[...] and int64[n + 1], normalised texts.
        ngram, unit: as `kernels.hash_shingles` has them.

    Returns:
        hashes uint64[...], each below 2^32; their offsets int64[n + 1].
    """
    n = len(offsets) - 1
    data = np.zeros(len(keys) + _PAD, np.uint8)  # texts without spaces lose theirs here
    for i in range(len(keys)):
        data[i] = keys[i]
    starts = np.empty(len(keys) + 1, np.int64)
    sizes = np.empty(len(keys) + 1, np.int64)
    edges = np.empty(2 * len(keys) + _PAD, np.int64)
    ends = np.zeros(n + 1, np.int64)
    total = 0
    for row in range(n):
        text = data[offsets[row] : offsets[row + 1]]
        if unit == CHARACTERS or (unit == BY_SCRIPT and is_unspaced(text, len(text))):
            count = _character_edges(text, edges)
            width = ngram if unit == CHARACTERS else CHARACTERS_PER_WORD * ngram
        else:
            count = word_edges(text, edges)
            width = ngram
        last = min(count, width) - 1
        shingles = count - last if count else 0
        for i in range(shingles):
            start, end = edges[2 * i], edges[2 * (i + last) + 1]
            starts[total + i] = offsets[row] + start
            sizes[total + i] = end - start
        total += shingles
        ends[row + 1] = total
    hashes = np.empty(total, np.uint64)
    _digest(data, starts[:total], sizes[:total], hashes)
    return hashes, ends


@kernel
def _character_edges(text, edges):  # type: ignore[no-untyped-def]
    """Remove the spaces of a normalised text in place, and find where each character begins and
    ends; returns how many there are."""
    count = 0
    to = 0
    for byte in text:
        begins = (byte != _SPACE) & ((byte & 0xC0) != 0x80)
        edges[2 * count] = to
        count += begins
        text[to] = byte
        to += byte != _SPACE
        edges[2 * max(count, 1) - 1] = to
    return count


@allocating
def _digest(data, starts, sizes, hashes):  # type: ignore[no-untyped-def]
    """Hash `size` bytes of `data` from each start on; `_PAD` bytes past the end are read."""
    places = np.zeros(LANES, np.int64)
    rest = np.zeros(LANES, np.int32)
    tail = np.zeros((2, LANES), np.uint32)
    initial = np.empty((5, LANES), np.uint32)
    for i in range(5):
        initial[i] = _INITIAL[i]
    state = np.empty((5, LANES), np.uint32)
    lanes, longer = np.zeros(LANES, np.int64), np.empty(len(sizes), np.int64)
    n_lanes = n_longer = 0
    for i in range(len(sizes)):
        if sizes[i] > _ONE_BLOCK:
            longer[n_longer] = i
            n_longer += 1
            continue
        lanes[n_lanes] = i
        places[n_lanes] = starts[i]
        rest[n_lanes] = sizes[i]
        tail[1, n_lanes] = sizes[i] << 3
        n_lanes += 1
        if n_lanes == LANES:  # a loop of its own, of a fixed length: a twentieth of the time
            add_sha1_block(data, places, rest, tail, initial, state)
            for lane in range(LANES):
                hashes[lanes[lane]] = _first_bytes(state[0, lane])
            n_lanes = 0
    add_sha1_block(data, places, rest, tail, initial, state)
    for lane in range(n_lanes):
        hashes[lanes[lane]] = _first_bytes(state[0, lane])
    lasts = (sizes + 8) >> 6  # the number of each message's last block
    order = longer[_by_blocks(lasts[longer[:n_longer]])]
    for at in range(0, n_longer, LANES):
        lanes = order[at : at + LANES]
        state[:] = initial
        for block in range(lasts[lanes[-1]] + 1):
            for lane in range(len(lanes)):
                # A lane that is done goes on with its last block, to no effect.
                size, last = sizes[lanes[lane]], lasts[lanes[lane]]
                this = min(block, last)
                rest[lane] = min(size - 64 * this, 64)
                tail[0, lane] = np.uint32(size >> 29) if this == last else np.uint32(0)
                tail[1, lane] = np.uint32(size << 3) if this == last else np.uint32(0)
                places[lane] = starts[lanes[lane]] + 64 * this
            add_sha1_block(data, places, rest, tail, state, state)
            for lane in range(len(lanes)):
                if block == lasts[lanes[lane]]:
                    hashes[lanes[lane]] = _first_bytes(state[0, lane])


@kernel
def _first_bytes(word):  # type: ignore[no-untyped-def]
    """A big-endian word as the little-endian number of the same four bytes."""
    word = np.uint64(word)
    low, high = word & np.uint64(0xFF00), (word >> np.uint64(8)) & np.uint64(0xFF00)
    ends = ((word & np.uint64(0xFF)) << np.uint64(24)) | (word >> np.uint64(24))
    return ends | (low << np.uint64(8)) | high


@allocating
def _by_blocks(blocks):  # type: ignore[no-untyped-def]
    """Indices in ascending order of their number of blocks (a stable counting sort)."""
    most = 0
    for each in blocks:
        most = max(most, each)
    ends = np.zeros(most + 2, np.int64)
    for each in blocks:
        ends[each + 1] += 1
    for i in range(most + 1):
        ends[i + 1] += ends[i]
    order = np.empty(len(blocks), np.int64)
    for i in range(len(blocks)):
        order[ends[blocks[i]]] = i
        ends[blocks[i]] += 1
    return order
