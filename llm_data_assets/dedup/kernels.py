"""Texts to shingle hashes and MinHash values, straight over Arrow's UTF-8 buffers.

A kernel here sees whole chunks of documents as bytes and offsets, allocates what it needs, and
never makes a Python object. A document it cannot fold exactly as `normalise` would (a character
outside the table, marks that compose or change places: rare in text that is NFC already) is left
to Python: flagged, and given back empty.

Three steps: `_expand` folds bytes into lower-case words and spaces, 64 at a time while they are
ASCII; `_words` finds where words begin and end in masks of 64 bytes, without a branch a byte, and
hashes each word with two multiplications; `_roll` turns word hashes into shingle hashes.
"""

import numpy as np

from llm_data_assets.dedup.codepoints import (
    CLASS_SHIFT,
    COMPOSES_BACK,
    COMPOSES_ON,
    DROPPED,
    ITSELF,
    KIND,
    MAPPED,
    MAPPING_SHIFT,
    MAX_GROWTH,
    TABLE_SIZE,
    TO_PYTHON,
)
from llm_data_assets.dedup.normalise import UNSPACED_BLOCKS, normalise
from llm_data_assets.dedup.vectors import (
    BLOCK,
    LANES,
    copy_16,
    count_ones,
    fold_ascii,
    load64,
    lower_minima,
    trailing_zeros,
    word_bits,
)
from llm_data_assets.kernel import allocating, kernel

_SPACE = np.uint8(32)
# Readers of eight bytes and of whole blocks run past the end of a text by up to this much.
_PAD = 128

# Odd 64-bit constants: XXH64's primes 1 and 2 (xxHash specification 0.1.1).
_PRIME_1 = np.uint64(0x9E3779B185EBCA87)
_PRIME_2 = np.uint64(0xC2B2AE3D27D4EB4F)
# The characters of a text without spaces: twice as many make a shingle as words do (published
# sets use five words, or eight to ten characters).
CHARACTERS_PER_WORD = 2
# What shingles are made of: words, or characters where the script has no spaces; or always one.
BY_SCRIPT, WORDS, CHARACTERS = range(3)

_ASCII = np.array([ord(normalise(chr(c)) or " ") for c in range(128)], np.uint8)
_UNSPACED = np.array(UNSPACED_BLOCKS, np.int64)
# Masks that keep the first n bytes of a little-endian word, and the bytes after the eighth.
_FIRST = np.array([(1 << 8 * min(n, 8)) - 1 for n in range(17)], np.uint64)
_SECOND = np.array([(1 << 8 * max(n - 8, 0)) - 1 for n in range(17)], np.uint64)


@kernel
def _expand(text, records, mapped, mapped_offsets, wide):  # type: ignore[no-untyped-def]
    """Fold one text into `wide`: word bytes as `normalise` has them, spaces elsewhere, unsqueezed.

    Returns:
        bytes written (-1: leave the text to Python), and whether any character lies at U+0800 or
        above, where the scripts without spaces are.
    """
    n = len(text)
    i = 0
    to = 0
    high = False
    # What a combining mark at `known` would meet: the class of the mark before it, and whether
    # the last character that is no mark may compose. Looked up only after ASCII.
    known = 0
    last_class = 0
    composes_on = False
    while i < n:
        if i + BLOCK <= n:
            foreign = fold_ascii(text, np.uintp(i), wide, np.uintp(to))
            plain = trailing_zeros(foreign)
            i += plain
            to += plain
        else:
            while i < n and text[i] < 128:
                wide[to] = _ASCII[text[i]]
                to += 1
                i += 1
        while i < n and text[i] >= 128:
            byte = text[i]
            size = 2 if byte < 0xE0 else (3 if byte < 0xF0 else 4)
            if i + size > n:
                return -1, high
            if size == 2:
                code = (np.int64(byte & 0x1F) << 6) | (text[i + 1] & 0x3F)
            elif size == 3:
                code = (np.int64(byte & 0x0F) << 12) | (np.int64(text[i + 1] & 0x3F) << 6)
                code |= text[i + 2] & 0x3F
                high = True
            else:
                code = (np.int64(byte & 0x07) << 18) | (np.int64(text[i + 1] & 0x3F) << 12)
                code |= (np.int64(text[i + 2] & 0x3F) << 6) | (text[i + 3] & 0x3F)
                high = True
            if code >= TABLE_SIZE:
                return -1, high
            record = np.int64(records[code])
            kind = record & KIND
            if kind == TO_PYTHON:
                return -1, high
            if known != i:
                last_class = 0
                composes_on = i > 0 and (np.int64(records[text[i - 1]]) & COMPOSES_ON) != 0
            known = i + size
            if kind == DROPPED:
                i += size
                continue
            if (record & COMPOSES_BACK) and composes_on:
                return -1, high
            combining = (record >> CLASS_SHIFT) & 0xFF
            if kind == ITSELF and combining:
                if combining < last_class:
                    return -1, high
            else:
                composes_on = (record & COMPOSES_ON) != 0
            last_class = combining
            if kind == ITSELF:
                for t in range(size):
                    wide[to + t] = text[i + t]
                to += size
            elif kind == MAPPED:
                mapping = record >> MAPPING_SHIFT
                for t in range(mapped_offsets[mapping], mapped_offsets[mapping + 1]):
                    wide[to] = mapped[t]
                    to += 1
            else:
                wide[to] = _SPACE
                to += 1
            i += size
    return to, high


