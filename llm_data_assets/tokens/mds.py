"""Packed sequences as MDS, the format of mosaicml-streaming, version 2.

A shard: u32 count | u32 offsets[count + 1] | configuration as JSON | samples. A sample: the u32
sizes of its columns in order of name, then their bytes.
"""

import json
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from llm_data_assets.tokens.sequences import checked_ids, dtype_for, whole_files

# The package's default for a shard, which its cache is made for.
SHARD_BYTES = 1 << 26


def write(prefix: Path, batches: Iterable[pa.Table], *, vocab_size: int) -> list[Path]:
    """Write `prefix.mds`: `tokens` as uint16 or int32 by vocabulary, `segments` as int32.

    Raises:
        ValueError: an id does not lie in the vocabulary.
    """
    dtype = dtype_for(vocab_size)
    samples: list[bytes] = []
    for batch in batches:
        lists = checked_ids(batch, vocab_size)
        for ids, segments in zip(lists, batch["segment_ids"].combine_chunks(), strict=True):
            samples.append(
                _sample(
                    _array(segments.values.to_numpy(), np.dtype(np.int32)),
                    _array(ids.values.to_numpy(), dtype),
                )
            )
    with whole_files(prefix, [".mds"]) as beside:
        beside[".mds"].write_bytes(shard(samples, _config(dtype)))
    return [prefix.with_name(f"{prefix.name}.mds")]


def shard(samples: Sequence[bytes], config: dict[str, Any]) -> bytes:
    """The bytes of a shard of encoded samples."""
    about = json.dumps(config, sort_keys=True).encode()
    first = 4 + 4 * (len(samples) + 1) + len(about)
    offsets = first + np.cumsum([0, *(len(each) for each in samples)])
    return b"".join(
        [struct.pack("<I", len(samples)), offsets.astype("<u4").tobytes(), about, *samples]
    )


def index(shards: Sequence[Path], vocab_size: int) -> dict[str, Any]:
    """The contents of `index.json` for the shards of a folder, in order."""
    return {
        "version": 2,
        "shards": [
            {
                **_config(dtype_for(vocab_size)),
                "raw_data": {"basename": path.name, "bytes": path.stat().st_size, "hashes": {}},
                "samples": _count(path),
                "zip_data": None,
            }
            for path in shards
        ],
    }


def _config(dtype: np.dtype) -> dict[str, Any]:
    return {
        "column_encodings": ["ndarray:int32", f"ndarray:{dtype.name}"],
        "column_names": ["segments", "tokens"],
        "column_sizes": [None, None],
        "compression": None,
        "format": "mds",
        "hashes": [],
        "size_limit": SHARD_BYTES,
        "version": 2,
    }


def _array(values: np.ndarray, dtype: np.dtype) -> bytes:
    """`ndarray:<dtype>` of one dimension: a byte of (dimensions << 2 | log2 of the width of a
    length), the length as u32, the values."""
    data = values.astype(dtype.newbyteorder("<")).tobytes()
    return struct.pack("<BI", (1 << 2) | 2, len(values)) + data


def _sample(*columns: bytes) -> bytes:
    return struct.pack(f"<{len(columns)}I", *map(len, columns)) + b"".join(columns)


def _count(path: Path) -> int:
    with path.open("rb") as stream:
        return int(struct.unpack("<I", stream.read(4))[0])
