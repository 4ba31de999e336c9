"""What lies between two versions: documents that came, that left, and whose verdict changed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.catalog import literal
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.schemas import VERDICTS, Table
from llm_data_assets.stages.beside import tables_of, values_in
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import lake_of
from llm_data_assets.stages.stage import Partition, Stage
from llm_data_assets.versions.history import (
    files_of_version,
    partition_named,
)
from llm_data_assets.versions.pins import read_pin

NOW = "now"
Side = dict[tuple[str, str], dict[str, list[Path]]]  # (stage, partition key) -> table -> files


def diff(workspace: Workspace, before: str, after: str = NOW) -> list[dict[str, Any]]:
    """Each stage and partition whose content differs between two sides, in the order of the flow.

    A side is a pin's name, `now`, or a version as `filtered_corpus/web@12`; a version is compared
    with the same partition of the other side. Only the shards that differ are read.

    Raises:
        ConfigError: there is no such pin, partition or version; its files were collected; or two
            versions of different partitions were named.
    """
    one, other = _side(workspace, before), _side(workspace, after)
    scoped = [side for side, name in ((one, before), (other, after)) if "@" in name]
    keys = set.intersection(*map(set, scoped)) if scoped else set(one) | set(other)
    if not keys:
        raise ConfigError("diff", "", f"{before} and {after} are of different partitions",
                          "two versions of the same one, a pin, or `now`")  # fmt: skip
    found = []
    for stage in STAGES.values():
        for key in sorted(key for name, key in keys if name == stage.name):
            then, now = one.get((stage.name, key), {}), other.get((stage.name, key), {})
            if any(_names(then, table) != _names(now, table) for table in {*then, *now}):
                found.append({"stage": stage.name, "partition": key, **_row(stage, then, now)})
    return found


def _row(
    stage: Stage, then: dict[str, list[Path]], now: dict[str, list[Path]]
) -> dict[str, int | None]:
    came = left = verdicts = None
    if "doc_id" in stage.table.schema.names:
        came, left = _moved(*_changed_files(stage.table, then, now))
    if VERDICTS in tables_of(stage):
        verdicts = _docs_with_other_rows(*_changed_files(VERDICTS, then, now))
    return {"came": came, "left": left, "changed_verdict": verdicts}


def _side(workspace: Workspace, name: str) -> Side:
    lake = lake_of(workspace)
    if "@" in name:
        partition_name, _, number = name.rpartition("@")
        stage, partition = partition_named(workspace, partition_name)
        if not number.isdigit():
            raise ConfigError(name, "", f"{number!r} is no version", "a number, as `versions` has")
        files = files_of_version(lake, stage, partition, int(number))
        named = {table.name: paths for table, paths in files.items()}
        return {(stage.name, partition.key): named}
    if name == NOW:
        return {
            (stage.name, partition.key): {
                table.name: lake.files(table, values_in(table, stage, partition))
                for table in tables_of(stage)
            }
            for stage in STAGES.values()
            for partition in stage.partitions(workspace)
        }
    pin = read_pin(workspace, name)
    return {
        (row["stage"], row["partition"]): _pinned(lake, pin["tables"], row)
        for row in pin["partitions"]
        if row["stage"] in STAGES
    }


def _pinned(lake: Lake, tables: dict[str, list[str]], row: dict[str, Any]) -> dict[str, list[Path]]:
    stage = STAGES[row["stage"]]
    recipe, _, source = row["partition"].rpartition("|")
    if stage.partitioning == "recipe":
        recipe, source = source, ""
    partition = Partition(source=source or None, recipe=recipe or None)
    found = {}
    for table in tables_of(stage):
        folder = lake.folder(table, values_in(table, stage, partition))
        paths = [lake.table_path(table) / path for path in tables.get(table.name, [])]
        found[table.name] = [path for path in paths if path.is_relative_to(folder)]
    return found


def _names(files: dict[str, list[Path]], table: str) -> set[str]:
    return {path.name for path in files.get(table, [])}


def _changed_files(
    table: Table, then: dict[str, list[Path]], now: dict[str, list[Path]]
) -> tuple[list[Path], list[Path]]:
    before, after = set(then.get(table.name, ())), set(now.get(table.name, ()))
    changed = sorted(before - after), sorted(after - before)
    for path in (*changed[0], *changed[1]):
        if not path.exists():
            raise ConfigError(
                f"{table.name}/{path.parent.name}", "", f"{path.name} was collected",
                "a version that `llm-data versions` shows as kept, or `llm-data rebuild` of a pin",
            )  # fmt: skip
    return changed


def _moved(before: Sequence[Path], after: Sequence[Path]) -> tuple[int, int]:
    """Documents only in `after`, and only in `before`."""
    one, other = _select(before, "doc_id"), _select(after, "doc_id")
    return _count(f"({other}) EXCEPT ({one})"), _count(f"({one}) EXCEPT ({other})")


def _docs_with_other_rows(before: Sequence[Path], after: Sequence[Path]) -> int:
    columns = ", ".join(VERDICTS.schema.names)
    one, other = _select(before, columns), _select(after, columns)
    return _count(f"(({one}) EXCEPT ({other})) UNION (({other}) EXCEPT ({one}))")


def _count(select: str) -> int:
    """Documents among the rows of a SELECT."""
    found = duckdb.connect().execute(f"SELECT count(DISTINCT doc_id) FROM ({select})").fetchall()
    return int(found[0][0])


def _select(files: Sequence[Path], columns: str) -> str:
    if not files:
        nulls = ", ".join(f"NULL AS {name}" for name in columns.split(", "))
        return f"SELECT {nulls} WHERE false"
    listed = ", ".join(literal(str(path)) for path in files)
    return f"SELECT {columns} FROM read_parquet([{listed}], hive_partitioning = false)"
