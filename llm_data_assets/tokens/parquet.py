"""Packed sequences as Parquet: token ids, and to which document each belongs."""

import uuid
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

SCHEMA = pa.schema(
    [
        ("position", pa.int64()),
        ("source", pa.string()),
        ("sequence", pa.int64()),
        ("epoch", pa.int32()),
        ("input_ids", pa.list_(pa.int32())),
        ("segment_ids", pa.list_(pa.int32())),
    ]
)


def write(path: Path, batches: Iterable[pa.Table]) -> dict[str, int]:
    """Write tables of `SCHEMA` to one file, whole or not at all; returns sequences and tokens."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    sequences = tokens = 0
    try:
        with pq.ParquetWriter(beside, SCHEMA, compression="zstd") as writer:
            for batch in batches:
                writer.write_table(batch.cast(SCHEMA))
                sequences += batch.num_rows
                tokens += len(batch["input_ids"].combine_chunks().flatten())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return {"sequences": sequences, "tokens": tokens}
