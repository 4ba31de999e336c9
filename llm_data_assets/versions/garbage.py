"""Collecting old versions: files that neither the current version nor a pin names."""

import json
from dataclasses import dataclass
from pathlib import Path

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.schemas import Table
from llm_data_assets.stages.materialise import ALL_TABLES, lake_of
from llm_data_assets.versions.pins import names, read_pin


@dataclass(frozen=True)
class Garbage:
    """The files of a table that can go, and their bytes."""

    table: str
    files: tuple[Path, ...]
    n_bytes: int


def garbage(workspace: Workspace) -> list[Garbage]:
    """What `collect` would remove, by table.

    Files that no version ever named are not among it: the next run goes on from them.

    Raises:
        ConfigError: a pin's file is not what was written.
    """
    lake = lake_of(workspace)
    pinned: dict[str, set[str]] = {}
    for name in names(workspace):
        for table, paths in read_pin(workspace, name)["tables"].items():
            pinned.setdefault(table, set()).update(paths)
    found = []
    for each in ALL_TABLES:
        files = _old_files(lake, each, pinned.get(each.name, set()))
        if files:
            found.append(Garbage(each.name, tuple(files), sum(files.values())))
    return found


def collect(workspace: Workspace) -> list[Garbage]:
    """Remove the files of old versions that no pin names; returns what went.

    Raises:
        ConfigError: a writer is at work, which may be about to use one of them again.
    """
    lake = lake_of(workspace)
    lake.sweep()
    if writing := next(lake.root.glob("**/.*.tmp"), None):
        raise ConfigError(
            str(writing),
            "",
            "is being written by a run, here or on another machine",
            "again when no run is going on; what a killed one left on another machine counts as "
            "being written for a day",
        )
    found = garbage(workspace)
    for each in found:
        for path in each.files:
            lake.remove(path)
    return found


def _old_files(lake: Lake, table: Table, pinned: set[str]) -> dict[Path, int]:
    """File -> bytes, sorted."""
    folder = lake.table_path(table)
    keep = set(lake.files(table)) | {folder / path for path in pinned}
    committed = _committed(lake, table)
    return {
        path: size
        for path, size in sorted(lake.stored(table).items())
        if path not in keep and path.name in committed
    }


def _committed(lake: Lake, table: Table) -> set[str]:
    """Names of all files that any version named; they differ, since they tell the content."""
    found = set()
    for entry in lake.log(table):
        for line in entry.splitlines():
            action = json.loads(line)
            if "add" in action:
                found.add(action["add"]["path"].rsplit("/", 1)[-1])
    return found
