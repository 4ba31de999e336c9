"""Libri-Light: recordings without transcripts, a JSON beside each. Offset: 0, one record a file.

`uris` name the JSON files (`**/*.json`), or the folder.
"""

import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from llm_data_assets.sources.audio_length import seconds
from llm_data_assets.sources.document import Document, Reject, UnreadableFileError
from llm_data_assets.sources.files import SourceFile, open_raw, read_whole
from llm_data_assets.sources.media_pair import MediaPair, Paired, documents, numbers
from llm_data_assets.sources.nearby import beside
from llm_data_assets.sources.options import NoOptions as Options
from llm_data_assets.sources.silence import silence


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield the title of every recording as one document: there is no transcript."""
    return documents(read_records(file, options))


def companions(file: SourceFile) -> list[SourceFile]:
    """The recording beside a JSON file."""
    recording = beside(file, PurePosixPath(file.path).stem + ".flac")
    return [recording] if file.path.endswith(".json") and recording else []


def read_records(file: SourceFile, options: Options) -> Iterator[Paired]:
    """Yield the recording beside a JSON file; other files are passed over.

    Raises:
        UnreadableFileError: `not json`, or `no recording`.
    """
    if not file.path.endswith(".json"):
        return
    try:
        about = json.loads(read_whole(file))
    except (ValueError, RecursionError) as error:
        raise UnreadableFileError(f"not json: {file.uri}: {error}") from error
    if not isinstance(about, dict):
        raise UnreadableFileError(f"not json: {file.uri} holds no object")
    recording = beside(file, PurePosixPath(file.path).stem + ".flac")
    if recording is None:
        raise UnreadableFileError(f"no recording: {file.uri} has no .flac beside it")
    with open_raw(recording) as stream:
        length = seconds(stream)
        stream.seek(0)
        silent, fault = silence(stream, length)
    book: Any = about.get("book_meta")
    book = book if isinstance(book, dict) else {}
    yield MediaPair(
        0,
        "audio",
        str(book.get("title") or PurePosixPath(file.path).stem),
        path=recording.uri,
        seconds=length,
        says="title",
        silence=silent,
        fault=fault,
        scores=numbers(about, ["snr"]),
        native_id=PurePosixPath(file.path).stem,
        meta=about,
    )
