"""github-code: Parquet with a row a file. Offset: the row's number in the file.

The text is in `code` or, in raw shards, in `content`; a `language` that is missing follows from
the file's name.
"""

from collections.abc import Iterator

from llm_data_assets.sources.arrow_rows import Record
from llm_data_assets.sources.code_file import code_marks
from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.licenses import spdx
from llm_data_assets.sources.options import NoOptions as Options
from llm_data_assets.sources.parquet import rows, split
from llm_data_assets.sources.programming_languages import programming_language

__all__ = ["Options", "read", "repository_file", "split"]


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield a document for every row that has code.

    Raises:
        UnreadableFileError: the file is no Parquet, or has neither `code` nor `content`.
    """
    return rows(
        file,
        ["code", "content"],
        repository_file,
        "use the format parquet with a mapping of columns",
    )


def repository_file(record: Record, offset: int) -> Document | Reject:
    """A file of a GitHub repository, of the fields that github-code and CodeParrot share."""
    text = record.pop("code", None) or record.pop("content", None)
    if not isinstance(text, str):
        first = str(record)[:80].encode("utf-8", "replace")
        return Reject(offset, "no text: `code` or `content` is missing", first)
    path, repository = record.pop("path", None), record.pop("repo_name", None)
    license = record.pop("license", None)
    place = [part for part in (repository, path) if isinstance(part, str) and part]
    name = path if isinstance(path, str) else ""
    language = record.pop("language", None) or programming_language(name, text)
    return Document(
        text,
        offset,
        native_id="/".join(place) if len(place) == 2 else None,
        url=f"https://github.com/{repository}" if repository else None,
        title=name.rpartition("/")[2] or None,
        license=spdx(license) if isinstance(license, str) else None,
        meta={
            **record,
            "repository": repository,
            "path": path,
            "declared_license": license,
            "programming_language": language,
            **code_marks(name, text),
        },
    )
