"""What the log of a Delta table says: its newest version, and the files of a version."""

import os
import re
import threading
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable

_ENTRY = re.compile(r"[0-9]\.json$")
_following = threading.Lock()


def entries(folder: Path) -> list[str]:
    """Names of a log's entries, a version each; one appears whole or not at all."""
    # Names, not paths: they are asked for often, and there is one for each version.
    try:
        with os.scandir(folder / "_delta_log") as found:
            return [each.name for each in found if _ENTRY.search(each.name)]
    except FileNotFoundError:
        return []


def newest_version(folder: Path) -> int | None:
    """The newest version in a table's log."""
    newest = max(entries(folder), default=None)  # numbers of twenty digits each
    return int(newest.removesuffix(".json")) if newest else None


@lru_cache(maxsize=256)
def files_at(folder: str, version: int) -> tuple[str, ...]:
    """Paths of one version, sorted; a version never changes."""
    with _following:
        delta = _followed(folder)
        if delta is None or delta.version() != version:
            delta = DeltaTable(folder, version=version)
        return tuple(sorted(active_files(delta)))


def _followed(folder: str) -> DeltaTable | None:
    """The newest version, read on from the last one that was asked for: to open a table takes ten
    times as long. None where the log is not a folder here.

    Only for reading, and under `_following`: a writer whose table moved on beneath it would not
    see a conflict.
    """
    try:
        first = (Path(folder) / "_delta_log" / f"{0:020}.json").stat()
    except FileNotFoundError:
        return None
    delta = _kept(folder, (first.st_ino, first.st_mtime_ns))
    delta.update_incremental()
    return delta


@lru_cache(maxsize=64)
def _kept(folder: str, began: tuple[int, int]) -> DeltaTable:
    """`began` tells a table from one that was there before it."""
    return DeltaTable(folder)


def active_files(delta: DeltaTable, prefix: str = "") -> dict[str, int]:
    """Path -> bytes of each file whose path begins so."""
    actions = pa.table(delta.get_add_actions(flatten=True))
    sizes = zip(actions["path"].to_pylist(), actions["size_bytes"].to_pylist(), strict=True)
    return {path: size for path, size in sizes if path.startswith(prefix)}
