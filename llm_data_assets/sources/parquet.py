"""Parquet: one document a row. Offset: the row's number in the file."""

from collections.abc import Iterator
from itertools import accumulate
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from llm_data_assets.sources.document import Document, Reject, UnreadableFileError
from llm_data_assets.sources.files import SourceFile, open_raw
from llm_data_assets.sources.mapping import FieldMapping, to_document

_ROWS = 256  # held at a time; a row of code or of a book can have megabytes


class Options(FieldMapping):
    """Mapping of columns."""


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield a document or a reject for every row; what a damaged row group lost is one reject.

    Raises:
        UnreadableFileError: the file is no Parquet.
    """
    with open_raw(file) as stream:
        parquet = _open(stream, file)
        starts = _group_starts(parquet)
        entered = [group for group, start in enumerate(starts) if start <= file.start]
        for group in range(entered[-1] if entered else 0, len(starts)):
            row = starts[group]
            batches = parquet.iter_batches(_ROWS, row_groups=[group])
            try:
                for batch in batches:
                    for record in _rows(batch):
                        yield _document(record, options, row)
                        row += 1
            except (pa.ArrowException, OSError) as error:
                yield Reject(row, f"damaged parquet: {file.uri}: row group {group}: {error}")


def split(file: SourceFile, options: Options, part_bytes: int) -> list[int]:
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
        return pq.ParquetFile(stream)
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFileError(f"not parquet: {file.uri}: {error}") from error


def _group_starts(parquet: pq.ParquetFile) -> list[int]:
    """The number of each row group's first row."""
    sizes = [parquet.metadata.row_group(each).num_rows for each in range(parquet.num_row_groups)]
    return list(accumulate(sizes, initial=0))[:-1]


def _rows(batch: pa.RecordBatch) -> list[Any]:
    """The batch's rows; a row whose strings are not UTF-8 as the error, since Arrow checks none."""
    for index, column in enumerate(batch.schema):
        if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
            micros = batch.column(index).cast(pa.timestamp("us", column.type.tz), safe=False)
            batch = batch.set_column(index, column.name, micros)  # Python has no nanoseconds
    try:
        return batch.to_pylist()
    except UnicodeDecodeError:
        return [_row(batch, index) for index in range(batch.num_rows)]


def _row(batch: pa.RecordBatch, index: int) -> Any:
    try:
        return batch.slice(index, 1).to_pylist()[0]
    except UnicodeDecodeError as error:
        return error


def _document(record: Any, options: Options, row: int) -> Document | Reject:
    if isinstance(record, UnicodeDecodeError):
        return Reject(row, f"not utf-8: {record}")
    # Writers without the string annotation store text as bytes.
    names = [options.text] if isinstance(options.text, str) else options.text
    for name in names:
        if isinstance(value := record.get(name), bytes):
            try:
                record[name] = value.decode()
            except UnicodeDecodeError as error:
                return Reject(row, f"not utf-8: {error}", value[:80])
    made = to_document(record, options, row, b"")
    if isinstance(made, Reject):
        made.first_bytes = str(record)[:80].encode("utf-8", "replace")
    return made
