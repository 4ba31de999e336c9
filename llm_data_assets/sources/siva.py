"""Public Git Archive: siva archives of git repositories, one document a file at each HEAD.

A siva archive is a row of blocks, each of files and an index at its end (go-siva's SPEC.md); a
later block replaces entries of an earlier one. Inside is one bare repository that holds a
repository and its forks: `refs/heads/HEAD/<id>` is the HEAD of each, and the remote `<id>` of
`config` has its address. Files with equal content are one document, of the first repository and
path that has it. Offset: the byte of the file's object in the archive.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict, Field

from llm_data_assets.sources.archive import leaves
from llm_data_assets.sources.code_file import (
    MAX_BYTES,
    code_document,
    is_license_file,
    nearest_licenses,
)
from llm_data_assets.sources.document import Document, Reject, UnreadableFileError
from llm_data_assets.sources.files import SourceFile, open_raw
from llm_data_assets.sources.git_objects import GitError
from llm_data_assets.sources.git_repository import Blob, Fault, Head, Repository
from llm_data_assets.sources.licenses import licenses_of_text

_FOOTER = struct.Struct(">IQQI")  # entries, bytes of the index, bytes of the block, CRC-32
_ENTRY = struct.Struct(">IqQQII")  # mode, nanoseconds, offset, size, CRC-32, flags
_SIGNATURE = b"IBA\x01"
_DELETED = 1
_MAX_INDEX_BYTES = 256 << 20
_MAX_LICENSE_BYTES = 1 << 18


class Options(BaseModel):
    """Bounds on a file."""

    model_config = ConfigDict(extra="forbid")

    max_bytes: int = Field(
        MAX_BYTES, gt=0, description="Larger files are rejected, as The Stack does"
    )


@dataclass(frozen=True)
class Entry:
    """One entry's bytes in the archive."""

    stream: BinaryIO
    start: int
    size: int
    crc: int

    def at(self, start: int, length: int) -> bytes:
        self.stream.seek(self.start + start)
        data = self.stream.read(max(0, min(length, self.size - start)))
        # Every archive seen has 0 there, though the specification asks for the checksum.
        if self.crc and len(data) == self.size and zlib.crc32(data) != self.crc:
            raise GitError("damaged entry: its CRC-32 is wrong")
        return data


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield the files of the repositories' HEADs, in the order of their objects in the archive.

    Raises:
        UnreadableFileError: the archive is damaged, or holds no git repository.
    """
    with open_raw(file) as stream:
        entries, faults = _entries(stream, file)
        if "HEAD" not in entries and "config" not in entries:
            raise UnreadableFileError(f"no repository: {file.uri} holds no bare git repository")
        repository = Repository(entries, lambda path, offset: entries[path].start + offset)
        faults += repository.open_packs()
        found = repository.heads()
        heads = [each for each in found if isinstance(each, Head)]
        files = list(repository.blobs(heads, is_license_file))
        blobs = [each for each in files if isinstance(each, Blob)]
        faults += [each for each in (*found, *files) if isinstance(each, Fault)]
        licenses = _licenses(repository, blobs)
        records: list[Fault | Blob] = [*faults, *(each for each in blobs if not each.is_copy)]
        for record in sorted(records, key=lambda each: each.place):
            if isinstance(record, Fault):
                yield Reject(record.place, f"{record.error} in {file.uri}")
            elif record.place >= file.start:
                yield _document(repository, record, licenses[record.head], file, options)


def _document(
    repository: Repository,
    blob: Blob,
    licenses: dict[str, list[str]],
    file: SourceFile,
    options: Options,
) -> Document | Reject:
    try:
        data = repository.read(blob.name, "blob", options.max_bytes)
    except GitError as error:
        return Reject(blob.place, f"{error}: {blob.path} in {file.uri}")
    head = blob.head
    head, remote = blob.head, blob.head.remote
    made = code_document(data, blob.path, blob.place, nearest_licenses(blob.path, licenses))
    if isinstance(made, Document):
        name = (remote.url or "").removeprefix("https://")
        repository_name = name or f"{PurePosixPath(file.uri).stem}/{remote.name}"
        made.native_id = f"{repository_name}/{blob.path}"
        made.url = remote.url
        made.created_at = head.committed_at
        made.meta |= {
            "repository": repository_name,
            "path": blob.path,
            "commit": head.commit,
            "blob": blob.name.hex(),
            "is_fork": remote.is_fork,
        }
    return made


def _licenses(repository: Repository, blobs: list[Blob]) -> dict[Head, dict[str, list[str]]]:
    """Licences by folder, of every HEAD; a licence file that is damaged counts for none."""
    found: dict[Head, dict[str, list[str]]] = {blob.head: {} for blob in blobs}
    for blob in blobs:
        if is_license_file(blob.path):
            try:
                data = repository.read(blob.name, "blob", _MAX_LICENSE_BYTES)
            except GitError:
                continue
            folder = str(PurePosixPath(blob.path).parent)
            names = {
                *found[blob.head].get(folder, ()),
                *licenses_of_text(data.decode(errors="replace")),
            }
            found[blob.head][folder] = sorted(names)
    return found


def _entries(stream: BinaryIO, file: SourceFile) -> tuple[dict[str, Entry], list[Fault]]:
    """Entries by name, and those whose name leaves the archive.

    Raises:
        UnreadableFileError: an index is damaged.
    """
    blocks = []
    end = stream.seek(0, 2)
    while end > 0:
        start, index, count = _block(stream, end, file)
        blocks.append((start, end - _FOOTER.size - len(index), index, count))
        end = start
    entries: dict[str, Entry] = {}
    faults = []
    for start, index_at, index, count in reversed(blocks):
        for name, entry, deleted in _parsed(stream, start, index_at, index, count, file):
            if leaves(name):
                faults.append(Fault(entry.start, f"path leaves the archive: {name}"))
            elif deleted:
                entries.pop(name, None)
            else:
                entries[name] = entry
    return entries, faults


def _block(stream: BinaryIO, end: int, file: SourceFile) -> tuple[int, bytes, int]:
    """(start, index without its footer, number of entries) of the block that ends at `end`."""
    if end < _FOOTER.size:
        raise UnreadableFileError(
            f"damaged siva: {file.uri} has {end} bytes before its first block"
        )
    stream.seek(end - _FOOTER.size)
    count, index_size, block_size, crc = _FOOTER.unpack(stream.read(_FOOTER.size))
    if index_size + _FOOTER.size > block_size or block_size > end or index_size > _MAX_INDEX_BYTES:
        raise UnreadableFileError(f"damaged siva: {file.uri} is cut short or no siva archive")
    stream.seek(end - _FOOTER.size - index_size)
    index = stream.read(index_size)
    if not index.startswith(_SIGNATURE):
        raise UnreadableFileError(f"damaged siva: {file.uri} has an index without its signature")
    if zlib.crc32(index) != crc:
        raise UnreadableFileError(f"damaged siva: {file.uri} has an index with a wrong CRC-32")
    return end - block_size, index, count


def _parsed(
    stream: BinaryIO, start: int, index_at: int, index: bytes, count: int, file: SourceFile
) -> Iterator[tuple[str, Entry, bool]]:
    """(name, entry, whether it is deleted) of every entry of an index."""
    at = len(_SIGNATURE)
    for _ in range(count):
        try:
            (length,) = struct.unpack_from(">I", index, at)
            name = index[at + 4 : at + 4 + length].decode("utf-8", "replace")
            _, _, offset, size, crc, flags = _ENTRY.unpack_from(index, at + 4 + length)
        except struct.error as error:
            raise UnreadableFileError(
                f"damaged siva: {file.uri} has an index of less than {count} entries"
            ) from error
        at += 4 + length + _ENTRY.size
        if start + offset + size > index_at:
            raise UnreadableFileError(f"damaged siva: {file.uri} has {name} outside of its block")
        yield name, Entry(stream, start + offset, size, crc), bool(flags & _DELETED)
