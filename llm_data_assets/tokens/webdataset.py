"""Packed sequences as WebDataset: tar shards of `<position>.tokens.npy` and `<position>.json`."""

import io
import json
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from llm_data_assets.tokens.sequences import checked_ids, dtype_for, whole_files


def write(prefix: Path, batches: Iterable[pa.Table], *, vocab_size: int) -> list[Path]:
    """Write `prefix.tar`; members carry no time and no owner, so equal runs give equal bytes.

    Raises:
        ValueError: an id does not lie in the vocabulary.
    """
    dtype = dtype_for(vocab_size)
    with (
        whole_files(prefix, [".tar"]) as beside,
        tarfile.open(beside[".tar"], "w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for batch in batches:
            for name, data in _members(batch, vocab_size, dtype):
                about = tarfile.TarInfo(name)
                about.size = len(data)
                tar.addfile(about, io.BytesIO(data))
    return [prefix.with_name(f"{prefix.name}.tar")]


def _members(batch: pa.Table, vocab_size: int, dtype: np.dtype) -> Iterator[tuple[str, bytes]]:
    lists = checked_ids(batch, vocab_size)
    about = batch.drop(["input_ids", "segment_ids"]).to_pylist()
    segments = batch["segment_ids"].combine_chunks()
    for ids, segment, row in zip(lists, segments, about, strict=True):
        key = f"{row['position']:012d}"
        yield f"{key}.json", json.dumps(row, sort_keys=True).encode()
        yield f"{key}.segments.npy", _npy(segment.values.to_numpy().astype(np.int32))
        yield f"{key}.tokens.npy", _npy(ids.values.to_numpy().astype(dtype))


def _npy(values: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, values, allow_pickle=False)
    return file.getvalue()
