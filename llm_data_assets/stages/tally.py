"""Counting what a partition holds, a shard at a time: what `stage_stats` and drops are made of."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from llm_data_assets.engine.run import side_by_side
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.schemas import Table
from llm_data_assets.lake.shard_files import ShardFile
from llm_data_assets.stages.stage import Context


@dataclass
class Tally:
    """Rows, the sum of one column, and by the values of others that sum, or rows without it."""

    rows: int = 0
    total: int = 0
    by: Counter[tuple[Any, ...]] = field(default_factory=Counter)


@dataclass(frozen=True)
class _File:
    lake: Lake
    table: Table
    partition: Mapping[str, str]
    file: ShardFile
    total: str | None
    by: tuple[str, ...]


def tally(
    context: Context,
    table: Table,
    partition: Mapping[str, str],
    *,
    total: str | None = None,
    by: Sequence[str] = (),
) -> Tally:
    """Count a partition's current files: narrow columns alone, a row group at a time.

    Args:
        total: a column of numbers to sum up.
        by: columns by whose values `total`, or else rows, are told apart.
    """
    files = context.lake.shards(table, partition)
    tasks = [_File(context.lake, table, partition, file, total, tuple(by)) for file in files]
    whole = Tally()
    engine, home = context.workspace.pipeline.model.engine, context.workspace.home
    with side_by_side(engine, home) as in_order:
        for each in in_order(_tally_file, tasks):
            whole.rows += each.rows
            whole.total += each.total
            whole.by.update(each.by)
    return whole


def _tally_file(task: _File) -> Tally:
    reader = pq.ParquetFile(task.lake.folder(task.table, task.partition) / task.file.name)
    columns = [*([task.total] if task.total else []), *task.by]
    found = Tally(rows=reader.metadata.num_rows)
    for group in range(reader.num_row_groups if columns else 0):
        rows = reader.read_row_group(group, columns=columns)
        if task.total:
            found.total += pc.sum(rows[task.total]).as_py() or 0
        if task.by:
            weights = rows[task.total] if task.total else pa.repeat(1, rows.num_rows)
            _count(found.by, rows.select(task.by), weights)
    return found


def _count(by: Counter[tuple[Any, ...]], rows: pa.Table, weights: pa.Array) -> None:
    names = rows.column_names
    weighed = rows.append_column("weight", weights)
    for row in weighed.group_by(names).aggregate([("weight", "sum")]).to_pylist():
        by[tuple(row[name] for name in names)] += row["weight_sum"] or 0
