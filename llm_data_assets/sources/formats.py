"""Every native format by name; a reader is imported when it is first used.

A package of one's own adds a format by an entry point in the group `llm_data_assets.formats`,
whose value is a module with `Options` and `read`, as every module of this room has them.
"""

import difflib
import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, cast

import fsspec
from pydantic import BaseModel, ValidationError

from llm_data_assets.lake.storage import StorageError, faults, storage_error
from llm_data_assets.sources.conversation import Conversation, Preference, Spoken
from llm_data_assets.sources.document import Document, Reject, UnreadableFileError
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.media_pair import MediaPair, Paired
from llm_data_assets.sources.storable import storable

ENTRY_POINTS = "llm_data_assets.formats"


@dataclass(frozen=True)
class Format:
    """A native format: the module that reads it, and a sentence for the list of formats."""

    name: str
    module: str
    description: str


class Reader(Protocol):
    """What a format's module offers."""

    Options: type[BaseModel]

    def read(self, file: SourceFile, options: Any) -> Iterator[Document | Reject]:
        """Records in the order of the file, from `file.start` on or from before it."""
        ...


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        name: Format(name, f"llm_data_assets.sources.{module}", description)
        for name, module, description in (
            ("warc", "warc", "Common Crawl WARC: HTML responses to text"),
            ("wet", "wet", "Common Crawl WET: extracted plain text"),
            ("wat", "wat", "Common Crawl WAT: title, description and link texts of pages"),
            ("arc", "arc", "ARC, the archive before WARC: HTML responses to text"),
            ("pile", "pile", "The Pile: JSON lines with the name of their set"),
            ("oscar", "oscar", "OSCAR 22.01 and 23.01: JSON lines with web archive headers"),
            ("roots", "roots", "ROOTS: Parquet with metadata as a Python dict's repr"),
            ("redpajama", "redpajama", "RedPajama-1T: JSON lines with meta, both date shapes"),
            ("mathpile", "mathpile", "MathPile: JSON lines with subset and meta"),
            ("c4", "c4", "C4 and mC4: JSON lines with text, url and timestamp"),
            ("wikipedia", "wikipedia", "MediaWiki XML dump: articles without markup"),
            ("gutenberg", "gutenberg", "Project Gutenberg text without its licence header"),
            ("epub", "epub", "EPUB: chapters in reading order, one document a book"),
            ("the_stack", "the_stack", "The Stack v1: Parquet with licences of repositories"),
            ("github_code", "github_code", "github-code: Parquet with a row a file"),
            ("codeparrot", "codeparrot", "codeparrot-clean: JSON lines with a Python file each"),
            ("siva", "siva", "Public Git Archive: files at each HEAD of siva archives"),
            ("pga_index", "pga_index", "Public Git Archive's index: a row a repository"),
            ("hf_dataset", "hf_dataset", "Hugging Face data set: card, configs and splits"),
            ("kaggle", "kaggle", "Kaggle data set: dataset-metadata.json and its files"),
            ("jsonl", "jsonl", "JSON lines with a mapping of fields"),
            ("csv", "csv", "CSV with a mapping of columns"),
            ("tsv", "tsv", "TSV with a mapping of columns"),
            ("parquet", "parquet", "Parquet with a mapping of columns"),
            ("arrow", "arrow", "Arrow IPC file or stream with a mapping of columns"),
            ("text", "text", "Plain text, one document a file"),
            ("source_tree", "source_tree", "Source code: folders, sdists, zips"),
            ("python_packages", "python_packages", "Installed packages: descriptions and licences"),
            ("sharegpt", "sharegpt", "ShareGPT dialogues, with tools, and their preferences"),
            ("oasst", "oasst", "OpenAssistant: trees of messages, as dialogues or preferences"),
            ("dolly", "dolly", "Dolly: instruction, context, response, category"),
            ("alpaca", "alpaca", "Alpaca: instruction, input, output"),
            ("belle", "belle", "BELLE: Alpaca's layout in Chinese"),
            ("self_instruct", "self_instruct", "Self-Instruct: tasks with instances"),
            ("lima", "lima", "LIMA: turns that alternate"),
            ("flan", "flan", "FLAN: chain-of-thought TSV, or inputs and targets"),
            ("hh_rlhf", "hh_rlhf", "HH-RLHF: chosen and rejected dialogues"),
            ("ultrafeedback", "ultrafeedback", "UltraFeedback: rated completions"),
            ("laion", "laion", "LAION 400M and 2B: addresses and captions of pictures"),
            ("coyo", "coyo", "COYO-700M: addresses, captions and scores of pictures"),
            ("conceptual_captions", "conceptual_captions", "Conceptual Captions: TSV of both"),
            ("cc12m", "cc12m", "CC12M as WebDataset: tar of pictures, captions and JSON"),
            ("webvid", "webvid", "WebVid: addresses, captions and lengths of films"),
            ("librispeech", "librispeech", "LibriSpeech: transcripts, lengths of recordings"),
            ("librilight", "librilight", "Libri-Light: recordings with JSON beside them"),
        )
    }
)


@cache
def all_formats() -> Mapping[str, Format]:
    """The formats of this package, and those that other installed packages register.

    A name that this package has is not given away.
    """
    registered = {
        each.name: Format(
            each.name, each.value, f"Registered by {each.dist.name if each.dist else each.value}"
        )
        for each in entry_points(group=ENTRY_POINTS)
    }
    return MappingProxyType({**registered, **FORMATS})


