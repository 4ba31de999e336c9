"""Files that say more of a file: a licence or a card in its folder, or in a folder above it."""

import os
import posixpath
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import fsspec

from llm_data_assets.sources.archive import leaves
from llm_data_assets.sources.files import SourceFile, describe

# What lies in such a folder came from elsewhere, under licences of its own.
BORDERS = frozenset(
    {"site-packages", "dist-packages", "node_modules", "bower_components", "vendor", "third_party"}
)


def beside(file: SourceFile, name: str) -> SourceFile | None:
    """The file of that name in the same folder; None where there is none.

    A name that leads out of the folder names none.
    """
    if "/" in name or name in ("", ".", ".."):
        return None
    path = posixpath.join(posixpath.dirname(file.path), name)
    uri = posixpath.join(posixpath.dirname(file.uri), name)
    if "://" in path:
        filesystem, inner = fsspec.url_to_fs(path)
        there = filesystem.isfile(inner)
    else:
        there = Path(path).is_file() and Path(path).resolve().parent == Path(path).parent.resolve()
    return SourceFile(uri, path, 0, "") if there else None


def nearest(file: SourceFile, wanted: Callable[[str], bool]) -> list[SourceFile]:
    """The files with a `wanted` name in the first folder that has one, sorted by name."""
    return next(above(file, wanted), [])


def above(file: SourceFile, wanted: Callable[[str], bool]) -> Iterator[list[SourceFile]]:
    """The files with a `wanted` name, sorted, of each folder that has one, from the file's up.

    The folders are those that `file.uri` names, from the file's own up to the uri's first: never
    one outside of what the catalog points at, and not out of a folder of other people's code
    (`BORDERS`). Symlinks are not followed. Sizes and checksums are empty: nobody has read these.

    Args:
        wanted: module-level, since its answers are remembered.
    """
    uri, path = posixpath.dirname(file.uri), posixpath.dirname(file.path)
    while posixpath.basename(uri) not in BORDERS:
        if names := _named(path, wanted):
            yield [
                SourceFile(posixpath.join(uri, name), posixpath.join(path, name), 0, "")
                for name in names
            ]
        uri, path = posixpath.dirname(uri), posixpath.dirname(path)
        if uri in ("", "/") or uri.endswith((":", ":/", "..")):
            return


def below(file: SourceFile, glob: str) -> list[SourceFile]:
    """The files at or below `file`'s folder that a relative path, glob or folder names."""
    if leaves(glob):
        return []
    folder, uri = posixpath.dirname(file.path), posixpath.dirname(file.uri)
    if "://" in folder:
        filesystem, top = fsspec.url_to_fs(folder)
        top = top.rstrip("/")
        found = [
            (posixpath.relpath(each, top), filesystem.unstrip_protocol(each))
            for pattern in (glob, f"{glob.rstrip('/')}/**")
            for each in filesystem.glob(f"{top}/{pattern}")
            if filesystem.isfile(each)
        ]
    else:
        root = Path(folder).resolve()
        found = [
            (each.relative_to(folder).as_posix(), str(each))
            for pattern in (glob, f"{glob.rstrip('/')}/**/*")
            for each in Path(folder).glob(pattern)
            if each.is_file() and each.resolve().is_relative_to(root)
        ]
    return [SourceFile(posixpath.join(uri, name), path, 0, "") for name, path in sorted(set(found))]


def stamp(file: SourceFile) -> str:
    """What changes when a file that was read by the way does; for caches, never for tables."""
    if "://" in file.path:
        return describe(file.uri, file.path, {}).checksum
    status = Path(file.path).stat()
    return f"{status.st_mtime_ns}-{status.st_size}"


def _named(folder: str, wanted: Callable[[str], bool]) -> tuple[str, ...]:
    if "://" in folder:
        filesystem, path = fsspec.url_to_fs(folder)
        names = (posixpath.basename(each) for each in filesystem.ls(path, detail=False))
        return tuple(sorted(filter(wanted, names)))
    try:
        return _named_here(folder, os.stat(folder).st_mtime_ns, wanted)  # noqa: PTH116 - hot
    except OSError:
        return ()


@lru_cache(4_096)
def _named_here(folder: str, modified: int, wanted: Callable[[str], bool]) -> tuple[str, ...]:
    with os.scandir(folder) as entries:
        return tuple(
            sorted(e.name for e in entries if wanted(e.name) and e.is_file(follow_symlinks=False))
        )