@kernel
def _hash_16(h, wide, start, size):  # type: ignore[no-untyped-def]
    """Take up to 16 of the `size` bytes of a token into its 64-bit hash.

    Bytes past the end count as zero; tokens hold no zero byte, so that is unambiguous.
    """
    part = np.uintp(min(size, 16))
    h = (h ^ (load64(wide, np.uintp(start)) & _FIRST[part])) * _PRIME_1
    h += (load64(wide, np.uintp(start + 8)) & _SECOND[part]) * _PRIME_2
    return h ^ (h >> np.uint64(32))


@kernel
def word_edges(text, edges):  # type: ignore[no-untyped-def]
    """Where each word of a text begins, and where it ends; returns how many there are.

    Args:
        text: uint8[...], words and spaces; up to `BLOCK` bytes past its end are read.
        edges: int64[...], written, some past the last word's.
    """
    n = len(text)
    count = 0
    carry = np.uint64(0)
    for at in range(0, n + 1, BLOCK):
        bits = word_bits(text, np.uintp(at))
        if at + BLOCK > n:
            bits &= (np.uint64(1) << np.uint64(n - at)) - np.uint64(1)
        changes = bits ^ ((bits << np.uint64(1)) | carry)
        carry = bits >> np.uint64(BLOCK - 1)
        # Eight at a time without asking after each: what is too much is written over.
        end = count + count_ones(changes)
        while count < end:
            for i in range(8):
                edges[count + i] = at + trailing_zeros(changes)
                changes &= changes - np.uint64(1)
            count += 8
        count = end
    return count // 2


@kernel
def _words(wide, n, edges, hashes):  # type: ignore[no-untyped-def]
    """Hash of every word of an expanded text; returns how many."""
    count = word_edges(wide[:n], edges)
    longest = 0
    for i in range(count):
        start = edges[2 * i]
        size = edges[2 * i + 1] - start
        longest = max(longest, size)
        hashes[i] = _hash_16(np.uint64(0), wide, start, size)
    if longest > 16:
        for i in range(count):
            start = edges[2 * i]
            size = edges[2 * i + 1] - start
            while size > 16:
                start += 16
                size -= 16
                hashes[i] = _hash_16(hashes[i], wide, start, size)
    return count


@kernel
def _characters(wide, n, hashes):  # type: ignore[no-untyped-def]
    """Hash of every character of an expanded text, spaces aside; returns how many."""
    count = 0
    i = 0
    while i < n:
        byte = wide[i]
        size = 1 if byte < 0xC0 else (2 if byte < 0xE0 else (3 if byte < 0xF0 else 4))
        if byte != _SPACE:
            hashes[count] = _hash_16(np.uint64(0), wide, i, size)
            count += 1
        i += size
    return count


@kernel
def is_unspaced(wide, n):  # type: ignore[no-untyped-def]
    """`normalise.is_unspaced` of an expanded text."""
    letters = 0
    unspaced = 0
    i = 0
    while i < n:
        byte = wide[i]
        size = 1 if byte < 0xC0 else (2 if byte < 0xE0 else (3 if byte < 0xF0 else 4))
        letters += byte != _SPACE
        if size > 2:
            code = np.int64(byte & (0x0F if size == 3 else 0x07))
            for t in range(1, size):
                code = (code << 6) | (wide[i + t] & 0x3F)
            for block in range(len(_UNSPACED)):
                unspaced += (_UNSPACED[block, 0] <= code) & (code <= _UNSPACED[block, 1])
        i += size
    return letters > 0 and 2 * unspaced >= letters


