"""Megatron's indexed data set: `.bin` tokens back to back, `.idx` where each sequence lies.

Byte layout as in megatron-core's IndexedDataset, version 1.
"""

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from llm_data_assets.tokens.sequences import checked_ids, dtype_for, whole_files

_MAGIC = b"MMIDIDX\x00\x00"
_VERSION = 1
_CODES: dict[np.dtype, int] = {np.dtype(np.int32): 4, np.dtype(np.uint16): 8}


class Indexed(NamedTuple):
    """What `.idx` says and what `.bin` holds."""

    tokens: np.ndarray
    lengths: np.ndarray
    pointers: np.ndarray
    document_indices: np.ndarray


def write(prefix: Path, batches: Iterable[pa.Table], *, vocab_size: int) -> list[Path]:
    """Write `prefix.bin` and `prefix.idx`; one document a sequence.

    Raises:
        ValueError: an id does not lie in the vocabulary.
    """
    dtype = dtype_for(vocab_size)
    lengths: list[np.ndarray] = []
    with whole_files(prefix, [".bin", ".idx"]) as beside:
        with beside[".bin"].open("wb") as stream:
            for batch in batches:
                lists = checked_ids(batch, vocab_size)
                stream.write(lists.flatten().to_numpy().astype(dtype).tobytes())
                lengths.append(np.diff(lists.offsets.to_numpy()))
        beside[".idx"].write_bytes(_index(np.concatenate([*lengths, np.empty(0)]), dtype))
    return [prefix.with_name(prefix.name + end) for end in beside]


def read(prefix: Path) -> Indexed:
    """Open a data set with the layout's definition alone.

    Raises:
        ValueError: the file is no index.
    """
    data = prefix.with_name(f"{prefix.name}.idx").read_bytes()
    if data[:9] != _MAGIC:
        raise ValueError(f"{prefix}.idx is not a Megatron index: it starts with {data[:9]!r}")
    code = data[17]
    count, documents = struct.unpack_from("<QQ", data, 18)
    dtype = next(dtype for dtype, number in _CODES.items() if number == code)
    place = 34
    lengths = np.frombuffer(data, "<i4", count, place)
    pointers = np.frombuffer(data, "<i8", count, place + 4 * count)
    indices = np.frombuffer(data, "<i8", documents, place + 12 * count)
    path = prefix.with_name(f"{prefix.name}.bin")
    tokens = np.memmap(path, dtype, "r") if path.stat().st_size else np.empty(0, dtype)
    return Indexed(tokens, lengths, pointers, indices)


def _index(lengths: np.ndarray, dtype: np.dtype) -> bytes:
    sizes = lengths.astype(np.int64)
    pointers = (np.cumsum(sizes) - sizes) * dtype.itemsize
    return b"".join(
        [
            _MAGIC,
            struct.pack("<QBQQ", _VERSION, _CODES[dtype], len(lengths), len(lengths) + 1),
            sizes.astype("<i4").tobytes(),
            np.asarray(pointers, "<i8").tobytes(),
            np.arange(len(lengths) + 1, dtype="<i8").tobytes(),
        ]
    )
