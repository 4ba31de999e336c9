"""The files of a data set on a hub, read by what their names say they are."""

import importlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from llm_data_assets.sources.document import Document, Reject, UnreadableFileError
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.json_records import is_array, json_records
from llm_data_assets.sources.mapping import FieldMapping, to_document

_READERS = {
    ".parquet": "parquet", ".arrow": "arrow", ".feather": "arrow", ".jsonl": "jsonl",
    ".ndjson": "jsonl", ".json": "jsonl", ".csv": "csv", ".tsv": "tsv",
}  # fmt: skip
_COMPRESSED = (".gz", ".bz2", ".xz", ".zst")


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
    if name == "jsonl" and is_array(file):
        for index, record in json_records(file):
            yield to_document(record, mapping, index, str(record)[:80].encode("utf-8", "replace"))
        return
    reader = importlib.import_module(f"llm_data_assets.sources.{name}")
    fields = mapping.model_dump(include=set(FieldMapping.model_fields))
    yield from reader.read(file, reader.Options(**fields))


def split_table(file: SourceFile, part_bytes: int) -> list[int]:
    """Offsets at which reading can start, if the file's format has any."""
    name = reader_name(file)
    if name is None or (name == "jsonl" and is_array(file)):
        return []
    reader: Any = importlib.import_module(f"llm_data_assets.sources.{name}")
    split = getattr(reader, "split", None)
    return split(file, reader.Options(), part_bytes) if split else []


def reader_name(file: SourceFile) -> str | None:
    """The format of a file by its name; None where there is none."""
    path = PurePosixPath(file.path)
    path = path.with_suffix("") if path.suffix in _COMPRESSED else path
    return _READERS.get(path.suffix.lower())
