"""Which versions of a partition there were, and what each was made anew for."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.delta import Lake, ShardFile, content_version
from llm_data_assets.lake.schemas import EDITS, REJECTS, STAGE_STATS, VERDICTS, Table
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import lake_of
from llm_data_assets.stages.stage import Partition, Stage

RESTORED = "restored "
# Tables that a stage writes beside its own; their files carry the same shard and key.
COMPANIONS: dict[str, tuple[Table, ...]] = {
    "raw_corpus": (REJECTS, EDITS),
    "deduped_corpus": (VERDICTS,),
    "filtered_corpus": (VERDICTS, EDITS),
}


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
    if source is not None and not found and source not in workspace.sources:
        known = ", ".join(workspace.sources)
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
    numbers = sorted({row["version"] for row in rows})
    name = f"{stage.name}/{partition.key}".rstrip("/")
    if version not in numbers:
        listed = ", ".join(map(str, numbers)) or "none yet: `llm-data run` makes the first"
        raise ConfigError(name, "", f"there was no version {version}", listed)
    main = lake.files(stage.table, partition.values, version)
    made = [ShardFile.parse(path.name) for path in main]
    found = {stage.table: main}
    for table in COMPANIONS.get(stage.name, ()):
        values = values_in(table, stage, partition)
        beside = [lake.find_shard(table, values, file.shard, file.key) for file in made]
        folder = lake.folder(table, values)
        found[table] = [
            folder / (each.name if each else f"{file.shard}-{file.key}-collected.parquet")
            for file, each in zip(made, beside, strict=True)
        ]
    return found


def values_in(table: Table, stage: Stage, partition: Partition) -> dict[str, str]:
    """A stage's partition in one of its tables."""
    values = {**partition.values, "stage": stage.name}
    return {name: values[name] for name in table.partition_by if name in values}


def _of_stage(lake: Lake, stage: Stage) -> Iterator[dict[str, Any]]:
    rows = lake.read(STAGE_STATS, {"stage": stage.name})
    before: dict[str, dict[str, Any]] = {}
    for row in rows.sort_by([("partition", "ascending"), ("ts", "ascending")]).to_pylist():
        partition = Partition(source=row["source"], recipe=row["recipe"])
        yield {
            "stage": stage.name,
            "partition": row["partition"],
            "version": row["table_version"],
            "time": row["ts"].isoformat(timespec="seconds"),
            "run": row["run_id"],
            "changed": _changed(row, before.get(row["partition"])),
            "kept": _kept(lake, stage, partition, row),
            "docs": row["docs"],
            "source": row["source"],
            "config": row["config_hash"],
            "inputs": row["input_version"],
            "content": row["data_version"],
        }
        before[row["partition"]] = row


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


def _kept(lake: Lake, stage: Stage, partition: Partition, row: dict[str, Any]) -> str:
    now = content_version(lake.shards(stage.table, partition.values))
    if row["data_version"] == now:
        return "current"
    files = lake.files(stage.table, partition.values, row["table_version"])
    return "yes" if all(path.exists() for path in files) else "collected"
