"""Parquet: one document a row. Offset: the row's number in the file."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from llm_data_assets.sources.document import Document, Reject, UnreadableFileError
from llm_data_assets.sources.files import SourceFile, open_raw
from llm_data_assets.sources.mapping import FieldMapping, to_document

_ROWS = 256  # held at a time; a row of code or of a book can have megabytes


class Options(FieldMapping):
    """Mapping of columns."""


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield a document or a reject for every row.

    Raises:
        UnreadableFileError: the file is no Parquet, or a page of it is damaged.
    """
    with open_raw(file) as stream:
        try:
            batches = pq.ParquetFile(stream).iter_batches(_ROWS)
        except (pa.ArrowException, OSError) as error:
            raise UnreadableFileError(f"not parquet: {file.uri}: {error}") from error
        row = 0
        while (batch := _next(batches, file)) is not None:
            for record in _rows(batch):
                if isinstance(record, UnicodeDecodeError):
                    yield Reject(row, f"not utf-8: {record}")
                else:
                    yield _document(record, options, row)
                row += 1


def _next(batches: Iterator[pa.RecordBatch], file: SourceFile) -> pa.RecordBatch | None:
    try:
        return next(batches, None)
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFileError(f"damaged parquet: {file.uri}: {error}") from error


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


def _document(record: dict[str, Any], options: Options, row: int) -> Document | Reject:
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
