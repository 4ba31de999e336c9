"""Packed sequences as JSON lines, zstd: one object a sequence, fields as in the Parquet export."""

import json
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import zstandard

from llm_data_assets.tokens.sequences import checked_ids, whole_files

_ENDING = ".jsonl.zst"


def write(prefix: Path, batches: Iterable[pa.Table], *, vocab_size: int) -> list[Path]:
    """Write `prefix.jsonl.zst`.

    Raises:
        ValueError: an id does not lie in the vocabulary.
    """
    with (
        whole_files(prefix, [_ENDING]) as beside,
        beside[_ENDING].open("wb") as stream,
        zstandard.ZstdCompressor().stream_writer(stream) as writer,
    ):
        for batch in batches:
            checked_ids(batch, vocab_size)
            for row in batch.to_pylist():
                writer.write(json.dumps(row, separators=(",", ":")).encode() + b"\n")
    return [prefix.with_name(prefix.name + _ENDING)]
