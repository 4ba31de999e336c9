"""Which versions of a partition there were, and what each was made anew for."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.schemas import STAGE_STATS, Table
from llm_data_assets.stages.beside import tables_of, values_in
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import lake_of
from llm_data_assets.stages.stage import Partition, Stage
from llm_data_assets.stages.versions import made_name

RESTORED = "restored "


def versions(
    workspace: Workspace, stage: str | None = None, source: str | None = None
) -> list[dict[str, Any]]:
    """Every materialisation, by stage and partition, oldest first.

    `version` is the number that `restore` takes, `changed` why it was made (first, code or
    settings, inputs, restored, nothing) and `kept` whether its files are there (current, yes,
    collected).

    Raises:
        ConfigError: there is no such stage or source.
    """
    if stage is not None and stage not in STAGES:
        raise ConfigError("--stage", stage, "is not a stage", f"one of {', '.join(STAGES)}")
    lake = lake_of(workspace)
    found = [
        row
        for name in ([stage] if stage else STAGES)
        for row in _of_stage(lake, STAGES[name])
        if source in (None, row["source"])
    ]
    if source is not None and not found and source not in workspace.all_sources:
        known = ", ".join(workspace.all_sources)
        raise ConfigError("--source", source, "is not in the catalog", f"one of {known}")
    return found


def partition_named(workspace: Workspace, name: str) -> tuple[Stage, Partition]:
    """The stage and partition of `STAGE/SOURCE`, `STAGE/RECIPE`, `STAGE/RECIPE|SOURCE` or `STAGE`.

    Raises:
        ConfigError: there is no such stage, or it has no such partition.
    """
    stage_name, _, key = name.partition("/")
    if stage_name not in STAGES:
        raise ConfigError(name, "", f"{stage_name!r} is not a stage", f"one of {', '.join(STAGES)}")
    stage = STAGES[stage_name]
    for partition in stage.partitions(workspace):
        if partition.key == key:
            return stage, partition
    known = [f"{stage_name}/{each.key}".rstrip("/") for each in stage.partitions(workspace)]
    raise ConfigError(name, "", "is no partition", f"one of {', '.join(known)}")


def files_of_version(
    lake: Lake, stage: Stage, partition: Partition, version: int
) -> dict[Table, list[Path]]:
    """The files of one version of a partition: of the stage's table and of those beside it.

    Files are named whether or not they are still there.

    Raises:
        ConfigError: there was no such version; the message lists those there were.
    """
    rows = [row for row in _of_stage(lake, stage) if row["partition"] == partition.key]
    if not 1 <= version <= len(rows):
        listed = f"1 to {len(rows)}" if rows else "`llm-data run` makes the first"
        name = f"{stage.name}/{partition.key}".rstrip("/")
        raise ConfigError(name, "", f"there was no version {version}", listed)
    tables = rows[version - 1]["tables"]
    if any(table.name not in tables for table in tables_of(stage)):
        raise ConfigError(
            f"{stage.name}/{partition.key}", "", f"version {version} is of a time when the tables "
            "that belong to it were not noted", "a later version",
        )  # fmt: skip
    return _files(lake, stage, partition, tables)


def _files(
    lake: Lake, stage: Stage, partition: Partition, tables: Mapping[str, int]
) -> dict[Table, list[Path]]:
    return {
        table: lake.files(table, values_in(table, stage, partition), tables[table.name])
        for table in tables_of(stage)
        if tables.get(table.name, -1) >= 0
    }


def _of_stage(lake: Lake, stage: Stage) -> Iterator[dict[str, Any]]:
    if not lake.exists(STAGE_STATS):
        return
    noted = {note["made"]: json.loads(note["tables"]) for note in lake.notes(STAGE_STATS)
             if "made" in note}  # fmt: skip
    rows = lake.read(STAGE_STATS, {"stage": stage.name})
    before: dict[str, dict[str, Any]] = {}
    numbers: Counter[str] = Counter()
    for row in rows.sort_by([("partition", "ascending"), ("ts", "ascending")]).to_pylist():
        key = row["partition"]
        numbers[key] += 1
        partition = Partition(source=row["source"], recipe=row["recipe"])
        tables = noted.get(
            made_name(stage.name, key, row["ts"]), {stage.table.name: row["table_version"]}
        )
        yield {
            "stage": stage.name,
            "partition": key,
            "version": numbers[key],
            "time": row["ts"].isoformat(timespec="seconds"),
            "run": row["run_id"],
            "changed": _changed(row, before.get(key)),
            "kept": _kept(lake, stage, partition, tables),
            "docs": row["docs"],
            "source": row["source"],
            "config": row["config_hash"],
            "inputs": row["input_version"],
            "content": row["data_version"],
            "tables": tables,
        }
        before[key] = row


def _changed(row: dict[str, Any], before: dict[str, Any] | None) -> str:
    if before is None:
        return "first"
    if row["run_id"].startswith(RESTORED):
        return "restored"
    if row["config_hash"] != before["config_hash"]:
        why = "code or settings"
    elif row["input_version"] != before["input_version"]:
        why = "inputs"
    else:
        why = "nothing"
    return why if row["data_version"] != before["data_version"] else f"{why}; same bytes"


def _kept(lake: Lake, stage: Stage, partition: Partition, tables: Mapping[str, int]) -> str:
    files = _files(lake, stage, partition, tables)
    if all(
        paths == lake.files(table, values_in(table, stage, partition))
        for table, paths in files.items()
    ):
        return "current"
    whole = all(path.exists() for paths in files.values() for path in paths)
    return "yes" if whole else "collected"
