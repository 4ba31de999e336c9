"""Packed sequences as Parquet: token ids, and to which document each belongs."""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from llm_data_assets.tokens.sequences import SCHEMA, checked_ids, whole_files


def write(prefix: Path, batches: Iterable[pa.Table], *, vocab_size: int) -> list[Path]:
    """Write `prefix.parquet`.

    Raises:
        ValueError: an id does not lie in the vocabulary.
    """
    with (
        whole_files(prefix, [".parquet"]) as beside,
        pq.ParquetWriter(beside[".parquet"], SCHEMA, compression="zstd") as writer,
    ):
        for batch in batches:
            checked_ids(batch, vocab_size)
            writer.write_table(batch.cast(SCHEMA))
    return [prefix.with_name(f"{prefix.name}.parquet")]