@kernel
def _roll(tokens, n, width, out):  # type: ignore[no-untyped-def]
    """Hash every run of `width` tokens (all of them, if fewer) into `out`; returns how many.

    A polynomial in the token hashes, rolled along, then MurmurHash3's 64-bit finalizer.
    """
    if n == 0:
        return 0
    power = np.uint64(1)
    total = np.uint64(0)
    for i in range(min(n, width)):
        total = total * _PRIME_2 + tokens[i]
        power *= _PRIME_2
    out[0] = total
    for i in range(width, n):
        total = total * _PRIME_2 + (tokens[i] - tokens[i - width] * power)
        out[i - width + 1] = total
    count = max(1, n - width + 1)
    for i in range(count):
        h = out[i]
        h = (h ^ (h >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
        h = (h ^ (h >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
        out[i] = h ^ (h >> np.uint64(33))
    return count


@allocating
def hash_shingles(  # type: ignore[no-untyped-def]
    data, offsets, is_key, records, mapped, mapped_offsets, ngram, unit
):
    """64-bit hash of every shingle of every text, in order, repeats included.

    Args:
        data, offsets: uint8[...] and int64[n + 1], the texts.
        is_key: whether the texts are normalised already, by Python.
        records, mapped, mapped_offsets: `codepoints.CodePoints`.
        ngram, unit: tokens in a shingle, and what a token is (BY_SCRIPT, WORDS, CHARACTERS).

    Returns:
        hashes uint64[...]; their offsets int64[n + 1]; left bool[n], the texts for Python.
    """
    n = len(offsets) - 1
    longest = 0
    for row in range(n):
        longest = max(longest, offsets[row + 1] - offsets[row])
    wide = np.empty(MAX_GROWTH * longest + _PAD, np.uint8)
    edges = np.empty(MAX_GROWTH * longest + _PAD, np.int64)
    tokens = np.empty(MAX_GROWTH * longest + 1, np.uint64)
    hashes = np.empty(MAX_GROWTH * (offsets[n] - offsets[0]) + 1, np.uint64)
    ends = np.zeros(n + 1, np.int64)
    left = np.zeros(n, np.bool_)
    for row in range(n):
        ends[row + 1] = ends[row]
        text = data[offsets[row] : offsets[row + 1]]
        size = len(text)
        if is_key:
            top = np.uint8(0)
            for i in range(size):
                wide[i] = text[i]
                top = max(top, text[i])
            high = top >= 0xE0
        else:
            size, high = _expand(text, records, mapped, mapped_offsets, wide)
            if size < 0:
                left[row] = True
                continue
        if unit == CHARACTERS:
            count = _characters(wide, size, tokens)
            width = ngram
        elif unit == BY_SCRIPT and high and is_unspaced(wide, size):
            count = _characters(wide, size, tokens)
            width = CHARACTERS_PER_WORD * ngram
        else:
            count = _words(wide, size, edges, tokens)
            width = ngram
        ends[row + 1] += _roll(tokens, count, width, hashes[ends[row] :])
    return hashes[: ends[n]], ends, left


@allocating
def fold_texts(data, offsets, is_key, records, mapped, mapped_offsets):  # type: ignore[no-untyped-def]
    """`normalise` of every text as UTF-8; arguments and results as those of `hash_shingles`."""
    n = len(offsets) - 1
    longest = 0
    for row in range(n):
        longest = max(longest, offsets[row + 1] - offsets[row])
    wide = np.empty(MAX_GROWTH * longest + _PAD, np.uint8)
    edges = np.empty(MAX_GROWTH * longest + _PAD, np.int64)
    folded = np.empty(MAX_GROWTH * (offsets[n] - offsets[0]) + n + _PAD, np.uint8)
    ends = np.zeros(n + 1, np.int64)
    left = np.zeros(n, np.bool_)
    for row in range(n):
        ends[row + 1] = ends[row]
        text = data[offsets[row] : offsets[row + 1]]
        size = len(text)
        if is_key:
            for i in range(size):
                wide[i] = text[i]
        else:
            size, _ = _expand(text, records, mapped, mapped_offsets, wide)
            if size < 0:
                left[row] = True
                continue
        to = ends[row]
        for word in range(word_edges(wide[:size], edges)):
            start, stop = edges[2 * word], edges[2 * word + 1]
            for at in range(start, stop, 16):
                copy_16(wide, np.uintp(at), folded, np.uintp(to + at - start))
            to += stop - start
            folded[to] = _SPACE
            to += 1
        ends[row + 1] = max(to - 1, ends[row])
    return folded[: ends[n]], ends, left


@allocating
def take_minima(hashes, offsets, a, b, out):  # type: ignore[no-untyped-def]
    """MinHash values of sets of 64-bit hashes, of which the low 32 bits count.

    Exactly datasketch 2.0's `affine32`: MurmurHash3's 32-bit finalizer, then the minimum of
    `a * h + b` modulo 2^32 for each permutation; an empty set has the largest value everywhere.

    Args:
        hashes, offsets: uint64[...] and int64[n + 1], the sets; repeats change nothing.
        a, b: uint32[num_perm], the permutations, each `a` odd.
        out: uint32[n, num_perm], written.
    """
    num_perm = len(a)
    padded = (num_perm + LANES - 1) // LANES * LANES
    factors = np.ones(padded, np.uint32)
    addends = np.zeros(padded, np.uint32)
    for p in range(num_perm):
        factors[p], addends[p] = a[p], b[p]
    minima = np.empty(padded, np.uint32)
    mixed = np.empty(1024, np.uint32)
    for document in range(len(out)):
        for p in range(padded):
            minima[p] = np.uint32(0xFFFFFFFF)
        for at in range(offsets[document], offsets[document + 1], len(mixed)):
            count = min(len(mixed), offsets[document + 1] - at)
            for i in range(count):
                h = np.uint32(hashes[at + i])
                h = np.uint32((h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B))
                h = np.uint32((h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35))
                mixed[i] = h ^ (h >> np.uint32(16))
            for p in range(0, padded, LANES):
                lower_minima(mixed, count, factors, addends, minima, p)
        for p in range(num_perm):
            out[document, p] = minima[p]
