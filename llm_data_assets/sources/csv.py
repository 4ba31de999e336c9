"""CSV: one document a row, cells by a mapping of columns. Offset: byte of the row's first line."""

from collections.abc import Iterator

from pydantic import Field

from llm_data_assets.sources.arrow_rows import text_columns
from llm_data_assets.sources.delimited import MAX_CELL, Dialect, documents
from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.mapping import FieldMapping


class Options(FieldMapping):
    """Mapping of columns, and how cells are told apart."""

    columns: list[str] | None = Field(None, description="Names of the columns, without a header")
    delimiter: str = Field(",", min_length=1, max_length=1, description="Between two cells")
    quote: str | None = Field(
        '"', min_length=1, max_length=1, description="Around a cell; none where it is text"
    )
    encoding: str | None = Field(None, description="Declared encoding; found where absent")
    max_cell: int = Field(
        MAX_CELL, gt=0, description="Characters; a row with a longer cell is rejected"
    )


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield a document or a reject for every row that is not blank.

    Raises:
        UnreadableFileError: the header has no column of the text, or a column twice.
    """
    dialect = Dialect(**options.model_dump(include=set(Dialect.__dataclass_fields__)))
    yield from documents(file, dialect, options, text_columns(options))
