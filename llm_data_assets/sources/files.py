"""The files behind a source: found from uris, named the same on any machine, opened as a stream."""

import io
import os
import posixpath
import re
import sysconfig
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import fsspec

from llm_data_assets.config.digest import file_checksum
from llm_data_assets.engine.progress import advance
from llm_data_assets.lake.storage import faults, storage_error
from llm_data_assets.sources.compression import decompressed
from llm_data_assets.sources.document import UnreadableFileError

_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_KAGGLE = "kaggle://"
_GLOB = re.compile(r"[*?\[]")
_URL_GLOB = re.compile(r"[*\[]")  # a question mark starts the query of a URL
_PREDEFINED = {
    "PYTHON_STDLIB": sysconfig.get_path("stdlib"),
    "PYTHON_PACKAGES": sysconfig.get_path("purelib"),
}
_LFS_POINTER = b"version https://git-lfs"
# Readers that make one document of a file hold it whole; Arrow's strings end at 2 GiB.
_MAX_WHOLE_BYTES = 1 << 30


@dataclass(frozen=True)
class SourceFile:
    """One file of a source.

    `uri` is its name in the catalog's terms, the same on any machine; `path` is what to open;
    `size` is in bytes, as stored; `checksum` is the XXH3-128 of a local file's bytes (hex), or
    what a remote store tells of it (etag or modification time, and size). Wanted are the records
    whose offset lies in [`start`, `stop`): all of them, unless a big file is read in parts.
    """

    uri: str
    path: str
    size: int
    checksum: str
    start: int = 0
    stop: int | None = None


def list_files(
    uris: Sequence[str], *, base: Path, checksums: MutableMapping[str, str] | None = None
) -> list[SourceFile]:
    """The files that `uris` name, each once, sorted by uri.

    A uri is a file, a folder (everything below it), a glob (`**` too) or an fsspec URL; relative
    ones start at `base`. `${NAME}` stands for an environment variable, `${PYTHON_STDLIB}` and
    `${PYTHON_PACKAGES}` for this interpreter's folders. Hidden files, byte code and symlinks
    that lead out of the folder before the glob are left out.

    Args:
        checksums: remembered checksums by path, size and modification time; added to.

    Raises:
        FileNotFoundError: a uri matches nothing.
        ValueError: `${NAME}` is not set, a glob is malformed, or a URL's protocol is unknown.
    """
    paths: dict[str, str] = {}
    for uri in uris:
        filled = _fill_in(uri)
        found = _remote(uri, filled) if "://" in filled else _local(uri, base)
        for name, path in found:
            paths.setdefault(name, path)
    names: dict[str, str] = {}
    for name in sorted(paths):
        path = paths[name]
        names.setdefault(path if "://" in path else os.path.realpath(path), name)
    remembered = {} if checksums is None else checksums
    return [describe(name, paths[name], remembered) for name in names.values()]


def open_raw(file: SourceFile) -> BinaryIO:
    """The file's bytes, seekable.

    What storage says when it fails, now or while the stream is read, is noted in `faults`.

    Raises:
        UnreadableFileError: a Git LFS pointer stands where the data should be.
        OSError: it cannot be opened.
    """
    raw = _Remote(file) if "://" in file.path else _Followed(file)
    stream = cast(BinaryIO, io.BufferedReader(raw, 1 << 20))
    try:
        if stream.read(len(_LFS_POINTER)) == _LFS_POINTER:
            raise UnreadableFileError(
                f"git lfs pointer: {file.uri} holds a pointer, not the data. "
                "Try: `git lfs pull` in the folder it came from"
            )
        stream.seek(0)
    except BaseException:
        stream.close()
        raise
    return stream


class _Followed(io.FileIO):
    """A local file whose reading moves the progress bar."""

    def __init__(self, file: SourceFile) -> None:
        super().__init__(file.path)
        self._uri = file.uri

    def readinto(self, buffer: Any) -> int | None:
        try:
            n_bytes = super().readinto(buffer)
        except OSError as error:
            raise faults.note(self._uri, error) from error
        advance(n_bytes or 0)
        return n_bytes

    def readall(self) -> bytes:
        try:
            data = super().readall()
        except OSError as error:
            raise faults.note(self._uri, error) from error
        advance(len(data))
        return data


