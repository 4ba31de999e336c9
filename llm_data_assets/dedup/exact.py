"""Hashes by which texts that say the same, up to layout and punctuation, are found equal."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import xxhash

from llm_data_assets.dedup.chunks import over_chunks
from llm_data_assets.dedup.kernels import fold_texts


def text_hashes(texts: pa.Array) -> pa.FixedSizeBinaryArray:
    """XXH3-128 of every normalised text (`normalise.normalise`), 16 bytes, big-endian.

    A text without letters or digits normalises to nothing; it is hashed as it stands, stripped of
    white space, so that `:-)` and `???` are no duplicates of each other. Empty texts are.

    Args:
        texts: string or large_string, without nulls.

    Raises:
        ValueError: a text is null.
    """
    digests = np.empty(len(texts), "V16")
    row = 0
    for keys, offsets in over_chunks(texts, fold_texts):
        data = keys.data
        for start, stop in pairwise(offsets.tolist()):
            key = data[start:stop] if stop > start else texts[row].as_py().strip().encode()
            digests[row] = xxhash.xxh3_128_digest(key)
            row += 1
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(16), len(texts), [None, pa.py_buffer(digests)]
    )
