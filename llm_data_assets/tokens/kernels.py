"""UTF-8 to ids of a BPE model, straight over Arrow's buffers, with a cache of whole words.

Texts are cut into words where no merge can cross (`merges`). A word seen before is one look-up in
a hash table of exact bytes; an unseen one is merged as SentencePiece would, and remembered.
SentencePiece itself is the reference that tests hold this to.
"""

import numpy as np

from llm_data_assets.dedup.vectors import load32, load64, trailing_zeros
from llm_data_assets.kernel import allocating, inlined, kernel
from llm_data_assets.tokens.kernels_cache import (
    FIRST,
    FULL,
    ID,
    LONG,
    MANY,
    SECOND,
    SHORT,
    U21,
    U42,
    U48,
    U56,
    find,
    home,
    log2,
    recall,
    remember,
    width,
)
from llm_data_assets.tokens.merges import ASK, CODE_POINTS, CUT, EMPTY, JOIN, MULTIPLIER

PAD = 16  # readers of eight bytes run past the end of a text by up to this much
SLACK = 8  # ids written past the last one
MARKS = 64 + PAD  # places of `cut_words` past the last byte
_U8 = np.uint64(8)
_ASKED = np.uint64(0x0202020202020202)
_ONES = np.uint64(0x0101010101010101)
_GATHER = np.uint64(0x0102040810204080)  # brings the lowest bits of eight bytes to the top byte
FOUR = np.uint64(4 << 48)
ABOVE = np.uint64(0xFFFFFFFFFFFFFFFE)  # all bits above the first; shifted, above another
_NO_RANK = np.int64(1) << 40

SYMBOL, BEGIN, AFTER, BEFORE, RANK, UNION, HEAP = range(7)


@allocating
def prepare(text, offsets, as_prefix, as_suffix):  # type: ignore[no-untyped-def]
    """A copy with U+2581 as a space, and a space before or after every text that is not empty.

    Returns:
        uint8[... + PAD] and int64[n + 1].
    """
    n = len(offsets) - 1
    out = np.empty(offsets[n] - offsets[0] + n + PAD, np.uint8)
    places = np.zeros(n + 1, np.int64)
    at = 0
    for document in range(n):
        start, end = offsets[document], offsets[document + 1]
        if as_prefix and end > start:
            out[at] = 32
            at += 1
        i = start
        while i < end:
            if text[i] == 0xE2 and i + 2 < end and text[i + 1] == 0x96 and text[i + 2] == 0x81:
                out[at] = 32
                i += 3
            else:
                out[at] = text[i]
                i += 1
            at += 1
        if as_suffix and end > start:
            out[at] = 32
            at += 1
        places[document + 1] = at
    return out, places