class _Remote(io.RawIOBase):
    """The same for a file behind a URL; each protocol has errors of its own."""

    def __init__(self, file: SourceFile) -> None:
        self._uri = file.uri
        try:
            self._stream = fsspec.open(file.path, "rb").open()
        except FileNotFoundError:
            raise  # a companion that there need not be; whoever needs the file says so
        except Exception as error:
            raise faults.note(self._uri, error) from error

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(self._stream.seekable())

    def seek(self, offset: int, whence: int = 0) -> int:
        return int(self._stream.seek(offset, whence))

    def tell(self) -> int:
        return int(self._stream.tell())

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._stream.read(len(buffer))
        except Exception as error:
            raise faults.note(self._uri, error) from error
        buffer[: len(data)] = data
        advance(len(data))
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()


def open_decompressed(file: SourceFile) -> BinaryIO:
    """The file's bytes without gzip, bzip2, zstd or xz, chosen by magic number.

    Several compressed members in a row are one stream.

    Raises:
        UnreadableFileError: a Git LFS pointer stands where the data should be; or, while
            reading, the stream is cut short, damaged, or grows out of all proportion.
    """
    return decompressed(open_raw(file), file.uri)


def is_compressed(file: SourceFile) -> bool:
    """Whether a stream of the file has to be decompressed from its beginning."""
    with open_raw(file) as raw:
        return decompressed(raw, file.uri) is not raw


def skip(stream: BinaryIO, n_bytes: int) -> int:
    """Pass over the first bytes of a stream, by seeking where it can; returns `n_bytes`."""
    if stream.seekable():
        return stream.seek(n_bytes)
    left = n_bytes
    while left and (data := stream.read(min(left, 1 << 20))):
        left -= len(data)
    return n_bytes


def read_whole(file: SourceFile) -> bytes:
    """All of a file that is one document, decompressed.

    Raises:
        UnreadableFileError: as `open_decompressed`; or the file is larger than 1 GiB.
    """
    with open_decompressed(file) as stream:
        data = stream.read(_MAX_WHOLE_BYTES + 1)
    if len(data) > _MAX_WHOLE_BYTES:
        raise UnreadableFileError(
            f"too large: {file.uri} is over {_MAX_WHOLE_BYTES >> 20} MiB, too much for one "
            "document. Try: split it, or use the format `jsonl`"
        )
    return data


def _fill_in(uri: str) -> str:
    def value(found: re.Match[str]) -> str:
        name = found.group(1)
        if (set_to := os.environ.get(name) or _PREDEFINED.get(name)) is None:
            raise ValueError(f"{uri!r} names ${{{name}}}, which is not set. Try: export {name}=...")
        return set_to

    return _PLACEHOLDER.sub(value, uri)


def _split(uri: str, glob: re.Pattern[str]) -> tuple[str, str]:
    """(folder, pattern): the part before the first glob, and the rest, empty without a glob."""
    start = glob.search(uri)
    if start is None:
        return uri.rstrip("/"), ""
    folder, slash, _ = uri[: start.start()].rpartition("/")
    return folder or slash, uri[len(folder) + len(slash) :]


def _local(uri: str, base: Path) -> list[tuple[str, str]]:
    """(name, path) of each local file; a name keeps the uri's part before the glob."""
    if (base / _fill_in(uri)).is_file():
        return [(posixpath.normpath(uri), str(base / _fill_in(uri)))]
    folder, pattern = _split(uri, _GLOB)
    start = base / _fill_in(folder)
    pattern = _fill_in(pattern) or "**/*"
    if pattern.endswith("**"):
        pattern += "/*"  # before Python 3.13 a final ** finds folders only
    root = start.resolve()
    found, outside = [], []
    try:
        matches = sorted(start.glob(pattern)) if start.is_dir() else []
    except ValueError as error:
        raise ValueError(f"{uri!r}: {error}. Try: `folder/**/*.txt`") from error
    for path in matches:
        relative = path.relative_to(start)
        if _is_hidden(relative.as_posix()) or not path.is_file():
            continue
        if not path.resolve().is_relative_to(root):
            outside.append(relative.as_posix())
            continue
        found.append((posixpath.normpath(posixpath.join(folder, relative.as_posix())), str(path)))
    if not found:
        raise FileNotFoundError(_matches_nothing(uri, str(base / _fill_in(uri)), outside))
    return found


