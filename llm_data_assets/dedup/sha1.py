"""SHA-1 of many short strings at once: the price of being identical to datasketch.

A shingle of five words is one SHA-1 block (up to 55 bytes). Sixteen shingles go through the
rounds side by side, so that LLVM makes one vector instruction of each step; they are taken in the
order of their number of blocks, so that lanes seldom wait for a longer one. SHA-1 is FIPS 180-4,
sections 5.1.1 (padding) and 6.1 (rounds).
"""

import numpy as np
from numba import njit

from llm_data_assets.dedup.kernels import CHARACTERS_PER_WORD, is_unspaced

_LANES = 16
_SPACE = np.uint8(32)


@njit(nogil=True, cache=True)
def sha1_shingles(keys, offsets, ngram):  # type: ignore[no-untyped-def]
    """First four bytes of the SHA-1 of every shingle, little-endian, as datasketch reads them.

    Args:
        keys, offsets: uint8[...] and int64[n + 1], normalised texts.
        ngram: words in a shingle.

    Returns:
        hashes uint64[...], each below 2^32; their offsets int64[n + 1].
    """
    n = len(offsets) - 1
    data = keys.copy()  # texts without spaces lose theirs here
    starts = np.empty(len(keys) + 1, np.int64)
    sizes = np.empty(len(keys) + 1, np.int64)
    ends = np.zeros(n + 1, np.int64)
    total = 0
    for row in range(n):
        text = data[offsets[row] : offsets[row + 1]]
        tokens = starts[total:]
        unspaced = is_unspaced(text, len(text))
        if unspaced:
            count, size = _characters(text, tokens)
            width = CHARACTERS_PER_WORD * ngram
        else:
            count, size = _words(text, tokens), len(text)
            width = ngram
        shingles = max(1, count - width + 1) if count else 0
        for i in range(shingles):
            # A shingle ends where the text does, or before the token after it and its space.
            end = size if i + width >= count else tokens[i + width] - (not unspaced)
            sizes[total + i] = end - tokens[i]
            tokens[i] += offsets[row]
        total += shingles
        ends[row + 1] = total
    hashes = np.empty(total, np.uint64)
    _digest(data, starts[:total], sizes[:total], hashes)
    return hashes, ends


@njit(nogil=True, cache=True)
def _words(text, starts):  # type: ignore[no-untyped-def]
    """Where each word of a normalised text begins; returns how many there are."""
    count = 0
    previous = _SPACE
    for i in range(len(text)):
        starts[count] = i
        count += previous == _SPACE
        previous = text[i]
    return count


@njit(nogil=True, cache=True)
def _characters(text, starts):  # type: ignore[no-untyped-def]
    """Remove the spaces of a normalised text in place and find where each character begins.

    Returns:
        how many characters and how many bytes are left.
    """
    count = 0
    to = 0
    for byte in text:
        starts[count] = to
        count += (byte != _SPACE) & ((byte & 0xC0) != 0x80)
        text[to] = byte
        to += byte != _SPACE
    return count, to


@njit(nogil=True, cache=True)
def _digest(data, starts, sizes, hashes):  # type: ignore[no-untyped-def]
    blocks = (sizes + 8) // 64 + 1
    order = _by_blocks(blocks)
    words = np.empty((16, _LANES), np.uint32)
    state = np.empty((5, _LANES), np.uint32)
    kept = np.empty((5, _LANES), np.uint32)
    first = np.array([0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0], np.uint32)
    for at in range(0, len(order), _LANES):
        lanes = order[at : at + _LANES]
        for i in range(5):
            state[i, :] = first[i]
        for block in range(blocks[lanes[-1]]):
            kept[:] = state
            for lane in range(len(lanes)):
                _fill(data, starts[lanes[lane]], sizes[lanes[lane]], block, words[:, lane])
            _rounds(words, state)
            for lane in range(len(lanes)):
                if block >= blocks[lanes[lane]]:
                    state[:, lane] = kept[:, lane]
        for lane in range(len(lanes)):
            h = state[0, lane]
            h = (h << np.uint32(24)) | ((h & np.uint32(0xFF00)) << np.uint32(8)) | (
                (h >> np.uint32(8)) & np.uint32(0xFF00)
            ) | (h >> np.uint32(24))
            hashes[lanes[lane]] = np.uint32(h)


@njit(nogil=True, cache=True)
def _by_blocks(blocks):  # type: ignore[no-untyped-def]
    """Indices in ascending order of their number of blocks (a stable counting sort)."""
    if len(blocks) == 0:
        return np.empty(0, np.int64)
    ends = np.zeros(blocks.max() + 2, np.int64)
    for each in blocks:
        ends[each + 1] += 1
    ends = np.cumsum(ends)
    order = np.empty(len(blocks), np.int64)
    for i in range(len(blocks)):
        order[ends[blocks[i]]] = i
        ends[blocks[i]] += 1
    return order


@njit(nogil=True, cache=True)
def _fill(data, start, size, block, words):  # type: ignore[no-untyped-def]
    """The sixteen big-endian words of one padded block of one message."""
    for i in range(16):
        at = 64 * block + 4 * i
        rest = size - at
        place = np.uintp(start + at)
        word = np.uint32(0)
        if rest >= 4:
            for j in range(4):
                word |= np.uint32(data[place + np.uintp(j)]) << np.uint32(24 - 8 * j)
        elif rest >= 0:
            for j in range(rest):
                word |= np.uint32(data[place + np.uintp(j)]) << np.uint32(24 - 8 * j)
            word |= np.uint32(0x80) << np.uint32(24 - 8 * rest)
        words[i] = word
    if 64 * block + 56 > size:  # the last block: room for the marker and the length in bits
        words[14] = np.uint32((8 * size) >> 32)
        words[15] = np.uint32(8 * size)


@njit(nogil=True, cache=True)
def _rounds(words, state):  # type: ignore[no-untyped-def]
    """The eighty rounds of one block, every lane at once."""
    v = state.copy()
    for t in range(80):
        w = words[t % 16]
        if t >= 16:
            w3, w8, w14 = words[(t + 13) % 16], words[(t + 8) % 16], words[(t + 2) % 16]
            for i in range(_LANES):
                x = w3[i] ^ w8[i] ^ w14[i] ^ w[i]
                w[i] = (x << np.uint32(1)) | (x >> np.uint32(31))
        # The five variables change places each round; here the rows do instead.
        a, b, c = v[(80 - t) % 5], v[(81 - t) % 5], v[(82 - t) % 5]
        d, e = v[(83 - t) % 5], v[(84 - t) % 5]
        for i in range(_LANES):
            x = np.uint32((a[i] << np.uint32(5)) | (a[i] >> np.uint32(27)))
            if t < 20:
                f = np.uint32(((b[i] & c[i]) | (~b[i] & d[i])) + np.uint32(0x5A827999))
            elif t < 40:
                f = np.uint32((b[i] ^ c[i] ^ d[i]) + np.uint32(0x6ED9EBA1))
            elif t < 60:
                f = np.uint32(((b[i] & c[i]) | (b[i] & d[i]) | (c[i] & d[i])) + np.uint32(0x8F1BBCDC))
            else:
                f = np.uint32((b[i] ^ c[i] ^ d[i]) + np.uint32(0xCA62C1D6))
            e[i] = np.uint32(x + f + e[i] + w[i])
            b[i] = np.uint32((b[i] << np.uint32(30)) | (b[i] >> np.uint32(2)))
    for i in range(5):
        for lane in range(_LANES):
            state[i, lane] = np.uint32(state[i, lane] + v[i, lane])
