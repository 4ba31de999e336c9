"""The files behind a source: found from uris, named the same on any machine, opened as a stream."""

import bz2
import gzip
import io
import lzma
import os
import re
import sysconfig
from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import fsspec
import xxhash
import zstandard

_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_GLOB = re.compile(r"[*?\[]")
_PREDEFINED = {
    "PYTHON_STDLIB": sysconfig.get_path("stdlib"),
    "PYTHON_PACKAGES": sysconfig.get_path("purelib"),
}
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
# A decompressed stream this much larger than its file, and this large, is a bomb: real text
# compresses 3 to 30 times.
_MAX_RATIO = 1_000
_MAX_UNCHECKED_BYTES = 1 << 30


@dataclass(frozen=True)
class SourceFile:
    """One file of a source.

    `uri` is its name in the catalog's terms, the same on any machine; `path` is what to open;
    `checksum` is the XXH3-128 of a local file's bytes, or what a remote store tells of it.
    """

    uri: str
    path: str
    size: int
    checksum: str


class UnreadableFileError(ValueError):
    """A file that is not what it should be; the message starts with a short, stable reason."""


def list_files(
    uris: Sequence[str], *, base: Path, checksums: MutableMapping[str, str] | None = None
) -> list[SourceFile]:
    """The files that `uris` name, each once, sorted by uri.

    A uri is a file, a folder (everything below it), a glob (`**` too) or an fsspec URL; relative
    ones start at `base`. `${NAME}` stands for an environment variable, `${PYTHON_STDLIB}` and
    `${PYTHON_PACKAGES}` for this interpreter's folders. Hidden files, byte code and symlinks
    that lead out of the folder are left out.

    Args:
        checksums: remembered checksums by path, size and modification time; added to.

    Raises:
        FileNotFoundError: a uri matches nothing.
        ValueError: `${NAME}` is not set.
    """
    found: dict[str, SourceFile] = {}
    for uri in uris:
        resolved = _fill_in(uri)
        files = list(_remote(uri, resolved) if "://" in resolved else _local(uri, resolved, base))
        for name, path in files:
            found.setdefault(name, _describe(name, path, {} if checksums is None else checksums))
        if not files:
            where = resolved if "://" in resolved else str(base / resolved)
            raise FileNotFoundError(
                f"{uri!r} matches no file (looked at {where}). "
                "Try: correct the path or the glob; relative paths start at the catalog's folder"
            )
    return [found[name] for name in sorted(found)]


def open_raw(file: SourceFile) -> BinaryIO:
    """The file's bytes, seekable."""
    if "://" in file.path:
        return cast(BinaryIO, fsspec.open(file.path, "rb").open())
    return Path(file.path).open("rb")


def open_decompressed(file: SourceFile) -> BinaryIO:
    """The file's bytes without gzip, bzip2, zstd or xz, chosen by magic number.

    Several compressed members in a row are one stream.

    Raises:
        UnreadableFileError: a Git LFS pointer stands where the data should be; or, while
            reading, the stream grows out of all proportion.
    """
    raw = open_raw(file)
    head = raw.read(64)
    raw.seek(0)
    if head.startswith(_LFS_POINTER):
        raw.close()
        raise UnreadableFileError(
            f"git lfs pointer: {file.uri} holds a pointer, not the data. "
            "Try: `git lfs pull` in the folder it came from"
        )
    if head.startswith(b"\x1f\x8b"):
        stream: BinaryIO = cast(BinaryIO, gzip.GzipFile(fileobj=raw))
    elif head.startswith(b"BZh"):
        stream = cast(BinaryIO, bz2.BZ2File(raw))
    elif head.startswith(b"\x28\xb5\x2f\xfd"):
        reader = zstandard.ZstdDecompressor(max_window_size=2**31).stream_reader(
            raw, read_across_frames=True
        )
        stream = cast(BinaryIO, reader)
    elif head.startswith(b"\xfd7zXZ\x00"):
        stream = cast(BinaryIO, lzma.LZMAFile(raw))  # noqa: SIM115 - closed by the caller
    else:
        return raw
    return cast(BinaryIO, io.BufferedReader(_Bounded(stream, raw, file), 1 << 20))


