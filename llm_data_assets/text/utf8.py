"""Texts of Arrow as kernels read them."""

import numpy as np
import pyarrow as pa


def utf8(texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """The bytes of all texts, and where each begins and the last ends, as views.

    Read-only both, though Arrow's memory may not be: a kernel is compiled once more for the other
    kind, and which it is depends on who made the array.

    Args:
        texts: string[n] without nulls.

    Returns:
        uint8[at least 1], UTF-8; int64[n + 1].
    """
    texts = texts.cast(pa.large_string())
    _, offsets, data = texts.buffers()
    begins = np.frombuffer(offsets or bytes(8), np.int64)[texts.offset :][: len(texts) + 1]
    values = np.frombuffer(data or b"\0", np.uint8)
    begins.flags.writeable = values.flags.writeable = False
    return values, begins
