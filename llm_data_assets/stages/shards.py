"""From input shards to output shards: found again where they are finished, made where not."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from llm_data_assets.config.digest import digest
from llm_data_assets.engine.run import run_shards
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.schemas import Table
from llm_data_assets.lake.shard_files import ShardFile
from llm_data_assets.stages.stage import Context

Shard = TypeVar("Shard")
Answer = TypeVar("Answer")

# Rows of text that are held at a time: bounds memory whatever the shard holds.
BATCH_BYTES = 8 << 20


@dataclass(frozen=True)
class Task:
    """One shard to make: picklable, so that any process can.

    `inputs` are the shard files it is made from, by table name; `settings` what the function
    needs of the configuration.
    """

    lake: Lake
    partition: Mapping[str, str]
    shard: str
    key: str
    inputs: Mapping[str, tuple[ShardFile, ...]]
    settings: Mapping[str, Any]

    def write(self, table: Table, rows: Iterable[pa.Table], **also: str) -> ShardFile:
        """Write the task's shard of a table; `also` names further partition columns."""
        return self.lake.write_shard(table, {**self.partition, **also}, self.shard, self.key, rows)


def make_shards(
    context: Context,
    function: Callable[[Task], dict[str, ShardFile]],
    tasks: Sequence[Task],
    outputs: Mapping[str, tuple[Table, Mapping[str, str]]],
    n_bytes: int,
) -> dict[str, list[ShardFile]]:
    """Run `function` for every task whose outputs are not all there; returns files by table.

    Args:
        function: module-level; writes a shard file for each of `outputs`, returned by name.
        outputs: table and partition of each output, by table name.
        n_bytes: bytes of input behind all tasks, which decide whether processes pay.
    """
    found: list[dict[str, ShardFile] | None] = [
        _finished(context.lake, task, outputs) for task in tasks
    ]
    missing = [task for task, files in zip(tasks, found, strict=True) if files is None]
    made = iter(run_tasks(context, function, missing, n_bytes * len(missing) // max(1, len(tasks))))
    files = [each if each is not None else next(made) for each in found]
    return {name: sorted(each[name] for each in files) for name in outputs}


def run_tasks(
    context: Context, function: Callable[[Shard], Answer], tasks: Sequence[Shard], n_bytes: int
) -> list[Answer]:
    """The answer for every task, by the engine that the pipeline names."""
    return run_shards(
        function,
        tasks,
        engine=context.workspace.pipeline.model.engine,
        home=context.workspace.home,
        n_bytes=n_bytes,
        progress=context.progress,
    )


def task_key(*parts: Any) -> str:
    """The digest that names a finished shard: equal inputs, code and settings, equal key."""
    return digest(*parts)[:16]


def batches(
    lake: Lake,
    table: Table,
    partition: Mapping[str, str],
    file: ShardFile,
    columns: Sequence[str] | None = None,
) -> Iterator[pa.Table]:
    """The rows of a shard file, a row group at a time, in order."""
    reader = pq.ParquetFile(lake.folder(table, partition) / file.name)
    for group in range(reader.num_row_groups):
        yield reader.read_row_group(group, columns=list(columns) if columns else None)


def _finished(
    lake: Lake, task: Task, outputs: Mapping[str, tuple[Table, Mapping[str, str]]]
) -> dict[str, ShardFile] | None:
    files = {
        name: lake.find_shard(table, partition, task.shard, task.key)
        for name, (table, partition) in outputs.items()
    }
    complete = {name: file for name, file in files.items() if file is not None}
    return complete if len(complete) == len(outputs) else None
