"""What dialogues and pairs share when those that repeat no other are measured."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from llm_data_assets.lake.schemas import Table
from llm_data_assets.lake.shard_files import ShardFile
from llm_data_assets.stages.shards import Task, batches, task_key
from llm_data_assets.stages.stage import Context


def kept_tasks(
    context: Context,
    raw: Table,
    deduped: Table,
    more: Mapping[str, tuple[ShardFile, ...]],
    settings: Mapping[str, Any],
    where: Mapping[str, Any],
    code_version: str,
) -> list[Task]:
    """A task for each shard of `deduped`, with its shard of `raw` and `more` inputs.

    Args:
        where: settings that change no row, as the place of a file: in the task, not in its key.
    """
    partition = context.partition.values
    of_raw = {file.shard: file for file in context.lake.shards(raw, partition)}
    tasks = []
    for kept in context.lake.shards(deduped, partition):
        inputs = {raw.name: (of_raw[kept.shard],), deduped.name: (kept,), **more}
        contents = [file.content for files in inputs.values() for file in files]
        key = task_key(code_version, contents, settings)
        given = {**settings, **where}
        tasks.append(Task(context.lake, partition, kept.shard, key, inputs, given))
    return tasks


def kept_rows(
    task: Task, raw: Table, deduped: Table, columns: Sequence[str] | None = None
) -> Iterator[pa.Table]:
    """Rows of the task's shard of `raw` that its shard of `deduped` names, a batch at a time."""
    (of_raw,), (kept,) = task.inputs[raw.name], task.inputs[deduped.name]
    names = task.lake.read_shard(deduped, task.partition, kept, ["doc_id"])
    stays = names["doc_id"].combine_chunks()
    for rows in batches(task.lake, raw, task.partition, of_raw, columns):
        yield rows.filter(pc.is_in(rows["doc_id"], stays))