@allocating
def cut_words(text, offsets, merges, marks):  # type: ignore[no-untyped-def]
    """Where words begin.

    Args:
        text: uint8[size + PAD], `offsets` int64[n + 1] from 0.
        marks: uint8[size + MARKS], to work in.

    Returns:
        uint64[...], bit i % 64 of number i / 64 is set where a word begins at byte i, or all ends.
    """
    kinds, pairs, begins = merges.kinds, merges.pairs, merges.begins
    defined_offsets, defined_bytes = merges.defined_offsets, merges.defined_bytes
    shift = np.uint64(64 - log2(len(pairs)))
    size = offsets[-1]
    marks[0] = 0
    for i in range(size, size + MARKS):
        marks[i] = 0
    for i in range(1, size):
        marks[i] = kinds[np.uint64(text[i - 1]) << _U8 | np.uint64(text[i])]
    for document in range(len(offsets) - 1):
        i, end = offsets[document], offsets[document + 1]
        if i == end:
            continue
        marks[i] = ASK
        certain = i  # a symbol ends here, or the document begins
        while i < end:
            asked = load64(marks, i) & _ASKED
            if asked == 0:
                i += 8
                continue
            i += trailing_zeros(asked) >> 3
            if i >= end:
                break
            defined = _defined_at(text, i, end, begins, defined_offsets, defined_bytes)
            if defined > 0:
                marks[i] = CUT
                for k in range(i + 1, i + defined):
                    marks[k] = 0
                i += defined
                marks[i] = ASK
                certain = i
            else:
                marks[i] = CUT if i == certain else _held(text, i, pairs, shift)
                i += 1
    marks[size] = CUT
    bits = np.empty(size // 64 + 1, np.uint64)
    for block in range(len(bits)):
        word = np.uint64(0)
        for k in range(8):
            eight = (load64(marks, 64 * block + 8 * k) & _ONES) * _GATHER
            word |= (eight >> U56) << np.uint64(8 * k)
        bits[block] = word
    return bits


@kernel
def longest_word(cuts):  # type: ignore[no-untyped-def]
    """Bytes that no word of `cut_words` is longer than."""
    most = without = 0
    for block in range(len(cuts)):
        without = without + 1 if cuts[block] == 0 else 0
        most = max(most, without)
    return 64 * (most + 2)


@kernel
def encode_documents(  # type: ignore[no-untyped-def]
    text, offsets, cuts, first, merges, cache, bos, eos, work, out, at, lengths
):
    """Write the ids of documents `first` and following to `out` from `at` on.

    Stops before the end when the cache has no room left, so that the caller can enlarge it.

    Args:
        text: uint8[... + PAD], `offsets` int64[n + 1] from 0.
        cuts: where words begin, as `cut_words` says.
        bos, eos: ids to begin and end each document with; -1 for none.
        work: room for the longest word (`work_of`).
        out: uint16[:] or uint32[:] of an id a byte and two a document, plus SLACK.
        lengths: int32[n], filled in.

    Returns:
        The next document, and where its ids go.
    """
    symbols, unions, byte_ids = merges.symbols, merges.unions, merges.byte_ids
    slots, words, ids, counters = cache.slots, cache.words, cache.ids, cache.counters
    unknown = merges.unknown
    fixed = (merges.n_pieces, unknown)
    mask = len(slots) - 1
    document = first
    while document < len(lengths):
        started = at
        if bos >= 0:
            out[at] = bos
            at += 1
        i = offsets[document]
        end = offsets[document + 1]
        while i < end:
            block = i >> 6
            left = cuts[block] & (ABOVE << np.uint64(i & 63))
            while left == 0:
                block += 1
                left = cuts[block]
            j = (block << 6) + trailing_zeros(left)
            known = False
            if j - i <= SHORT:
                low = load64(text, i) & FIRST[j - i]
                high = (load64(text, i + 8) & SECOND[j - i]) | (np.uint64(j - i) << U56)
                slot = home(low, high) & mask
                while slots[slot, 1] != EMPTY and (slots[slot, 1] != high or slots[slot, 0] != low):
                    slot = (slot + 1) & mask
                few, more = slots[slot, 2], slots[slot, 3]
                known = slots[slot, 1] != EMPTY and more < MANY
            if known:
                out[at] = few & ID
                out[at + 1] = (few >> U21) & ID
                out[at + 2] = (few >> U42) & ID
                if more >= FOUR:
                    out[at + 3] = more & ID
                    out[at + 4] = (more >> U21) & ID
                after = at + np.int64(more >> U48)
            else:
                after = _encode_word(
                    text, i, j, symbols, unions, byte_ids, fixed,
                    slots, words, ids, counters, work, out, at,
                )  # fmt: skip
            # Unknown characters in a row are one unknown, also across words.
            if out[at] == unknown and at > started and out[at - 1] == unknown and after > at:
                after = drop(out, at, after)
            at = after
            i = j
        if eos >= 0:
            out[at] = eos
            at += 1
        lengths[document] = at - started
        document += 1
        if counters[FULL]:
            break
    return document, at


@kernel
def _encode_word(  # type: ignore[no-untyped-def]
    text, i, end, symbols, unions, byte_ids, fixed, slots, words, ids, counters, work, out, at
):
    """Write the ids of one word, known or not, and remember it."""
    size = end - i
    if size > LONG:
        return _merge(text, i, end, symbols, unions, byte_ids, fixed, work, out, at)
    slot = find(text, i, size, slots, words)
    if slots[slot, 1] == EMPTY:
        after = _merge(text, i, end, symbols, unions, byte_ids, fixed, work, out, at)
        remember(text, i, size, slots, words, ids, counters, slot, out, at, after)
        return after
    return recall(slots, slot, ids, out, at)


@kernel
def drop(out, at, end):  # type: ignore[no-untyped-def]
    """Take out the id at `at`; returns the new end."""
    for k in range(at, end - 1):
        out[k] = out[k + 1]
    return end - 1


def work_of(size: int) -> np.ndarray:
    """Room to merge a word of `size` bytes: a row for each of SYMBOL to HEAP."""
    return np.empty((7, 3 * size + 3), np.int64)


@allocating
def remember_defined(merges, cache):  # type: ignore[no-untyped-def]
    """Put user-defined symbols among the known words: none of them is ever merged.

    Their bytes are never those of another word: wherever they stand, they are taken first.
    """
    text = np.zeros(len(merges.defined_bytes) + PAD, np.uint8)
    for k in range(len(merges.defined_bytes)):
        text[k] = merges.defined_bytes[k]
    for row in range(len(merges.defined_ids)):
        i = merges.defined_offsets[row]
        size = merges.defined_offsets[row + 1] - i
        slot = find(text, i, size, cache.slots, cache.words)
        remember(
            text, i, size, cache.slots, cache.words, cache.ids, cache.counters,
            slot, merges.defined_ids, row, row + 1,
        )  # fmt: skip


@inlined
def _defined_at(text, i, end, begins, defined_offsets, defined_bytes):  # type: ignore[no-untyped-def]
    """Bytes of the longest user-defined symbol that begins at i; 0 for none."""
    for row in range(begins[text[i]], begins[text[i] + 1]):
        start = defined_offsets[row]
        size = defined_offsets[row + 1] - start
        if i + size <= end:
            k = 1
            while k < size and text[i + k] == defined_bytes[start + k]:
                k += 1
            if k >= size:
                return size
    return 0


@inlined
def _held(text, i, pairs, shift):  # type: ignore[no-untyped-def]
    """JOIN where a piece holds the character at i after the one before it, else CUT."""
    before = i - 1
    while text[before] & 0xC0 == 0x80:
        before -= 1
    key = np.uint64(_code_point(load32(text, before)) << 21 | _code_point(load32(text, i)))
    slot = np.int64((key * MULTIPLIER) >> shift)
    while pairs[slot] != key and pairs[slot] != EMPTY:
        slot = (slot + 1) & (len(pairs) - 1)
    return JOIN if pairs[slot] == key else CUT


@inlined
def _code_point(four):  # type: ignore[no-untyped-def]
    """The character whose UTF-8 the four bytes begin with."""
    byte = np.int64(four)
    first = byte & 0xFF
    if first < 0x80:
        return first
    second = byte >> 8 & 0x3F
    if first < 0xE0:
        return (first & 0x1F) << 6 | second
    third = byte >> 16 & 0x3F
    if first < 0xF0:
        return (first & 0x0F) << 12 | second << 6 | third
    return (first & 0x07) << 18 | second << 12 | third << 6 | (byte >> 24 & 0x3F)


@kernel
def _merge(text, i, end, symbols, unions, byte_ids, fixed, work, out, at):  # type: ignore[no-untyped-def]
    """Merge the characters of one word, best pair first, and write its ids.

    The heap holds `rank << 32 | left symbol` of every pair that was ever possible; an entry counts
    only while it is still the rank of the pair that begins there.
    """
    shift, mask = np.uint64(64 - log2(len(unions))), len(unions) - 1
    n = 0
    while i < end:
        work[SYMBOL, n] = symbols[_code_point(load32(text, i))]
        work[BEGIN, n], work[AFTER, n], work[BEFORE, n] = i, n + 1, n - 1
        i += width(text[i])
        n += 1
    work[BEGIN, n] = end
    # Pairs to look up: first all, then the two that a merge makes.
    fresh, second, waiting = 0, -1, 0
    while True:
        if fresh < n:
            left = fresh
            fresh += 1
        elif second >= 0:
            left = second
            second = -1
        elif waiting > 0:
            top = work[HEAP, 0]
            waiting -= 1
            entry = work[HEAP, waiting]
            k = 0
            while 2 * k + 1 < waiting:
                child = 2 * k + 1
                if child + 1 < waiting and work[HEAP, child + 1] < work[HEAP, child]:
                    child += 1
                if work[HEAP, child] >= entry:
                    break
                work[HEAP, k] = work[HEAP, child]
                k = child
            work[HEAP, k] = entry
            left = top & 0xFFFFFFFF
            if work[RANK, left] != top >> 32:
                continue
            work[SYMBOL, left] = work[UNION, left]
            work[RANK, work[AFTER, left]] = _NO_RANK
            work[AFTER, left] = work[AFTER, work[AFTER, left]]
            if work[AFTER, left] < n:
                work[BEFORE, work[AFTER, left]] = left
            second = work[BEFORE, left]
        else:
            break
        work[RANK, left] = _NO_RANK
        right = work[AFTER, left]
        if right < n and work[SYMBOL, left] >= 0 and work[SYMBOL, right] >= 0:
            key = np.uint64(np.int64(work[SYMBOL, left]) << 32 | np.int64(work[SYMBOL, right]))
            slot = np.int64((key * MULTIPLIER) >> shift)
            while unions[slot, 0] != key and unions[slot, 0] != EMPTY:
                slot = (slot + 1) & mask
            if unions[slot, 0] == key:
                value = np.int64(unions[slot, 1])
                work[RANK, left], work[UNION, left] = value >> 32, value & 0xFFFFFFFF
                entry = work[RANK, left] << 32 | left
                k = waiting
                while k > 0 and work[HEAP, (k - 1) >> 1] > entry:
                    work[HEAP, k] = work[HEAP, (k - 1) >> 1]
                    k = (k - 1) >> 1
                work[HEAP, k] = entry
                waiting += 1
    return _write_symbols(text, n, byte_ids, fixed, work, out, at)


@kernel
def _write_symbols(text, n, byte_ids, fixed, work, out, at):  # type: ignore[no-untyped-def]
    """Write what merging has left: pieces; bytes, or one unknown in a row, for what is none."""
    n_pieces, unknown = fixed
    k = 0
    start = at
    while k < n:
        if 0 <= work[SYMBOL, k] < n_pieces:
            out[at] = work[SYMBOL, k]
            at += 1
        elif byte_ids[0] >= 0:
            for place in range(work[BEGIN, k], work[BEGIN, k + 1]):
                out[at] = byte_ids[text[place]]
                at += 1
        elif at == start or out[at - 1] != unknown:
            out[at] = unknown
            at += 1
        k = work[AFTER, k]
    return at


assert CODE_POINTS <= 1 << 21  # a pair of characters fits 42 bits of its key
