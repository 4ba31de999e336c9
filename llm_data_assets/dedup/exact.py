"""Hashes by which texts that say the same, up to layout and punctuation, are found equal."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import xxhash

from llm_data_assets.dedup.chunks import over_chunks
from llm_data_assets.dedup.dialects import DEFAULT
from llm_data_assets.dedup.kernels import fold_texts


def folded(texts: pa.Array, *, normalised: str = DEFAULT) -> pa.LargeStringArray:
    """Every normalised text: what hashes and signatures are made of, once for both.

    `minhash.signatures(folded(texts), normalised="prepared")` are those of the texts.

    Args:
        texts: string or large_string, without nulls.
        normalised: a name of `dialects.NORMALISATIONS`.

    Raises:
        ValueError: a text is null.
    """
    parts = [pa.array([], pa.large_string())]
    for keys, offsets in over_chunks(texts, fold_texts, normalised=normalised):
        ends, data = pa.py_buffer(offsets), pa.py_buffer(keys)
        parts.append(pa.LargeStringArray.from_buffers(len(offsets) - 1, ends, data))
    return pa.concat_arrays(parts)


def text_hashes(texts: pa.Array, *, normalised: str = DEFAULT) -> pa.FixedSizeBinaryArray:
    """XXH3-128 of every normalised text, 16 bytes, big-endian.

    A text without letters or digits normalises to nothing; it is hashed as it stands, stripped of
    white space, so that `:-)` and `???` are no duplicates of each other. Empty texts are.

    Args, Raises: those of `folded`.
    """
    digests = np.empty(len(texts), "V16")
    row = 0
    for keys, offsets in over_chunks(texts, fold_texts, normalised=normalised):
        row = hash_keys(keys, offsets, texts, digests, row)
    return hash_array(digests)


def hash_keys(
    keys: np.ndarray, offsets: np.ndarray, texts: pa.Array, digests: np.ndarray, row: int
) -> int:
    """Write the hashes of some `texts`, folded already, from `row` on; returns the row after them.

    Args:
        keys, offsets: uint8[...] and int64[k + 1], as `fold_texts` gives them.
        digests: V16[len(texts)].
    """
    view = keys.data
    for start, stop in pairwise(offsets.tolist()):
        key = view[start:stop] if stop > start else texts[row].as_py().strip().encode()
        digests[row] = xxhash.xxh3_128_digest(key)
        row += 1
    return row


def hash_array(digests: np.ndarray) -> pa.FixedSizeBinaryArray:
    """Digests, V16[n], as Arrow's binary values."""
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(16), len(digests), [None, pa.py_buffer(digests)]
    )


def value_hashes(values: pa.Array) -> pa.FixedSizeBinaryArray:
    """XXH3-128 of every value as it stands, 16 bytes, big-endian; null where it is null or empty.

    Args:
        values: string, an address or another key that says what a document is.
    """
    given = [value or None for value in values.to_pylist()]
    digests = [value and xxhash.xxh3_128_digest(value.encode()) for value in given]
    return pa.array(digests, pa.binary(16))
