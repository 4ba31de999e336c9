"""UTF-8 to ids of a unigram model, with a cache of the words whose split no rounding changes.

The proof stands in `unigram`; SentencePiece itself is the reference that tests hold this to.
"""

import math

import numpy as np

from llm_data_assets.kernel import inlined, kernel
from llm_data_assets.tokens.kernels import FOUR, drop
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
    find,
    log2,
    look_ahead,
    recall,
    remember,
    slot_of,
    width,
)
from llm_data_assets.tokens.merges import EMPTY, MULTIPLIER

# The reach of a word lies above the ids in the last number of its slot.
_REACHES = np.uint64(63)
_MOST = 63
_BITS = 23  # of a 32-bit float after the first
_BEST, _SECOND_BEST = 0, 1
_FROM, _TOKEN, _NEXT = 0, 1, 2
_TWO, _THREE, _FIVE = np.uint64(2 << 48), np.uint64(3 << 48), np.uint64(5 << 48)
_HALF, _LOWER = np.uint64(32), np.uint64(0xFFFFFFFF)
_NEVER = -np.inf
RESET = 100_000.0  # kScoreResetThreshold: sums begin anew where they are beyond it


@kernel
def encode_unigram(  # type: ignore[no-untyped-def]
    text, offsets, cuts, first, model, cache, bos, eos, work, ahead, out, at, lengths
):
    """As `kernels.encode_documents`, for the tables of a unigram model."""
    edges, weights, byte_ids = model.edges, model.weights, model.byte_ids
    slots, words, ids, counters = cache.slots, cache.words, cache.ids, cache.counters
    unknown = model.unknown
    fixed = (unknown, model.unknown_weight, model.step, model.root)
    room = (SHORT + 1) * model.step  # what a short word can add to a sum
    sums, places = work
    document = first
    while document < len(lengths):
        started = at
        if bos >= 0:
            out[at] = bos
            at += 1
        total = np.float32(0)  # the score up to here, rounded as SentencePiece rounds it
        power, ceiling = _power(room, room)
        i = offsets[document]
        end = offsets[document + 1]
        while i < end:
            for k in range(look_ahead(text, cuts, i, end, slots, ahead)):
                j = np.int64(ahead[k, NEXT])
                if abs(total) > RESET:
                    total = np.float32(0)
                    power, ceiling = _power(room, room)
                known = False
                if j - i <= SHORT:
                    slot = slot_of(slots, ahead[k, LOW], ahead[k, HIGH], np.int64(ahead[k, HOME]))
                    few, more = slots[slot, 2], slots[slot, 3]
                    known = (
                        slots[slot, 1] != FREE
                        and more < MANY
                        and np.int64((more >> U42) & _REACHES) >= power
                    )
                if known:
                    token = few & ID
                    out[at] = token
                    total = np.float32(total + weights[token])
                    if more >= _TWO:
                        token = (few >> U21) & ID
                        out[at + 1] = token
                        total = np.float32(total + weights[token])
                        if more >= _THREE:
                            token = (few >> U42) & ID
                            out[at + 2] = token
                            total = np.float32(total + weights[token])
                            if more >= FOUR:
                                token = more & ID
                                out[at + 3] = token
                                total = np.float32(total + weights[token])
                                if more >= _FIVE:
                                    token = (more >> U21) & ID
                                    out[at + 4] = token
                                    total = np.float32(total + weights[token])
                    after = at + np.int64(more >> U48)
                else:
                    after, total = _encode_word(
                        text, i, j, edges, weights, byte_ids, fixed,
                        slots, words, ids, counters, sums, places, out, at, total,
                    )  # fmt: skip
                if abs(total) >= ceiling:
                    power, ceiling = _power(abs(total) + room, room)
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


@inlined
def _power(most, room):  # type: ignore[no-untyped-def]
    """The least p, from 1 on, with `most` below 2^p; and the sum at which p is to be asked again.

    More than any word's reach where sums might begin anew inside the word.
    """
    if most > RESET:
        return _MOST + 1, RESET
    power = max(1, math.frexp(most)[1])
    return power, min(math.ldexp(1.0, power) - room, RESET - room)


