"""TSV: one document a row. Offset: byte of the row's first line.

Quotation marks are text, as in the files of Conceptual Captions and FLAN; `quote: '"'` reads what
spreadsheets write.
"""

from collections.abc import Iterator

from pydantic import Field

from llm_data_assets.sources import csv
from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile


class Options(csv.Options):
    """Those of CSV, with another delimiter and no quoting."""

    delimiter: str = Field("\t", min_length=1, max_length=1, description="Between two cells")
    quote: str | None = Field(
        None, min_length=1, max_length=1, description="Around a cell; none where it is text"
    )


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield a document or a reject for every row that is not blank.

    Raises:
        UnreadableFileError: the header has no column of the text, or a column twice.
    """
    return csv.read(file, options)
