"""Versions: what a partition was made from, and whether it is still what it would be made to."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from llm_data_assets.config.digest import canonical, digest
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.schemas import STAGE_STATS, Table
from llm_data_assets.lake.shard_files import content_version
from llm_data_assets.stages.stage import Context, Partition, Stage, recipe_sources


def data_version(lake: Lake, table: Table, partition: Mapping[str, str]) -> str:
    """Digest of what a partition holds now."""
    return content_version(lake.shards(table, partition))


def config_hash(stage: Stage, context: Context) -> str:
    """Digest of the stage's code version and of the settings that change its output."""
    settings = stage.settings(context.workspace, context.partition)
    return digest(stage.name, stage.code_version, settings)


def noted_settings(stage: Stage, context: Context) -> str:
    """What `config_hash` digests, as JSON."""
    settings = stage.settings(context.workspace, context.partition)
    return canonical({"code_version": stage.code_version, "settings": settings})


def made_name(stage: str, partition: str, ts: datetime) -> str:
    """The name of a materialisation in the notes of `stage_stats`."""
    return f"{stage} {partition} {ts.astimezone(UTC).isoformat()}"


def input_version(stage: Stage, context: Context, stages: Mapping[str, Stage]) -> str:
    """Digest of everything the partition is made from: equal versions, equal bytes."""
    inputs = stage.inputs(context) if stage.inputs else _upstream_versions(stage, context, stages)
    return digest(config_hash(stage, context), dict(inputs))


def is_fresh(stage: Stage, context: Context, stages: Mapping[str, Stage]) -> bool:
    """Whether the partition was made from what it would be made from now, and is unchanged."""
    last = last_materialisation(context.lake, stage, context.partition)
    if last is None or last["input_version"] != input_version(stage, context, stages):
        return False
    return last["data_version"] == data_version(context.lake, stage.table, context.partition.values)


def next_time(lake: Lake, stage: Stage, partition: Partition) -> datetime:
    """Now; or just after the newest row of stage_stats, where the clock was set back since."""
    last = last_materialisation(lake, stage, partition)
    now = datetime.now(UTC)
    return now if last is None else max(now, last["ts"] + timedelta(microseconds=1))


def last_materialisation(lake: Lake, stage: Stage, partition: Partition) -> dict[str, Any] | None:
    """The newest row of stage_stats for a partition, but for the settings."""
    rows = (
        row
        for path in lake.files(STAGE_STATS, {"stage": stage.name})
        for row in _rows_of(path)
        if row["partition"] == partition.key
    )
    return max(rows, key=lambda row: row["ts"], default=None)


@lru_cache(maxsize=4096)
def _rows_of(path: Path) -> list[dict[str, Any]]:
    """The rows of a file of stage_stats, which is never written again: every partition of a stage
    asks for all of them. What was written before a column was there has null in it."""
    names = [name for name in STAGE_STATS.schema.names if name != "settings"]  # these are long
    rows = pq.ParquetFile(path).read(columns=names).to_pylist()
    return [dict.fromkeys(names) | row for row in rows]


def _upstream_versions(
    stage: Stage, context: Context, stages: Mapping[str, Stage]
) -> dict[str, str]:
    versions = {}
    for name in stage.upstream:
        upstream = stages[name]
        for partition in _matching(upstream, context):
            version = data_version(context.lake, upstream.table, partition.values)
            versions[f"{name} {partition.key}"] = version
    return versions


def _matching(upstream: Stage, context: Context) -> list[Partition]:
    """The upstream partitions that one partition is made from."""
    mine = context.partition
    if mine.recipe and not mine.source and upstream.partitioning == "source":
        return [Partition(source=name) for name in recipe_sources(context.workspace, mine.recipe)]
    return [
        theirs
        for theirs in upstream.partitions(context.workspace)
        if (mine.source is None or theirs.source in (None, mine.source))
        and (mine.recipe is None or theirs.recipe in (None, mine.recipe))
    ]