def work_of(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Room to split a word of `size` bytes."""
    return np.empty((2, size + 1), np.float64), np.empty((3, size + 1), np.int64)


@kernel
def _encode_word(  # type: ignore[no-untyped-def]
    text, i, end, edges, weights, byte_ids, fixed,
    slots, words, ids, counters, sums, places, out, at, total,
):  # fmt: skip
    """Write the ids of one word, known or not; remember it. Returns where they end, and the sum."""
    size = end - i
    if size <= LONG:
        power, _ = _power(abs(total) + (size + 1) * fixed[2], 0.0)
        slot = find(text, i, size, slots, words)
        if slots[slot, 1] == FREE:
            after, _ = _split(
                text, i, end, edges, weights, byte_ids, fixed, sums, places, out, at,
                np.float32(0), False,
            )  # fmt: skip
            reach = _reach(size, sums, places)
            remember(text, i, size, slots, words, ids, counters, slot, out, at, after)
            if slots[slot, 1] != FREE:  # there was room
                slots[slot, 3] |= np.uint64(reach) << U42
            if reach >= power:
                return after, _added(total, out, at, after, weights)
        elif np.int64((slots[slot, 3] >> U42) & _REACHES) >= power:
            after = recall(slots, slot, ids, out, at)
            return after, _added(total, out, at, after, weights)
    return _split(text, i, end, edges, weights, byte_ids, fixed, sums, places, out, at,
                  total, True)  # fmt: skip


@kernel
def _added(total, out, at, after, weights):  # type: ignore[no-untyped-def]
    """The sum after some pieces, rounded at each as SentencePiece rounds it."""
    for k in range(at, after):
        total = np.float32(total + weights[out[k]])
    return total


@kernel
def _reach(size, sums, places):  # type: ignore[no-untyped-def]
    """The largest p for which the split just made holds while all sums stay below 2^p.

    0 where two splits tie, or the word has a character of no piece, whose ids do not say what it
    adds.
    """
    ahead = np.inf
    n = 0
    p = 0
    while p < size:
        p = places[_NEXT, p]
        if places[_TOKEN, p] < 0:
            return 0
        ahead = min(ahead, sums[_BEST, p] - sums[_SECOND_BEST, p])
    for p in range(1, size + 1):
        n += places[_FROM, p] >= 0
    if ahead == np.inf:
        return _MOST
    # In 64 bits the difference itself is off by far less than these.
    bound = (ahead * (1 - 1e-6) - 1e-9) / (n + 1)
    if bound <= 0:
        return 0
    # Sums below 2^p are rounded to units of 2^(p - 24) at most.
    return max(0, min(_MOST, math.frexp(bound)[1] + _BITS))


@kernel
def _split(  # type: ignore[no-untyped-def]
    text, i, end, edges, weights, byte_ids, fixed, sums, places, out, at, total, rounded
):
    """Write the ids of the best split of one word that begins at the sum `total`.

    With `rounded`, sums are kept in 32 bits and begin anew where they are large, as SentencePiece's
    do.

    Returns where the ids end, and the sum after the word. `sums` and `places` keep how it came.
    """
    unknown, unknown_weight, _, root = fixed
    shift, mask = np.uint64(64 - log2(len(edges))), len(edges) - 1
    size = end - i
    for p in range(size + 1):
        places[_FROM, p] = -1
        sums[_SECOND_BEST, p] = _NEVER
    sums[_BEST, 0] = total
    p = 0
    while p < size:
        size_here = width(text[i + p])
        here = sums[_BEST, p]
        if rounded and abs(here) > RESET:
            for q in range(p, size + 1):  # those not reached yet hold nothing to lose
                sums[_BEST, q] = np.float64(np.float32(sums[_BEST, q] - here))
            here = 0.0
        single = False
        node = np.uint64(root)
        q = p
        while q < size:
            key = node << np.uint64(8) | np.uint64(text[i + q])
            slot = np.int64((key * MULTIPLIER) >> shift)
            while edges[slot] >> _HALF != key and edges[slot] != EMPTY:
                slot = (slot + 1) & mask
            if edges[slot] == EMPTY:
                break
            node = edges[slot] & _LOWER
            q += 1
            token = np.int64(node)
            if token < root:
                value = here + np.float64(weights[token])
                if rounded:
                    value = np.float64(np.float32(value))
                _arrive(sums, places, p, q, token, value)
                single |= q - p == size_here
        if not single:
            value = here + unknown_weight
            if rounded:
                value = np.float64(np.float32(value))
            _arrive(sums, places, p, p + size_here, np.int64(-1), value)
        p += size_here
    while p > 0:
        before = places[_FROM, p]
        places[_NEXT, before] = p
        p = before
    start = at
    while p < size:
        q = places[_NEXT, p]
        token = places[_TOKEN, q]
        if token >= 0:
            out[at] = token
            at += 1
        elif byte_ids[0] >= 0:
            for k in range(i + p, i + q):
                out[at] = byte_ids[text[k]]
                at += 1
        elif at == start or out[at - 1] != unknown:
            out[at] = unknown
            at += 1
        p = q
    return at, np.float32(sums[_BEST, size])


@inlined
def _arrive(sums, places, p, q, token, value):  # type: ignore[no-untyped-def]
    """A way from p to q of this sum: the best so far, or the next to it."""
    if places[_FROM, q] < 0 or value > sums[_BEST, q]:
        if places[_FROM, q] >= 0:
            sums[_SECOND_BEST, q] = max(sums[_BEST, q], sums[_SECOND_BEST, q])
        sums[_BEST, q] = value
        places[_FROM, q] = p
        places[_TOKEN, q] = token
    else:
        sums[_SECOND_BEST, q] = max(value, sums[_SECOND_BEST, q])
