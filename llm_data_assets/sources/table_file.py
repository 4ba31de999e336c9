"""The files of a data set on a hub, read by what their names say they are."""

import importlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from llm_data_assets.sources.document import Document, Reject, UnreadableFileError
from llm_data_assets.sources.files import SourceFile, open_decompressed
from llm_data_assets.sources.json_array import elements
from llm_data_assets.sources.mapping import FieldMapping, to_document

_READERS = {
    ".parquet": "parquet", ".arrow": "arrow", ".feather": "arrow", ".jsonl": "jsonl",
    ".ndjson": "jsonl", ".json": "jsonl", ".csv": "csv", ".tsv": "tsv",
}  # fmt: skip
_COMPRESSED = (".gz", ".bz2", ".xz", ".zst")
_SPACE = b" \t\r\n\xef\xbb\xbf"


def read_table(file: SourceFile, mapping: FieldMapping) -> Iterator[Document | Reject]:
    """Yield a document or a reject for every row or record of the file.

    Raises:
        UnreadableFileError: there is no reader for such a name, or the reader's own.
    """
    name = reader_name(file)
    if name is None:
        raise UnreadableFileError(
            f"no reader: {file.uri} is none of {', '.join(_READERS)}. "
            "Try: leave it out with a glob, or a source of its own"
        )
    if name == "jsonl" and _starts_with_bracket(file):
        yield from _array(file, mapping)
        return
    reader = importlib.import_module(f"llm_data_assets.sources.{name}")
    fields = mapping.model_dump(include=set(FieldMapping.model_fields))
    yield from reader.read(file, reader.Options(**fields))


def split_table(file: SourceFile, part_bytes: int) -> list[int]:
    """Offsets at which reading can start, if the file's format has any."""
    name = reader_name(file)
    if name is None or (name == "jsonl" and _starts_with_bracket(file)):
        return []
    reader: Any = importlib.import_module(f"llm_data_assets.sources.{name}")
    split = getattr(reader, "split", None)
    return split(file, reader.Options(), part_bytes) if split else []


def reader_name(file: SourceFile) -> str | None:
    """The format of a file by its name; None where there is none."""
    path = PurePosixPath(file.path)
    path = path.with_suffix("") if path.suffix in _COMPRESSED else path
    return _READERS.get(path.suffix.lower())


def _starts_with_bracket(file: SourceFile) -> bool:
    """Whether a JSON file is one array rather than a line a record."""
    with open_decompressed(file) as stream:
        return stream.read(64).lstrip(_SPACE).startswith(b"[")


def _array(file: SourceFile, mapping: FieldMapping) -> Iterator[Document | Reject]:
    with open_decompressed(file) as stream:
        for index, record in enumerate(elements(stream, file.uri)):
            yield to_document(record, mapping, index, str(record)[:80].encode("utf-8", "replace"))
