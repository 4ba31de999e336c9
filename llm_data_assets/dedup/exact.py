"""Hashes by which texts that say the same, up to layout and punctuation, are found equal."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import xxhash

from llm_data_assets.dedup.chunks import over_chunks
from llm_data_assets.dedup.dialects import DEFAULT
from llm_data_assets.dedup.kernels import fold_texts


def text_hashes(texts: pa.Array, *, normalised: str = DEFAULT) -> pa.FixedSizeBinaryArray:
    """XXH3-128 of every normalised text, 16 bytes, big-endian.

    A text without letters or digits normalises to nothing; it is hashed as it stands, stripped of
    white space, so that `:-)` and `???` are no duplicates of each other. Empty texts are.

    Args:
        texts: string or large_string, without nulls.
        normalised: a name of `dialects.NORMALISATIONS`.

    Raises:
        ValueError: a text is null.
    """
    digests = np.empty(len(texts), "V16")
    row = 0
    for keys, offsets in over_chunks(texts, fold_texts, normalised=normalised):
        data = keys.data
        for start, stop in pairwise(offsets.tolist()):
            key = data[start:stop] if stop > start else texts[row].as_py().strip().encode()
            digests[row] = xxhash.xxh3_128_digest(key)
            row += 1
    return _fixed(digests)


def value_hashes(values: pa.Array) -> pa.FixedSizeBinaryArray:
    """XXH3-128 of every value as it stands, 16 bytes, big-endian; null where it is null or empty.

    Args:
        values: string, an address or another key that says what a document is.
    """
    given = [value or None for value in values.to_pylist()]
    digests = [value and xxhash.xxh3_128_digest(value.encode()) for value in given]
    return pa.array(digests, pa.binary(16))


def _fixed(digests: np.ndarray) -> pa.FixedSizeBinaryArray:
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(16), len(digests), [None, pa.py_buffer(digests)]
    )
