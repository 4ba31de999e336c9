"""CC12M as WebDataset: tar of triples (jpg or png, txt, json) by key. Offset: byte of the caption.

Members are streamed and never unpacked; of a picture only its presence is noted.
"""

import json
import tarfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from llm_data_assets.sources.conversation import rest_of
from llm_data_assets.sources.document import Document, Reject, UnreadableFileError
from llm_data_assets.sources.files import SourceFile, open_decompressed
from llm_data_assets.sources.media_pair import MediaPair, Paired, documents, whole
from llm_data_assets.sources.options import NoOptions as Options

_PICTURES = (".jpg", ".jpeg", ".png", ".webp")
_MAX_TEXT = 1 << 20


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield the caption of every triple as one document."""
    return documents(read_records(file, options))


def read_records(file: SourceFile, options: Options) -> Iterator[Paired]:
    """Yield every key with a picture and a caption; one that lacks a part is a reject.

    Raises:
        UnreadableFileError: `not tar`, or the archive is cut short.
    """
    key: str | None = None
    parts: dict[str, Any] = {}
    try:
        with open_decompressed(file) as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
            for member in tar:
                if not member.isfile():
                    continue
                path = PurePosixPath(member.name)
                if path.is_absolute() or ".." in path.parts:
                    if key is not None:
                        yield _pair(key, parts)
                        key = None
                    yield Reject(member.offset, f"path leaves the archive: {member.name}")
                    continue
                if str(path.with_suffix("")) != key:
                    if key is not None:
                        yield _pair(key, parts)
                    key, parts = str(path.with_suffix("")), {"offset": member.offset}
                if path.suffix in _PICTURES:
                    parts["picture"] = member.name
                elif path.suffix in (".txt", ".json"):
                    data = tar.extractfile(member)
                    parts[path.suffix] = data.read(_MAX_TEXT) if data else b""
    except tarfile.TarError as error:
        reason = "damaged tar" if key is not None else "not tar"
        raise UnreadableFileError(f"{reason}: {file.uri}: {error}") from error
    if key is not None:
        yield _pair(key, parts)


def _pair(key: str, parts: dict[str, Any]) -> Paired:
    for name, what in (("picture", "picture"), (".txt", "caption")):
        if name not in parts:
            return Reject(parts["offset"], f"no {what}: the triple of {key} has none")
    try:
        about = json.loads(parts.get(".json", b"{}"))
        caption = parts[".txt"].decode()
    except (ValueError, RecursionError) as error:
        return Reject(parts["offset"], f"broken triple: {key}: {str(error)[:100]}")
    about = about if isinstance(about, dict) else {}
    url = about.get("url")
    return MediaPair(
        parts["offset"],
        "image",
        caption,
        url=url if isinstance(url, str) else None,
        path=parts["picture"],
        width=whole(about.get("width") or about.get("original_width")),
        height=whole(about.get("height") or about.get("original_height")),
        native_id=key,
        meta=rest_of(about, "url", "caption"),
    )
