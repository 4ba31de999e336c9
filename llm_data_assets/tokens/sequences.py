"""Packed sequences on their way into files: the one table that every writer takes.

A writer is a module with `write(prefix, batches, *, vocab_size) -> list[Path]`: it writes tables
of `SCHEMA` to `prefix` with its own endings, all files whole or none, and returns them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from llm_data_assets.lake.temporaries import beside

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
# megatron-core's own bound, and llm-foundry's; 65,536 would fit.
_UINT16_BELOW = 65_500


def dtype_for(vocab_size: int) -> np.dtype:
    """uint16 where every id fits, else int32 (megatron-core, DType.optimal_dtype)."""
    return np.dtype(np.uint16 if vocab_size < _UINT16_BELOW else np.int32)


def checked_ids(batch: pa.Table, vocab_size: int) -> pa.ListArray:
    """The ids of a batch.

    Raises:
        ValueError: an id does not lie in the vocabulary.
    """
    lists = batch["input_ids"].combine_chunks()
    bounds = pc.min_max(lists.flatten()).as_py()
    if bounds["max"] is not None and not 0 <= bounds["min"] <= bounds["max"] < vocab_size:
        wrong = bounds["min"] if bounds["min"] < 0 else bounds["max"]
        raise ValueError(
            f"the run has id {wrong} between positions {batch['position'][0]} and "
            f"{batch['position'][-1]}, and the vocabulary has {vocab_size} pieces. "
            "Try: tokenize again with the tokenizer of this corpus"
        )
    return lists


@contextmanager
def whole_files(prefix: Path, endings: Sequence[str]) -> Iterator[dict[str, Path]]:
    """Paths to write to, by ending; they become `prefix` + ending together at the end, or go."""
    prefix.parent.mkdir(parents=True, exist_ok=True)
    name = beside(prefix).name
    written = {end: prefix.with_name(name + end) for end in endings}
    try:
        yield written
        for end, path in written.items():
            path.replace(prefix.with_name(prefix.name + end))
    finally:
        for path in written.values():
            path.unlink(missing_ok=True)
