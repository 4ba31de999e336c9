"""Parquet: one document a row. Offset: the row's number in the file."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile, UnreadableFileError, open_raw
from llm_data_assets.sources.mapping import FieldMapping, to_document

_ROWS = 1_024


class Options(FieldMapping):
    """Mapping of columns."""


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield a document or a reject for every row."""
    with open_raw(file) as stream:
        try:
            table = pq.ParquetFile(stream)
        except pa.ArrowException as error:
            raise UnreadableFileError(f"not parquet: {file.uri}: {error}") from error
        row = 0
        for batch in table.iter_batches(_ROWS):
            for record in batch.to_pylist():
                yield to_document(record, options, row, str(record)[:80].encode("utf-8", "replace"))
                row += 1
