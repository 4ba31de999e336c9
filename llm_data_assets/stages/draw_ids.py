"""A sample of documents by a hash of their ids: the same documents, the same sample."""

import numpy as np
import pyarrow as pa
import xxhash


def draw(ids: pa.ChunkedArray, size: int) -> pa.Array:
    """Rows int64[<= size] of the ids whose XXH3-64 is least, the least first."""
    # A chunk's ids at a time: a Python string is five times what Arrow keeps of it.
    named = (each.encode() for chunk in ids.chunks for each in chunk.to_pylist())
    hashes = np.fromiter(map(xxhash.xxh3_64_intdigest, named), np.uint64, len(ids))
    return pa.array(np.argsort(hashes, kind="stable")[:size])
