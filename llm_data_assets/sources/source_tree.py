"""Source code: one document a file, in a folder, an sdist or a zip. Offset: 0, or the member's.

The licence of a file is the one that it states itself, else that of the nearest LICENSE or
COPYING at its folder or above it, within what the catalog names.
"""

import contextlib
import re
from collections.abc import Iterator
from functools import lru_cache

from pydantic import BaseModel, ConfigDict, Field

from llm_data_assets.sources.archive import is_archive, members
from llm_data_assets.sources.code_file import (
    MAX_BYTES,
    code_document,
    is_license_file,
    nearest_licenses,
)
from llm_data_assets.sources.document import Document, Reject, UnreadableFileError
from llm_data_assets.sources.files import SourceFile, open_raw
from llm_data_assets.sources.licenses import licenses_of_text
from llm_data_assets.sources.nearby import nearest, stamp

_MAX_LICENSE_BYTES = 1 << 18


class Options(BaseModel):
    """Bounds on a file."""

    model_config = ConfigDict(extra="forbid")

    max_bytes: int = Field(
        MAX_BYTES, gt=0, description="Larger files are rejected, as The Stack does"
    )


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield the file, or every file of an archive; identifiers are paths within the tree."""
    if is_archive(file):
        yield from _archive(file, options)
    elif file.size > options.max_bytes:
        yield Reject(0, f"too large: {file.uri} has {file.size} bytes")
    else:
        with open_raw(file) as stream:
            data = stream.read()
        yield _named(code_document(data, file.uri, 0, _licenses_beside(file)), file.uri)


def companions(file: SourceFile) -> list[SourceFile]:
    """The licence files that decide what is said of `file`."""
    return nearest(file, is_license_file)


def _archive(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    by_folder = _licenses_inside(file)
    for member in members(file, lambda _: True, options.max_bytes):
        if isinstance(member, Reject):
            yield member
            continue
        licensed = nearest_licenses(member.path, by_folder)
        made = code_document(member.data, member.path, member.offset, licensed)
        yield _named(made, f"{file.uri}/{member.path}")


def _licenses_inside(file: SourceFile) -> dict[str, list[str]]:
    """Licences by folder, of the licence files that can be read; the reading proper tells of the
    others.
    """
    by_folder: dict[str, list[str]] = {}
    with contextlib.suppress(UnreadableFileError):
        for member in members(file, is_license_file, _MAX_LICENSE_BYTES):
            if not isinstance(member, Reject):
                folder = member.path.rpartition("/")[0] or "."
                found = licenses_of_text(member.data.decode("utf-8", "replace"))
                by_folder[folder] = sorted({*by_folder.get(folder, ()), *found})
    return by_folder


def _named(made: Document | Reject, uri: str) -> Document | Reject:
    if isinstance(made, Document):
        made.native_id = _tree_path(uri)
    return made


def _licenses_beside(file: SourceFile) -> list[str]:
    names: set[str] = set()
    for each in companions(file):
        names.update(_licenses_in(each, stamp(each)))
    return sorted(names)


@lru_cache(1_024)
def _licenses_in(file: SourceFile, changed: str) -> tuple[str, ...]:
    with open_raw(file) as stream:
        text = stream.read(_MAX_LICENSE_BYTES).decode("utf-8", "replace")
    return tuple(licenses_of_text(text))


def _tree_path(uri: str) -> str:
    """The uri without its placeholder or protocol: the path within the tree."""
    return re.sub(r"^(?:\$\{\w+\}|\w+://)/?|^(?:\.\./)+|^/", "", uri)