class _Bounded(io.RawIOBase):
    """A decompressed stream that refuses to grow out of all proportion to its file."""

    def __init__(self, stream: BinaryIO, raw: BinaryIO, file: SourceFile) -> None:
        self._stream, self._raw, self._file, self._seen = stream, raw, file, 0

    def close(self) -> None:
        self._stream.close()
        self._raw.close()
        super().close()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        # One read a call: what was decompressed before a torn end is not lost with it.
        block = cast(io.BufferedReader, self._stream).read1(len(buffer))
        buffer[: len(block)] = block
        self._seen += len(block)
        if self._seen > max(_MAX_UNCHECKED_BYTES, _MAX_RATIO * self._file.size):
            raise UnreadableFileError(
                f"decompression bomb: {self._file.uri} grew {_MAX_RATIO} times beyond its size"
            )
        return len(block)


def _fill_in(uri: str) -> str:
    def value(found: re.Match[str]) -> str:
        name = found.group(1)
        if (set_to := os.environ.get(name) or _PREDEFINED.get(name)) is None:
            raise ValueError(f"{uri!r} names ${{{name}}}, which is not set. Try: export {name}=...")
        return set_to

    return _PLACEHOLDER.sub(value, uri)


def _local(uri: str, resolved: str, base: Path) -> Iterator[tuple[str, str]]:
    """(name, path) of each local file; the name keeps the uri's part before the glob."""
    glob = _GLOB.search(resolved)
    start = base / (resolved[: glob.start()].rpartition("/")[0] if glob else resolved)
    if "/" not in (resolved[: glob.start()] if glob else "/"):
        start = base
    fixed = _GLOB.split(uri, maxsplit=1)[0].rpartition("/")[0] if glob else uri
    if not glob and start.is_file():
        yield uri, str(start)
        return
    if not start.is_dir():
        return
    root = start.resolve()
    pattern = (
        resolved[len(resolved[: glob.start()].rpartition("/")[0]) :].lstrip("/") if glob else "**/*"
    )
    if pattern.endswith("**"):
        pattern += "/*"  # before Python 3.13 a final ** finds folders only
    for path in sorted(start.glob(pattern)):
        relative = path.relative_to(start)
        hidden = any(part.startswith(".") or part == "__pycache__" for part in relative.parts)
        if hidden or path.suffix == ".pyc" or not path.is_file():
            continue
        if not path.resolve().is_relative_to(root):
            continue
        name = relative.as_posix()
        yield (f"{fixed.rstrip('/')}/{name}" if fixed else name), str(path)


def _remote(uri: str, resolved: str) -> Iterator[tuple[str, str]]:
    filesystem, path = fsspec.url_to_fs(resolved)
    protocol = resolved.split("://", 1)[0]
    names = filesystem.glob(path) if _GLOB.search(resolved) else filesystem.find(path)
    for name in sorted(names):
        address = f"{protocol}://{name.lstrip('/')}" if "://" not in name else name
        yield address, address


def _describe(uri: str, path: str, checksums: MutableMapping[str, str]) -> SourceFile:
    if "://" in path:
        filesystem, name = fsspec.url_to_fs(path)
        about = filesystem.info(name)
        mark = about.get("ETag") or about.get("etag") or about.get("mtime") or about.get("created")
        return SourceFile(uri, path, int(about["size"]), f"{mark}-{about['size']}")
    status = Path(path).stat()
    key = f"{path}|{status.st_size}|{status.st_mtime_ns}"
    if key not in checksums:
        digest = xxhash.xxh3_128()
        with Path(path).open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
        checksums[key] = digest.hexdigest()
    return SourceFile(uri, path, status.st_size, checksums[key])
