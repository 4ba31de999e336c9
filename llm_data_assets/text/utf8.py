"""Texts of Arrow: as kernels read them, and made of what readers give."""

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
import pyarrow as pa

from llm_data_assets.text.text_bytes import bytes_of


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


def text_column(texts: Sequence[str | memoryview]) -> pa.StringArray:
    """A column of texts, each a string or a view of valid UTF-8.

    All are copied at once: Arrow grows a column text by text, which takes four times as long, and
    keeps what it grew out of.

    Raises:
        UnicodeEncodeError: a text has lone surrogates, which UTF-8 cannot hold.
        OverflowError: the texts have more than 2 GiB.
    """
    views = [bytes_of(text) if isinstance(text, str) else text for text in texts]
    ends = np.fromiter(accumulate(map(len, views), initial=0), np.int32, len(views) + 1)
    data = b"".join(views)
    return pa.StringArray.from_buffers(len(views), pa.py_buffer(ends), pa.py_buffer(data))
