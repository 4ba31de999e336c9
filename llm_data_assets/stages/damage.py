"""Files that are not what their name says: found by checksum, and they alone made again."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.schemas import HISTORY, Table
from llm_data_assets.lake.shard_files import ShardFile, file_digest
from llm_data_assets.stages.beside import tables_of
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import ALL_TABLES, lake_of
from llm_data_assets.stages.publication import publish_catalog
from llm_data_assets.stages.stage import Context, Partition


@dataclass(frozen=True)
class Damage:
    """A file of a current version: which table's, and what is wrong with it."""

    table: Table
    path: Path
    problem: str


def damaged(workspace: Workspace) -> Iterator[Damage]:
    """Files of the current versions that are gone or hold other bytes than their name says.

    Every byte of the lake is read.
    """
    lake = lake_of(workspace)
    for table in ALL_TABLES:
        for path in lake.files(table):
            if not path.exists():
                yield Damage(table, path, "is gone")
            elif (found := file_digest(path)) != ShardFile.parse(path.name).content:
                yield Damage(table, path, f"holds other bytes (their digest is {found})")


def mend(workspace: Workspace, found: list[Damage]) -> list[Damage]:
    """Make the damaged files again from what they were made from; the rest stays.

    A damaged file of statistics or check results is dropped, since nothing makes them again: its
    partitions count as not fresh, and the next run finds their shards finished.

    Returns what could not be mended: versions that the configuration no longer makes.
    """
    lake = lake_of(workspace)
    todo: set[tuple[str, Partition]] = set()
    for each in found:
        values = lake.partition_of(each.table, each.path)
        lake.remove(each.path)
        if each.table in HISTORY:
            whole = [ShardFile.parse(path.name) for path in lake.files(each.table, values)
                     if path != each.path]  # fmt: skip
            lake.replace_partition(each.table, values, whole)
            continue
        todo |= {
            (stage.name, partition)
            for stage in STAGES.values()
            if each.table in tables_of(stage) and values.get("stage", stage.name) == stage.name
            for partition in stage.partitions(workspace)
            if partition.values.items() <= values.items()
        }
    for name, stage in STAGES.items():  # in the order of the flow: one may read another
        for partition in stage.partitions(workspace):
            if (name, partition) in todo:
                stage.run(Context(workspace, lake, partition))
    publish_catalog(workspace)
    return [each for each in damaged(workspace) if each.path in {every.path for every in found}]
