"""Rows of Arrow batches as records of named fields, a few at a time."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import pyarrow as pa

from llm_data_assets.sources.document import Document, Reject, UnreadableFileError
from llm_data_assets.sources.mapping import FieldMapping, to_document
from llm_data_assets.text.utf8 import utf8

Record = dict[str, Any]


def documents(
    batch: pa.RecordBatch,
    first_row: int,
    make: Callable[[Record, int], Document | Reject],
    viewed: str | None = None,
) -> Iterator[Document | Reject]:
    """What `make` makes of each row; a row whose strings are not UTF-8 is a reject.

    Args:
        viewed: a column whose strings `make` takes as views of their UTF-8.
    """
    for row, record in enumerate(_records(batch, viewed), first_row):
        if isinstance(record, UnicodeDecodeError):
            yield Reject(row, f"not utf-8: {record}")
        else:
            yield make(record, row)


def mapped(record: Record, row: int, mapping: FieldMapping) -> Document | Reject:
    """A row as a document, by a mapping of its columns."""
    for name in text_columns(mapping):
        # Writers without the string annotation store text as bytes.
        if isinstance(value := record.get(name), bytes):
            try:
                record[name] = value.decode()
            except UnicodeDecodeError as error:
                return Reject(row, f"not utf-8: {error}", value[:80])
    made = to_document(record, mapping, row, b"")
    if isinstance(made, Reject):
        made.first_bytes = str(record)[:80].encode("utf-8", "replace")
    return made


def viewed_column(mapping: FieldMapping) -> str | None:
    """The column whose values are texts as they are and nothing else, if there is such."""
    if isinstance(mapping.text, str) and mapping.text not in dict(mapping.scalars).values():
        return mapping.text
    return None


def text_columns(mapping: FieldMapping) -> list[str]:
    """The fields of the text."""
    return [mapping.text] if isinstance(mapping.text, str) else mapping.text


def check_columns(names: list[str], wanted: list[str], uri: str, way_out: str) -> None:
    """See that one of the wanted columns, or the outer part of its dotted path, is there.

    Raises:
        UnreadableFileError: none is; the message lists the columns that are.
    """
    if not any(name in names or name.split(".")[0] in names for name in wanted):
        raise UnreadableFileError(
            f"wrong schema: {uri} has no column {' or '.join(wanted)}; "
            f"its columns are {', '.join(names)[:200]}. Try: {way_out}"
        )


def _records(batch: pa.RecordBatch, viewed: str | None) -> list[Any]:
    """The batch's rows; a row whose strings are not UTF-8 as the error, since Arrow checks none."""
    views = None
    for index, column in enumerate(batch.schema):
        if column.name == viewed and _is_utf8(batch.column(index)):
            views = _views(batch.column(index))
            batch = batch.set_column(index, viewed, pa.nulls(batch.num_rows))
        if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
            micros = batch.column(index).cast(pa.timestamp("us", column.type.tz), safe=False)
            batch = batch.set_column(index, column.name, micros)  # Python has no nanoseconds
    try:
        records = batch.to_pylist()
    except UnicodeDecodeError:
        records = [_record(batch, index) for index in range(batch.num_rows)]
    if views is not None:
        for record, view in zip(records, views, strict=True):
            if isinstance(record, dict):
                record[viewed] = view
    return records


def _is_utf8(column: pa.Array) -> bool:
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return False
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _views(texts: pa.Array) -> Sequence[memoryview | None]:
    values, begins = utf8(texts)
    data = values.data
    views = [data[begin:end] for begin, end in pairwise(begins.tolist())]
    if not texts.null_count:
        return views
    there = texts.is_valid().to_pylist()
    return [view if each else None for view, each in zip(views, there, strict=True)]


def _record(batch: pa.RecordBatch, index: int) -> Any:
    try:
        return batch.slice(index, 1).to_pylist()[0]
    except UnicodeDecodeError as error:
        return error