def _remote(uri: str, filled: str) -> list[tuple[str, str]]:
    """(name, address) of each remote file; a name keeps the uri's part before the glob."""
    try:
        return _remote_files(uri, filled)
    except (FileNotFoundError, ValueError):
        raise
    except Exception as error:  # each protocol has errors of its own
        raise ValueError(str(storage_error(uri, error, "listed"))) from error


def _kaggle(uri: str, filled: str) -> list[tuple[str, str]]:
    """(name, path) of the files of `kaggle://owner/name`, which its own client keeps on disk."""
    try:
        import kagglehub
    except ImportError:
        raise ValueError(
            f"{uri!r} needs Kaggle's client. Try: pip install 'llm_data_assets[hubs]'"
        ) from None
    folder = Path(kagglehub.dataset_download(filled.removeprefix(_KAGGLE).strip("/")))
    return [
        (f"{uri.rstrip('/')}/{path.relative_to(folder).as_posix()}", str(path))
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]


def _remote_files(uri: str, filled: str) -> list[tuple[str, str]]:
    if filled.startswith(_KAGGLE):
        return _kaggle(uri, filled)
    try:
        filesystem, path = fsspec.url_to_fs(filled)
    except (ImportError, ValueError) as error:
        raise ValueError(
            f"{uri!r} cannot be opened: {error}. Try: install what it names"
        ) from error
    filesystem.invalidate_cache()  # a process that lives long would see its first listing for ever
    folder, pattern = _split(uri, _URL_GLOB)
    if pattern:
        about = filesystem.glob(path, detail=True)
        addresses = [name for name in sorted(about) if about[name]["type"] == "file"]
    elif filesystem.isfile(path):
        return [(uri, filesystem.unstrip_protocol(path))]
    else:
        addresses = sorted(filesystem.find(path))
    start = len(str(filesystem._strip_protocol(_fill_in(folder))).rstrip("/")) + 1
    found = [
        (f"{folder}/{name[start:]}", filesystem.unstrip_protocol(name))
        for name in addresses
        if not _is_hidden(name[start:])
    ]
    if not found:
        raise FileNotFoundError(_matches_nothing(uri, uri, []))
    return found


def _is_hidden(relative: str) -> bool:
    parts = relative.split("/")
    return (
        any(part.startswith(".") or part == "__pycache__" for part in parts)
        or relative.endswith(".pyc")
    )  # fmt: skip


def _matches_nothing(uri: str, where: str, outside: Sequence[str]) -> str:
    if outside:
        return (
            f"{uri!r} matches only symlinks that lead out of its folder, such as {outside[0]!r}, "
            f"and these are not followed (looked at {where}). "
            "Try: name the folder that they lead to"
        )
    return (
        f"{uri!r} matches no file (looked at {where}). "
        "Try: correct the path or the glob; relative paths start at the catalog's folder"
    )


def describe(uri: str, path: str, checksums: MutableMapping[str, str]) -> SourceFile:
    """The file at `path`, with its size and checksum; `checksums` as in `list_files`."""
    if "://" in path:
        filesystem, name = fsspec.url_to_fs(path)
        about = filesystem.info(name)
        marks = (about.get(key) for key in ("ETag", "etag", "md5", "blob_id", "mtime", "created"))
        mark = next((each for each in marks if each), "")
        size = int(about.get("size") or 0)
        return SourceFile(uri, path, size, f"{mark}-{size}")
    status = Path(path).stat()
    key = f"{path}|{status.st_size}|{status.st_mtime_ns}"
    if key not in checksums:
        checksums[key] = file_checksum(Path(path))
    return SourceFile(uri, path, status.st_size, checksums[key])
