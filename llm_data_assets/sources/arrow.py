"""Arrow IPC, file or stream: one document a row. Offset: the row's number in the file."""

import mmap
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from llm_data_assets.sources.arrow_rows import (
    check_columns,
    documents,
    mapped,
    text_columns,
    viewed_column,
)
from llm_data_assets.sources.document import Document, Reject, UnreadableFileError
from llm_data_assets.sources.files import SourceFile, open_raw
from llm_data_assets.sources.mapping import FieldMapping

_MAGIC = b"ARROW1"
_ROWS = 256
# A mapped file costs no memory, whatever the size of its batches, if pages are given back that were
# read: what is looked at again is read again.
_SEEN_BYTES = 32 << 20


class Options(FieldMapping):
    """Mapping of columns."""


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield a document or a reject for every row; what a damaged batch lost are rejects.

    Raises:
        UnreadableFileError: the file is no Arrow file or stream, is cut short, or has no column
            of the text.
    """
    with open_raw(file) as stream:
        is_file = stream.read(len(_MAGIC)) == _MAGIC
        stream.seek(0)
        # Closed with the last batch that looks into it.
        is_here = "://" not in file.path and file.size > 0
        pages = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) if is_here else None
        source = stream if pages is None else pa.BufferReader(pages)
        try:
            reader = pa.ipc.open_file(source) if is_file else pa.ipc.open_stream(source)
        except (pa.ArrowException, OSError) as error:
            raise UnreadableFileError(f"not arrow: {file.uri}: {error}") from error
        check_columns(
            reader.schema.names, text_columns(options), file.uri,
            "name the column: options: {text: ...}",
        )  # fmt: skip
        row = seen = 0
        for batch in _batches(reader, is_file, file):
            for first in range(0, batch.num_rows, _ROWS):
                rows = batch.slice(first, _ROWS)
                yield from _rows(rows, row + first, options)
                seen += rows.nbytes
                if pages is not None and seen >= _SEEN_BYTES:
                    pages.madvise(mmap.MADV_DONTNEED)
                    seen = 0
            row += batch.num_rows


def _batches(reader: Any, is_file: bool, file: SourceFile) -> Iterator[pa.RecordBatch]:
    try:
        if not is_file:
            yield from reader
            return
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFileError(f"damaged arrow: {file.uri}: {error}") from error


def _rows(batch: pa.RecordBatch, row: int, options: Options) -> Iterator[Document | Reject]:
    """Rows that have been checked: offsets that lie would lead out of the file's memory."""
    try:
        batch.validate(full=True)
    except pa.ArrowException as error:
        if batch.num_rows == 1:
            yield Reject(row, f"damaged row: {error}")
            return
        for index in range(batch.num_rows):
            yield from _rows(batch.slice(index, 1), row + index, options)
        return
    yield from documents(
        batch, row, lambda record, at: mapped(record, at, options), viewed_column(options)
    )
