"""Parquet: one document a row. Offset: the row's number in the file."""

from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from llm_data_assets.sources.arrow_rows import (
    Record,
    check_columns,
    documents,
    mapped,
    text_columns,
    viewed_column,
)
from llm_data_assets.sources.document import Document, Reject, UnreadableFileError
from llm_data_assets.sources.files import SourceFile, open_raw
from llm_data_assets.sources.mapping import FieldMapping

# Held at a time: a row of code or of a book can have megabytes.
_BATCH_BYTES = 8 << 20
_MAX_ROWS = 1_024
# Column chunks are read in pieces of this size: one of a large row group may be most of the file.
_READ_BYTES = 1 << 20


class Options(FieldMapping):
    """Mapping of columns."""


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield a document or a reject for every row; what a damaged row group lost is one reject.

    Raises:
        UnreadableFileError: the file is no Parquet, or has no column of the text.
    """
    return rows(
        file,
        text_columns(options),
        lambda record, row: mapped(record, row, options),
        "name the column: options: {text: ...}",
        viewed_column(options),
    )


def rows(
    file: SourceFile,
    wanted: list[str],
    make: Callable[[Record, int], Document | Reject],
    way_out: str,
    viewed: str | None = None,
) -> Iterator[Document | Reject]:
    """What `make` makes of every row of a file that has one of the wanted columns.

    Args:
        viewed: a column whose strings `make` takes as views of their UTF-8.

    Raises:
        UnreadableFileError: the file is no Parquet, or has none of the columns.
    """
    with open_raw(file) as stream:
        parquet = _open(stream, file)
        check_columns(parquet.schema_arrow.names, wanted, file.uri, way_out)
        starts = _group_starts(parquet)
        entered = [group for group, start in enumerate(starts) if start <= file.start]
        for group in range(entered[-1] if entered else 0, len(starts)):
            row = starts[group]
            batches = parquet.iter_batches(_batch_rows(parquet, group), row_groups=[group])
            try:
                for batch in batches:
                    yield from documents(batch, row, make, viewed)
                    row += batch.num_rows
            except (pa.ArrowException, OSError) as error:
                yield Reject(row, f"damaged parquet: {file.uri}: row group {group}: {error}")


def split(file: SourceFile, options: object, part_bytes: int) -> list[int]:
    """The first rows of row groups, about `part_bytes` of the file apart."""
    with open_raw(file) as stream:
        try:
            parquet = _open(stream, file)
        except UnreadableFileError:
            return []
        starts = _group_starts(parquet)
        sizes = [parquet.metadata.row_group(each).total_byte_size for each in range(len(starts))]
    # Sizes in the metadata are before compression: scaled to the bytes of the file.
    scale = file.size / max(1, sum(sizes))
    offsets, held = [], 0.0
    for start, size in zip(starts, sizes, strict=True):
        if held >= part_bytes:
            offsets.append(start)
            held = 0.0
        held += size * scale
    return offsets


def _open(stream: BinaryIO, file: SourceFile) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(stream, buffer_size=_READ_BYTES)
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFileError(f"not parquet: {file.uri}: {error}") from error


def _group_starts(parquet: pq.ParquetFile) -> list[int]:
    """The number of each row group's first row."""
    sizes = [parquet.metadata.row_group(each).num_rows for each in range(parquet.num_row_groups)]
    return list(accumulate(sizes, initial=0))[:-1]


def _batch_rows(parquet: pq.ParquetFile, group: int) -> int:
    about = parquet.metadata.row_group(group)
    mean = about.total_byte_size // max(1, about.num_rows)
    return max(1, min(_MAX_ROWS, _BATCH_BYTES // max(1, mean)))
