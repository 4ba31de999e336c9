"""Arrow texts as bytes and offsets, a cache-sized chunk at a time."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from llm_data_assets.dedup.codepoints import code_points
from llm_data_assets.dedup.dialects import DEFAULT, PREPARED, normalisation

# Text a kernel sees at once: with its keys and hashes (eight bytes a word) it fits a core's second
# cache of a megabyte. What Python does around a kernel does not show yet.
_CHUNK_BYTES = 1 << 18
_NOTHING = np.empty(0, np.uint8)


def over_chunks(
    texts: pa.Array,
    kernel: Callable[..., tuple[Any, Any, Any]],
    *settings: Any,
    normalised: str = DEFAULT,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Run a kernel of `kernels.py` over all texts, in order, a chunk of rows at a time.

    Texts that the kernel leaves are normalised by Python and run again, in their places.

    Args:
        texts: string or large_string, chunked or not, without nulls.
        kernel: `fold_texts` or `hash_shingles`.
        settings: its arguments after the code points.
        normalised: a name of `dialects.NORMALISATIONS`; but for the default and `prepared` they
            run in Python.

    Yields:
        the values of the next k texts, and their offsets int64[k + 1].

    Raises:
        TypeError: texts are not strings.
        ValueError: a text is null, or there is no such normalisation.
    """
    table = code_points()
    key_of = normalisation(normalised)
    for data, offsets in map(buffers, _arrays(texts)):
        for chunk in _chunks(offsets):
            if normalised in (DEFAULT, PREPARED):
                is_key = normalised == PREPARED
                values, ends, left = kernel(data, chunk, is_key, *table, *settings)
            else:
                n = len(chunk) - 1
                values, ends, left = _NOTHING, np.zeros(n + 1, np.int64), np.ones(n, np.bool_)
            if left.any():
                rows = np.flatnonzero(left)
                texts_left = (data[chunk[row] : chunk[row + 1]].tobytes().decode() for row in rows)
                keys = [key_of(text).encode() for text in texts_left]
                key_offsets = np.cumsum(np.array([0, *map(len, keys)], np.int64))
                key_data = np.frombuffer(b"".join(keys), np.uint8)
                more, more_ends, _ = kernel(key_data, key_offsets, True, *table, *settings)
                values, ends = _filled(values, ends, rows, more, more_ends)
            yield values, ends


def _filled(
    values: np.ndarray, ends: np.ndarray, rows: np.ndarray, more: np.ndarray, more_ends: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Put the values of `rows`, which have none in `values`, in their places."""
    sizes = np.diff(ends)
    pieces = np.split(values, ends[rows])
    if not len(values):
        pieces = [more] + [more[:0]] * len(rows)
    else:
        for i in range(len(rows)):
            pieces[i + 1] = np.concatenate([more[more_ends[i] : more_ends[i + 1]], pieces[i + 1]])
    sizes[rows] = np.diff(more_ends)
    return np.concatenate(pieces), np.concatenate([[0], np.cumsum(sizes)])


def _arrays(texts: pa.Array) -> list[pa.Array]:
    if not (pa.types.is_string(texts.type) or pa.types.is_large_string(texts.type)):
        raise TypeError(
            f"texts are {texts.type}, not string. Try: cast them to pyarrow.string() first"
        )
    if texts.null_count:
        where = pc.index(pc.is_null(texts), True).as_py()
        raise ValueError(
            f"{texts.null_count} of {len(texts)} texts are null, the first at row {where}. "
            'Try: drop those rows, or pyarrow.compute.fill_null(texts, "")'
        )
    return texts.chunks if isinstance(texts, pa.ChunkedArray) else [texts]


def buffers(texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """UTF-8 bytes uint8[...] (no copy) and offsets int64[n + 1] of one array, slices heeded."""
    _, offsets, data = texts.buffers()
    width = np.int32 if pa.types.is_string(texts.type) else np.int64
    if offsets is None or len(texts) == 0:
        return np.frombuffer(b"", np.uint8), np.zeros(1, np.int64)
    ends = np.frombuffer(offsets, width)[texts.offset : texts.offset + len(texts) + 1]
    values = np.frombuffer(data or b"", np.uint8)
    # Who made the array decides; kernels are compiled once more for the other kind.
    values.flags.writeable = False
    return values, ends.astype(np.int64)


def _chunks(offsets: np.ndarray) -> Iterator[np.ndarray]:
    """Runs of offsets of about a chunk's bytes; a longer text is a run of its own."""
    start, n = 0, len(offsets) - 1
    while start < n:
        stop = int(np.searchsorted(offsets, offsets[start] + _CHUNK_BYTES, side="right")) - 1
        stop = min(max(stop, start + 1), n)
        yield offsets[start : stop + 1]
        start = stop
