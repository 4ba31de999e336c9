"""UTF-8 to ids of a BPE model, straight over Arrow's buffers, with a cache of whole words.

Texts are cut into words where no merge can cross (`merges`). A word seen before is one look-up in
a hash table of exact bytes; an unseen one is merged as SentencePiece would, and remembered.
SentencePiece itself is the reference that tests hold this to.
"""

import numpy as np

from llm_data_assets.dedup.vectors import load32, load64, trailing_zeros
from llm_data_assets.kernel import allocating, inlined, kernel
from llm_data_assets.tokens.kernels_cache import (
    FREE,
    FULL,
    HIGH,
    HOME,
    ID,
    LONG,
    LOW,
    MANY,
    NEXT,
    SHORT,
    U21,
    U42,
    U48,
    U56,
    find,
    log2,
    look_ahead,
    recall,
    remember,
    slot_of,
)
from llm_data_assets.tokens.kernels_merge import code_point, merge
from llm_data_assets.tokens.merges import ASK, CUT, EMPTY, JOIN, MULTIPLIER

PAD = 16  # readers of eight bytes run past the end of a text by up to this much
SLACK = 8  # ids written past the last one
MARKS = 64 + PAD  # places of `cut_words` past the last byte
_U8 = np.uint64(8)
_ASKED = np.uint64(0x0202020202020202)
_ONES = np.uint64(0x0101010101010101)
_GATHER = np.uint64(0x0102040810204080)  # brings the lowest bits of eight bytes to the top byte
FOUR = np.uint64(4 << 48)


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
    text, offsets, cuts, first, merges, cache, bos, eos, work, ahead, out, at, lengths
):
    """Write the ids of documents `first` and following to `out` from `at` on.

    Stops before the end when the cache has no room left, so that the caller can enlarge it.

    Args:
        text: uint8[... + PAD], `offsets` int64[n + 1] from 0.
        cuts: where words begin, as `cut_words` says.
        bos, eos: ids to begin and end each document with; -1 for none.
        work: room for the longest word (`work_of`).
        ahead: uint64[AHEAD, 4], to work in.
        out: uint16[:] or uint32[:] of an id a byte and two a document, plus SLACK.
        lengths: int32[n], filled in.

    Returns:
        The next document, and where its ids go.
    """
    shift = np.uint64(64 - log2(len(merges.unions)))
    tables = (merges.symbols, merges.unions, merges.ranks, shift)
    byte_ids = merges.byte_ids
    slots, words, ids, counters = cache.slots, cache.words, cache.ids, cache.counters
    unknown = merges.unknown
    fixed = (merges.n_pieces, unknown)
    document = first
    while document < len(lengths):
        started = at
        if bos >= 0:
            out[at] = bos
            at += 1
        i = offsets[document]
        end = offsets[document + 1]
        while i < end:
            for k in range(look_ahead(text, cuts, i, end, slots, ahead)):
                j = np.int64(ahead[k, NEXT])
                known = False
                if j - i <= SHORT:
                    slot = slot_of(slots, ahead[k, LOW], ahead[k, HIGH], np.int64(ahead[k, HOME]))
                    few, more = slots[slot, 2], slots[slot, 3]
                    known = slots[slot, 1] != FREE and more < MANY
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
                        text, i, j, tables, byte_ids, fixed,
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
    text, i, end, tables, byte_ids, fixed, slots, words, ids, counters, work, out, at
):
    """Write the ids of one word, known or not, and remember it."""
    size = end - i
    if size > LONG:
        return merge(text, i, end, tables, byte_ids, fixed, work, out, at)
    slot = find(text, i, size, slots, words)
    if slots[slot, 1] == FREE:
        after = merge(text, i, end, tables, byte_ids, fixed, work, out, at)
        remember(text, i, size, slots, words, ids, counters, slot, out, at, after)
        return after
    return recall(slots, slot, ids, out, at)


@kernel
def drop(out, at, end):  # type: ignore[no-untyped-def]
    """Take out the id at `at`; returns the new end."""
    for k in range(at, end - 1):
        out[k] = out[k + 1]
    return end - 1


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
    key = np.uint64(code_point(load32(text, before)) << 21 | code_point(load32(text, i)))
    slot = np.int64((key * MULTIPLIER) >> shift)
    while pairs[slot] != key and pairs[slot] != EMPTY:
        slot = (slot + 1) & (len(pairs) - 1)
    return JOIN if pairs[slot] == key else CUT