def load_reader(name: str) -> Reader:
    """The reader of a format.

    Raises:
        ValueError: there is no format of that name (the message lists close ones), or a
            registered reader cannot be imported or lacks `Options` or `read`.
    """
    formats = all_formats()
    if name not in formats:
        close = difflib.get_close_matches(name, formats, n=3) or sorted(formats)
        raise ValueError(f"there is no format {name!r}. Try: {', '.join(close)}")
    module = formats[name].module
    try:
        reader = importlib.import_module(module)
    except ImportError as error:
        raise ValueError(
            f"the reader of format {name!r}, {module}, cannot be imported: {error}. "
            "Try: install or mend the package that registers it"
        ) from error
    if not (hasattr(reader, "Options") and hasattr(reader, "read")):
        raise ValueError(
            f"the reader of format {name!r}, {module}, lacks `Options` or `read`. "
            "Try: docs/formats.md shows what a reader has"
        )
    return cast(Reader, reader)


def options_model(name: str) -> type[BaseModel]:
    """The options that a format has, as a pydantic model.

    Raises:
        ValueError: there is no format of that name.
    """
    return load_reader(name).Options


def check_options(name: str, options: Mapping[str, Any]) -> BaseModel:
    """The options of a format, validated.

    Raises:
        ValueError: an option that the format does not have or that does not fit.
    """
    model = options_model(name)
    try:
        return model.model_validate(dict(options))
    except ValidationError as invalid:
        error = invalid.errors(include_url=False)[0]
        field = ".".join(str(part) for part in error["loc"])
        known = ", ".join(model.model_fields) or "none"
        raise ValueError(
            f"option {field!r} of format {name!r}: {error['msg']}. Try: its options are {known}"
        ) from None


def read_documents(
    name: str, file: SourceFile, options: Mapping[str, Any]
) -> Iterator[Document | Reject]:
    """Read one file in its native format; what cannot be understood is a reject, no exception.

    Records come in the order of the file, and only those between its `start` and `stop`. A fault
    that ends the reading (a truncated archive, a full stream of nonsense) is the last reject;
    what was read before it stands.

    Raises:
        StorageError: the disk or the store failed, or the file is gone since it was listed.
    """
    for record in _guarded(load_reader(name).read(file, check_options(name, options)), file):
        yield storable(record)


def read_dialogues(name: str, file: SourceFile, options: Mapping[str, Any]) -> Iterator[Spoken]:
    """As `read_documents`, for the dialogues and preferences of a format that has `read_records`.

    Raises:
        ValueError: the format gives documents or pairs alone.
    """
    return _records(name, file, options, "dialogues", (Conversation, Preference))


def read_pairs(name: str, file: SourceFile, options: Mapping[str, Any]) -> Iterator[Paired]:
    """As `read_dialogues`, for the references to media and their captions.

    Raises:
        ValueError: the format gives documents or dialogues alone.
    """
    return _records(name, file, options, "pairs", (MediaPair,))


def _records(
    name: str, file: SourceFile, options: Mapping[str, Any], noun: str, kinds: tuple[type, ...]
) -> Iterator[Any]:
    read = getattr(load_reader(name), "read_records", None)
    problem = (
        f"format {name!r} gives no {noun}. Try: `branch: text`, or a reader whose "
        "`read_records` gives them"
    )
    if read is None:
        raise ValueError(problem)
    for record in _guarded(read(file, check_options(name, options)), file):
        if isinstance(record, Reject):
            yield cast(Reject, storable(record))
        elif isinstance(record, kinds):
            yield record
        else:
            raise ValueError(problem)


def _guarded(records: Iterator[Any], file: SourceFile) -> Iterator[Any]:
    """Records between the file's `start` and `stop`; a reader's fault is the last, a reject.

    Raises:
        StorageError: the file could not be read; what came before stands for nothing.
    """
    offset = file.start
    faults.clear()
    try:
        for record in records:
            faults.check()  # a reject may be what a reader took a failed read for
            if file.stop is not None and record.offset >= file.stop:
                return
            if record.offset >= file.start:
                offset = record.offset
                yield record
    except StorageError:
        raise
    except UnreadableFileError as error:
        faults.check()
        yield Reject(offset, str(error))
    except Exception as error:  # a reader's fault costs the rest of this file, and says so
        faults.check()
        if isinstance(error, FileNotFoundError) and not _is_there(file):
            raise storage_error(file.uri, error) from error
        said = str(error).replace(file.path, file.uri)  # no machine's paths in a table
        yield Reject(offset, f"reader failed: {type(error).__name__}: {said} in {file.uri}")
    faults.check()


def _is_there(file: SourceFile) -> bool:
    if "://" not in file.path:
        return Path(file.path).exists()
    filesystem, name = fsspec.url_to_fs(file.path)
    return bool(filesystem.exists(name))


def companions(name: str, file: SourceFile) -> list[SourceFile]:
    """Other files that decide what is read of this one: a licence file, a card, a metadata file.

    Formats that have such offer `companions(file)`; when one changes, the file is read again.
    """
    beside = getattr(load_reader(name), "companions", None)
    return beside(file) if beside else []


def split_offsets(
    name: str, file: SourceFile, options: Mapping[str, Any], part_bytes: int
) -> list[int]:
    """Offsets at which reading can start, about `part_bytes` of the stored file apart.

    Formats that can be entered in the middle offer `split(file, options, part_bytes)`; a record
    belongs to the part that its offset lies in. No offset where the format or the file's
    compression has to be read from the beginning.
    """
    split = getattr(load_reader(name), "split", None)
    return split(file, check_options(name, options), part_bytes) if split else []
