"""What the log of a Delta table says: its newest version, and the files of a version."""

import os
import threading
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable

_following = threading.Lock()


def newest_version(folder: Path) -> int | None:
    """The newest version in a table's log; a log entry appears whole or not at all."""
    # Names, not paths: it is asked often, and a table has an entry for each of its versions. They
    # are numbers of twenty digits each.
    try:
        with os.scandir(folder / "_delta_log") as entries:
            names = [entry.name for entry in entries if entry.name[-6:-5].isdigit()]
    except FileNotFoundError:
        return None
    newest = max((name for name in names if name.endswith(".json")), default=None)
    return int(newest.removesuffix(".json")) if newest else None


@lru_cache(maxsize=256)
def files_at(folder: str, version: int) -> tuple[str, ...]:
    """Paths of one version, sorted; a version never changes."""
    with _following:
        delta = _followed(folder)
        if delta.version() != version:
            delta = DeltaTable(folder, version=version)
        return tuple(sorted(path for path, _ in active_files(delta)))


def _followed(folder: str) -> DeltaTable:
    """The newest version, read on from the last one that was asked for: to open a table takes ten
    times as long. Only for reading, and under `_following`: a writer whose table moved on beneath
    it would not see a conflict."""
    try:
        first = (Path(folder) / "_delta_log" / f"{0:020}.json").stat()
    except FileNotFoundError:  # an object store
        return DeltaTable(folder)
    delta = _kept(folder, (first.st_ino, first.st_mtime_ns))
    delta.update_incremental()
    return delta


@lru_cache(maxsize=64)
def _kept(folder: str, began: tuple[int, int]) -> DeltaTable:
    """`began` tells a table from one that was there before it."""
    return DeltaTable(folder)


def active_files(delta: DeltaTable) -> list[tuple[str, int]]:
    """Path and bytes of each file."""
    actions = pa.table(delta.get_add_actions(flatten=True))
    return list(zip(actions["path"].to_pylist(), actions["size_bytes"].to_pylist(), strict=True))
