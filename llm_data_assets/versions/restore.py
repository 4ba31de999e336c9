"""Going back: an older version of a partition becomes the current one, by a commit of its own."""

from pathlib import Path

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.schemas import STAGE_STATS, Table
from llm_data_assets.lake.shard_files import ShardFile
from llm_data_assets.stages.beside import values_in
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import append_stats, lake_of
from llm_data_assets.stages.publication import publish_catalog
from llm_data_assets.stages.stage import Context, Partition, Stage
from llm_data_assets.stages.versions import config_hash, data_version, input_version
from llm_data_assets.versions.history import (
    RESTORED,
    files_of_version,
    partition_named,
)

# Their results are files outside the lake.
_NOT_RESTORED = ("training_export", "instruction_mix")


def restore(workspace: Workspace, name: str, version: int) -> tuple[Stage, Partition, str]:
    """Make `version` of the partition `name` (STAGE/SOURCE) current again.

    Nothing is copied: a new commit names the old files, and the files that the stage wrote
    beside them. What is made from the partition becomes stale. The partition itself counts as
    made from what its inputs and settings are now, so that it stays until one of them changes.

    Returns:
        The stage, the partition, and the digest of what it holds now.

    Raises:
        ConfigError: there is no such stage, partition or version; its files were collected; or
            the stage cannot be restored.
    """
    stage, partition = partition_named(workspace, name)
    if stage.name in _NOT_RESTORED:
        raise ConfigError(name, "", "cannot be restored by itself, its files lie outside the lake",
                          "restore what it is made from and `llm-data run`")  # fmt: skip
    lake = lake_of(workspace)
    files = files_of_version(lake, stage, partition, version)
    if any(not path.exists() for paths in files.values() for path in paths):
        raise ConfigError(
            name, "", f"version {version} was collected",
            "`llm-data versions` shows what is kept; a pinned version can be made again by "
            "`llm-data rebuild`",
        )  # fmt: skip
    for table, paths in reversed(files.items()):  # the stage's own table last, as a run does
        _replace(lake, table, values_in(table, stage, partition), paths)
    context = Context(workspace, lake, partition)
    content = data_version(lake, stage.table, partition.values)
    _append_stats(context, stage, version, content)
    publish_catalog(workspace)
    return stage, partition, content


def _replace(lake: Lake, table: Table, values: dict[str, str], paths: list[Path]) -> None:
    """A global stage's table may be partitioned by source: each partition is replaced."""
    wanted: dict[tuple[tuple[str, str], ...], list[ShardFile]] = {
        tuple(lake.partition_of(table, path).items()): [] for path in lake.files(table, values)
    }
    for path in paths:
        place = tuple(lake.partition_of(table, path).items())
        wanted.setdefault(place, []).append(ShardFile.parse(path.name))
    for place, files in sorted(wanted.items()):
        lake.replace_partition(table, dict(place), files)


def _append_stats(context: Context, stage: Stage, version: int, content: str) -> None:
    key = context.partition.key
    rows = context.lake.read(STAGE_STATS, {"stage": stage.name}, STAGE_STATS.schema.names)
    mine = [row for row in rows.sort_by("ts").to_pylist() if row["partition"] == key]
    then = mine[version - 1]
    row = then | {
        "run_id": f"{RESTORED}{then['run_id'].removeprefix(RESTORED)}",
        "seconds": 0.0,
        "config_hash": config_hash(stage, context),
        "input_version": input_version(stage, context, STAGES),
        "data_version": content,
    }
    append_stats(context, stage, row)
