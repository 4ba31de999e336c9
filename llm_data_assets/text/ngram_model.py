"""A small n-gram model of bytes, trained here: how unlike a reference a text reads.

Interpolated Witten-Bell (Witten and Bell 1991; Chen and Goodman 1999, equation 16): with c the
bytes before b, c' the same without the first, N(c) how often c was continued and T(c) by how many
different bytes,

    P(b | c) = (N(c b) + T(c) P(b | c')) / (N(c) + T(c)),     P(b | nothing) from 1 / 256.

Every gram is kept with its exact count, so the probabilities of all bytes after any context sum
to 1. CCNet (Wenzek et al. 2020, section 3.3) does the same with words of SentencePiece and KenLM.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from llm_data_assets.kernel import allocating, inlined
from llm_data_assets.text.kernels_numbers import clear_slots, look_up
from llm_data_assets.text.utf8 import utf8

ORDER = 5  # bytes of the longest gram
# The beginning decides as well as all, at a bounded cost.
SCORED_BYTES = 10_000


@dataclass(frozen=True)
class NgramModel:
    """Grams of 1 to ORDER bytes.

    keys: int64[n], sorted; the bytes of a gram, the last one lowest, its length above them.
    counts: int64[n].
    """

    keys: np.ndarray
    counts: np.ndarray


def train_ngrams(texts: Iterable[str]) -> NgramModel:
    """Count the grams of texts that follow one another, a line break apart."""
    data = np.frombuffer("\n".join(texts).encode(), np.uint8).astype(np.uint64)
    keys, counts = [], []
    for length in range(1, min(ORDER, len(data)) + 1):
        grams = np.full(len(data) - length + 1, length << 56, np.uint64)
        for back in range(length):
            last = len(data) - back
            grams |= data[length - 1 - back : last] << np.uint64(8 * back)
        found, times = np.unique(grams, return_counts=True)
        keys.append(found.astype(np.int64))
        counts.append(times.astype(np.int64))
    empty = [np.zeros(0, np.int64)]
    return NgramModel(np.concatenate(keys or empty), np.concatenate(counts or empty))


def perplexities(model: NgramModel, texts: pa.Array) -> np.ndarray:
    """Perplexity a byte of the first SCORED_BYTES of each text, float64[n]; 0 of an empty text.

    256 is what a model that knows nothing gives.
    """
    out = np.zeros(len(texts), np.float64)
    _score(*utf8(texts), model.keys.view(np.uint64), model.counts, out)
    return out


@allocating
def _score(data, offsets, grams, counts, out):  # type: ignore[no-untyped-def]
    size = len(grams)
    keys = np.empty(size + 1, np.uint64)
    slots = np.empty(4 * size + 32, np.int32)
    shift = clear_slots(slots, size + 1)
    # Of each gram as a context: how often it was continued, and by how many bytes. The last
    # entry is the empty context.
    total = np.zeros(size + 1, np.int64)
    kinds = np.zeros(size + 1, np.int64)
    for g in range(size):
        look_up(grams[g], keys, slots, shift, g)
        length = grams[g] >> np.uint64(56)
        parent = np.int64(size)
        if length > 1:
            bits = (grams[g] & ~(np.uint64(255) << np.uint64(56))) >> np.uint64(8)
            key = bits | ((length - np.uint64(1)) << np.uint64(56))
            parent = _find(key, keys, slots, shift)
        total[parent] += counts[g]
        kinds[parent] += 1
    contexts = np.empty(ORDER, np.int64)
    for d in range(len(offsets) - 1):
        end = min(offsets[d + 1], offsets[d] + SCORED_BYTES)
        contexts[:] = -1
        contexts[0] = size
        bits = np.uint64(0)
        surprise = 0.0
        for i in range(offsets[d], end):
            bits = (bits << np.uint64(8)) | np.uint64(data[i])
            p = 1.0 / 256
            following = -1
            for length in range(1, ORDER + 1):
                context = contexts[length - 1]
                contexts[length - 1] = following if length > 1 else size
                following = -1
                if context < 0 or kinds[context] == 0:
                    continue
                low = bits & ((np.uint64(1) << np.uint64(8 * length)) - np.uint64(1))
                key = low | (np.uint64(length) << np.uint64(56))
                gram = _find(key, keys, slots, shift)
                times = counts[gram] if gram >= 0 else 0
                p = (times + kinds[context] * p) / (total[context] + kinds[context])
                following = gram
            surprise -= np.log(p)
        if end > offsets[d]:
            out[d] = np.exp(surprise / (end - offsets[d]))


@inlined
def _find(key, keys, slots, shift):  # type: ignore[no-untyped-def]
    """The number of a key, -1 if it is not there."""
    place = (key * np.uint64(0x9E3779B185EBCA87)) >> shift
    mask = (np.uint64(1) << (np.uint64(64) - shift)) - np.uint64(1)
    found = slots[place]
    while found >= 0 and keys[found] != key:
        place = (place + np.uint64(1)) & mask
        found = slots[place]
    return np.int64(found)
