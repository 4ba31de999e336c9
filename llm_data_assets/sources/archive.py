"""Files inside a tar or a zip, in the archive's order, held one at a time; none is unpacked."""

import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import BinaryIO, Self, cast

from llm_data_assets.sources.document import Reject, UnreadableFileError
from llm_data_assets.sources.files import SourceFile, open_decompressed, open_raw

_NAMES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".zip")
# Far more members than any real archive has: Linux has 90,000 files.
_MAX_MEMBERS = 1_000_000
# A member, or all of them together, this much larger than what is stored is a bomb.
_MAX_RATIO = 1_000
_MAX_UNCHECKED_BYTES = 64 << 20
# A name or a list of attributes that stands in front of a member, which tarfile reads whole.
_MAX_HEADER_BYTES = 1 << 20


@dataclass(frozen=True)
class Member:
    """One file: its path in the archive, its bytes, and where its header stands."""

    path: str
    data: bytes
    offset: int


def is_archive(file: SourceFile) -> bool:
    """Whether the file's name is that of a tar or a zip."""
    return file.path.lower().endswith(_NAMES)


def leaves(path: str) -> bool:
    """Whether a path, once unpacked, could lie outside of the folder it was unpacked to."""
    parts = PurePosixPath(path.replace("\\", "/")).parts
    return ".." in parts or path.startswith(("/", "\\")) or path[1:2] == ":" or "\0" in path


def members(
    file: SourceFile, wanted: Callable[[str], bool], max_bytes: int
) -> Iterator[Member | Reject]:
    """The wanted regular files of an archive; links, folders and devices are passed over.

    Rejects name members that leave the archive, are larger than `max_bytes`, are damaged or are
    bombs; the other members are read. Offset: the byte of the member's header, in the
    decompressed stream of a tar.

    Raises:
        UnreadableFileError: the file is no archive, is cut short, or has too many members.
    """
    if file.path.lower().endswith(".zip"):
        with open_raw(file) as stream:
            yield from _zip(stream, file, wanted, max_bytes)
    else:
        with open_decompressed(file) as stream:
            yield from _tar(stream, file, wanted, max_bytes)


def _tar(
    stream: BinaryIO, file: SourceFile, wanted: Callable[[str], bool], max_bytes: int
) -> Iterator[Member | Reject]:
    # read1 hands out what there is before a fault in the stream; read would throw it away.
    source = cast(BinaryIO, SimpleNamespace(read=getattr(stream, "read1", stream.read)))
    try:
        with tarfile.open(
            fileobj=source, mode="r|", bufsize=1 << 18, tarinfo=_BoundedHeader
        ) as archive:
            for count, each in enumerate(archive):
                # What has passed is not kept: a stream is read once.
                archive.members = []  # type: ignore[attr-defined]
                if count >= _MAX_MEMBERS:
                    raise _too_many(file)
                if not each.isfile() or not wanted(each.name):
                    continue
                if refused := _refused(each.name, each.size, each.offset, max_bytes):
                    yield refused
                    continue
                content = archive.extractfile(each)
                data = content.read() if content else b""
                if len(data) < each.size:
                    raise UnreadableFileError(f"truncated archive: {file.uri} ends in {each.name}")
                yield Member(_clean(each.name), data, each.offset)
    except tarfile.TarError as error:
        raise UnreadableFileError(f"damaged archive: {file.uri}: {error}") from error


class _BoundedHeader(tarfile.TarInfo):
    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        made = super().frombuf(buf, encoding, errors)
        if not made.isfile() and made.size > _MAX_HEADER_BYTES and not made.isdir():
            raise tarfile.ReadError(f"a header of {made.size} bytes")
        return made


def _zip(
    stream: BinaryIO, file: SourceFile, wanted: Callable[[str], bool], max_bytes: int
) -> Iterator[Member | Reject]:
    try:
        archive = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise UnreadableFileError(f"damaged archive: {file.uri}: {error}") from error
    entries = sorted(archive.infolist(), key=lambda each: each.header_offset)
    if len(entries) > _MAX_MEMBERS:
        raise _too_many(file)
    if sum(each.file_size for each in entries) > max(_MAX_UNCHECKED_BYTES, _MAX_RATIO * file.size):
        raise UnreadableFileError(f"decompression bomb: {file.uri} grows over {_MAX_RATIO} times")
    for each in entries:
        is_link = each.external_attr >> 28 == 0o12  # S_IFLNK, in the high half of Unix's mode
        if each.is_dir() or is_link or not wanted(each.filename):
            continue
        at = each.header_offset
        if refused := _refused(each.filename, each.file_size, at, max_bytes):
            yield refused
        elif each.flag_bits & 1:
            yield Reject(at, f"encrypted: {each.filename} in {file.uri} needs a password")
        elif each.file_size > _MAX_RATIO * max(each.compress_size, 1_024):
            yield Reject(at, f"decompression bomb: {each.filename} in {file.uri}")
        else:
            yield _entry(archive, each, file)


def _entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, file: SourceFile) -> Member | Reject:
    try:
        with archive.open(entry) as content:
            # What the entry holds beyond the size it declares is not read.
            data = content.read(entry.file_size)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        said = f"damaged member: {entry.filename} in {file.uri}: {error}"
        return Reject(entry.header_offset, said)
    return Member(_clean(entry.filename), data, entry.header_offset)


def _refused(path: str, size: int, offset: int, max_bytes: int) -> Reject | None:
    if leaves(path):
        return Reject(offset, f"path leaves the archive: {path}")
    if size > max_bytes:
        return Reject(offset, f"too large: {path} has {size} bytes")
    return None


def _clean(path: str) -> str:
    return str(PurePosixPath(path))


def _too_many(file: SourceFile) -> UnreadableFileError:
    return UnreadableFileError(f"too many members: {file.uri} has over {_MAX_MEMBERS:,}")
