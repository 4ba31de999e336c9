"""The Stack v1: Parquet with a row a file, licences of its repository. Offset: the row's number.

`max_stars_repo_licenses` lists what was detected in the repository where the file has most stars.
One licence is the file's; of several, nothing says how they combine or which covers the file, so
the licence is NOASSERTION, and the list stays in `meta`.
"""

from collections.abc import Iterator

from llm_data_assets.sources.arrow_rows import Record
from llm_data_assets.sources.code_file import code_marks
from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.licenses import one_license
from llm_data_assets.sources.options import NoOptions as Options
from llm_data_assets.sources.parquet import rows, split

__all__ = ["Options", "read", "split"]


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield a document for every row that has content.

    Raises:
        UnreadableFileError: the file is no Parquet, or has no column `content`.
    """
    return rows(file, ["content"], _document, "use the format parquet with a mapping of columns")


def _document(record: Record, row: int) -> Document | Reject:
    text = record.pop("content")
    if not isinstance(text, str):
        return Reject(row, "no text: `content` is missing", str(record)[:80].encode())
    language = record.pop("lang", None)
    path = record.get("max_stars_repo_path") or f".{record.get('ext') or ''}"
    repository = record.get("max_stars_repo_name")
    licenses = record.get("max_stars_repo_licenses") or []
    return Document(
        text,
        row,
        native_id=record.pop("hexsha", None),
        url=f"https://github.com/{repository}" if repository else None,
        title=path.rpartition("/")[2],
        license=one_license(each for each in licenses if each),
        meta={
            **{name: _count(name, value) for name, value in record.items() if value is not None},
            "programming_language": language,
            **code_marks(path, text),
        },
    )


def _count(name: str, value: object) -> object:
    """Counts are integers; copies made by way of pandas hold them as floats, NaN for null."""
    if isinstance(value, float) and (
        name.endswith("_count") or name in ("size", "max_line_length")
    ):
        return int(value) if value.is_integer() else None
    return value
