"""Megatron's indexed data set: `.bin` tokens back to back, `.idx` where each sequence lies.

Byte layout as in megatron-core's IndexedDataset, version 1.
"""

import struct
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

_MAGIC = b"MMIDIDX\x00\x00"
_VERSION = 1
_CODES: dict[np.dtype, int] = {np.dtype(np.int32): 4, np.dtype(np.uint16): 8}
_UINT16_BELOW = 65_500  # megatron-core's own bound


class Indexed(NamedTuple):
    """What `.idx` says and what `.bin` holds."""

    tokens: np.ndarray
    lengths: np.ndarray
    pointers: np.ndarray
    document_indices: np.ndarray


def write(prefix: Path, sequences: Iterable[np.ndarray], *, vocab_size: int) -> dict[str, int]:
    """Write `prefix.bin` and `prefix.idx`, both whole or not at all; one document a sequence.

    Returns:
        `sequences` and `tokens` written.

    Raises:
        ValueError: an id does not lie in the vocabulary.
    """
    dtype = np.dtype(np.uint16 if vocab_size < _UINT16_BELOW else np.int32)
    prefix.parent.mkdir(parents=True, exist_ok=True)
    mark = uuid.uuid4().hex
    beside = {end: prefix.with_name(f".{prefix.name}.{mark}{end}") for end in (".bin", ".idx")}
    lengths: list[int] = []
    try:
        with beside[".bin"].open("wb") as stream:
            for sequence in sequences:
                if len(sequence) and not 0 <= sequence.min() <= sequence.max() < vocab_size:
                    raise ValueError(
                        f"sequence {len(lengths)} has id {sequence.max()}, the vocabulary has "
                        f"{vocab_size}. Try: tokenize again with the tokenizer of this corpus"
                    )
                stream.write(sequence.astype(dtype).tobytes())
                lengths.append(len(sequence))
        beside[".idx"].write_bytes(_index(lengths, dtype))
        for end, path in beside.items():
            path.replace(prefix.with_name(prefix.name + end))
    finally:
        for path in beside.values():
            path.unlink(missing_ok=True)
    return {"sequences": len(lengths), "tokens": sum(lengths)}


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


def _index(lengths: list[int], dtype: np.dtype) -> bytes:
    sizes = np.asarray(lengths, np.int64)
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
