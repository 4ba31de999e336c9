"""source_files -> a raw table of dialogues or pairs: one schema, each record a row or a reject."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from llm_data_assets.config.digest import digest
from llm_data_assets.config.takedowns import read_takedowns
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.schemas import REJECTS, Table
from llm_data_assets.lake.shard_files import ShardFile
from llm_data_assets.sources.document import Reject
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.stages.checks import SAMPLES, count, here, query, unique_ids
from llm_data_assets.stages.file_groups import group_digest, group_files
from llm_data_assets.stages.record_rows import reject_row
from llm_data_assets.stages.shards import Task, make_shards, task_key
from llm_data_assets.stages.source_files import files_of, files_version
from llm_data_assets.stages.stage import Check, CheckResult, Context, Outcome, Partition

_BATCH_BYTES = 4 << 20
Reader = Callable[[str, SourceFile, Mapping[str, Any]], Iterator[Any]]
RowOf = Callable[[Mapping[str, Any], SourceFile, Any, int], dict[str, Any] | Reject]


def read_source(
    context: Context,
    table: Table,
    read_shard: Callable[[Task], dict[str, ShardFile]],
    code_version: str,
    declared: Mapping[str, Any],
    columns: Sequence[str],
    figures: Callable[[pa.Table], Mapping[str, Any]],
) -> Outcome:
    """Read every group of files that no finished shard holds.

    Args:
        read_shard: module-level; `read_files` with the table's own reader.
        declared: what the catalog says that changes how the source is read.
        figures: of these `columns` of the partition, shown beside the outcome.
    """
    partition = context.partition.values
    files = files_of(context.workspace, context.source)
    gone = sorted(
        str(value)
        for takedown in read_takedowns(context.workspace.audit)
        for value in (*takedown.values, *(doc_id for _, _, doc_id in takedown.met))
    )
    shard_bytes = int(context.workspace.pipeline.model.engine.shard_mb * (1 << 20))
    groups = group_files(files, declared["format"], declared["options"], shard_bytes)
    tasks = [
        Task(
            lake=context.lake,
            partition=partition,
            shard=shard,
            key=task_key(code_version, declared, group_digest(group), gone),
            inputs={},
            settings={**declared, "files": group, "source": context.source, "gone": gone},
        )
        for shard, group in groups.items()
    ]
    outputs = {each.name: (each, partition) for each in (table, REJECTS)}
    made = make_shards(context, read_shard, tasks, outputs, sum(file.size for file in files))
    made = _without_repeated_ids(context, table, made)
    context.lake.replace_partition(REJECTS, partition, made[REJECTS.name])
    context.lake.replace_partition(table, partition, made[table.name])
    rows = context.lake.read(table, partition, ["n_bytes", *columns])
    return _outcome(context, rows, made[table.name], {"files": len(files), **figures(rows)})


def read_files(task: Task, table: Table, read: Reader, row_of: RowOf) -> dict[str, ShardFile]:
    """Read the files of one group into a shard of `table` and one of rejects."""
    rejects: list[dict[str, Any]] = []
    rows = task.write(table, _rows(task, table, read, row_of, rejects))  # fills `rejects`
    refused = pa.Table.from_pylist(rejects, REJECTS.schema)
    return {table.name: rows, REJECTS.name: task.write(REJECTS, [refused])}


def _rows(
    task: Task, table: Table, read: Reader, row_of: RowOf, rejects: list[dict[str, Any]]
) -> Iterator[pa.Table]:
    settings = task.settings
    gone = set(settings["gone"])
    held: list[dict[str, Any]] = []
    size = 0
    for file in settings["files"]:
        last, ordinal = -1, 0
        for record in read(settings["format"], file, settings["options"]):
            ordinal = ordinal + 1 if record.offset == last else 0
            last = record.offset
            row = record if isinstance(record, Reject) else row_of(settings, file, record, ordinal)
            if isinstance(row, dict) and not gone.isdisjoint((row["doc_id"], row.get("url"))):
                row = Reject(record.offset, "taken down: see the audit log")
            if isinstance(row, Reject):
                rejects.append(reject_row(file, row))
                continue
            held.append(row)
            size += row["n_bytes"]
            if size >= _BATCH_BYTES:
                yield pa.Table.from_pylist(held, table.schema)
                held, size = [], 0
    yield pa.Table.from_pylist(held, table.schema)


def _without_repeated_ids(
    context: Context, table: Table, made: dict[str, list[ShardFile]]
) -> dict[str, list[ShardFile]]:
    """Of rows of one id the first by shard and row stays; the others become rejects."""
    lake, partition = context.lake, context.partition.values
    seen: set[str] = set()
    result: dict[str, list[ShardFile]] = {table.name: [], REJECTS.name: []}
    for rows_file, rejects_file in zip(made[table.name], made[REJECTS.name], strict=True):
        ids = lake.read_shard(table, partition, rows_file, ["doc_id"])["doc_id"]
        stays = []
        for doc_id in ids.to_pylist():
            stays.append(doc_id not in seen)
            seen.add(doc_id)
        if not all(stays):
            rows = lake.read_shard(table, partition, rows_file)
            again = rows.filter(pc.invert(pa.array(stays))).to_pylist()
            more = [
                {
                    "file": row["origin"]["file"],
                    "offset": row["origin"]["offset"],
                    "error": f"repeated id: {row['doc_id']} stands earlier in this source",
                    "first_bytes": b"",
                }
                for row in again
            ]
            rejects = lake.read_shard(REJECTS, partition, rejects_file)
            key = task_key(rows_file.key, [not each for each in stays])
            rows_file = lake.write_shard(
                table, partition, rows_file.shard, key, [rows.filter(pa.array(stays))]
            )
            added = pa.Table.from_pylist(more, REJECTS.schema)
            rejects_file = lake.write_shard(
                REJECTS, partition, rejects_file.shard, key, [rejects, added]
            )
        result[table.name].append(rows_file)
        result[REJECTS.name].append(rejects_file)
    return result


def _outcome(
    context: Context, rows: pa.Table, files: list[ShardFile], figures: Mapping[str, Any]
) -> Outcome:
    rejects = context.lake.read(REJECTS, context.partition.values, ["error"])
    drops: dict[str, int] = {}
    for error in sorted(rejects["error"].to_pylist()):
        reason = error.split(":", 1)[0]
        drops[reason] = drops.get(reason, 0) + 1
    return Outcome(
        files=files,
        docs_in=rows.num_rows + rejects.num_rows,
        docs=rows.num_rows,
        n_bytes=pc.sum(rows["n_bytes"]).as_py() or 0,
        drops=drops,
        figures=figures,
    )


def declared(workspace: Workspace, partition: Partition) -> dict[str, Any]:
    """What the catalog says of a source that changes how it is read."""
    assert partition.source is not None
    source = workspace.catalog.model.sources[partition.source]
    return source.model_dump(mode="json", include={"format", "options", "license", "language"})


def raw_inputs(context: Context) -> dict[str, str]:
    """Versions of what a raw table is read from."""
    takedowns = read_takedowns(context.workspace.audit)
    return {
        "source_files": files_version(context.workspace, context.source),
        "takedowns": digest([each.values for each in takedowns]) if takedowns else "",
    }


def raw_checks(table: Table, noun: str, bound: Callable[[Workspace], float]) -> tuple[Check, ...]:
    """What must hold of a raw table: it has rows, few rejects, and each id once.

    Args:
        noun: what a row is, in the plural.
        bound: the largest share of records that may be rejects.
    """

    def not_empty(context: Context) -> CheckResult:
        rows = count(here(context, table))
        return CheckResult(rows > 0, rows, f"at least 1 of {noun}")

    def reject_share(context: Context) -> CheckResult:
        rejects, rows = count(here(context, REJECTS)), count(here(context, table))
        share = rejects / max(1, rejects + rows)
        most = bound(context.workspace)
        samples = query(
            f'SELECT file, "offset", error FROM {here(context, REJECTS)} '
            f"ORDER BY ALL LIMIT {SAMPLES}"
        )
        return CheckResult(share <= most, share, f"at most {most:g} of records rejected", samples)

    return (
        Check("not_empty", f"The source has {noun}.", not_empty, True),
        Check("reject_share", "Few records are unreadable.", reject_share, True),
        Check("unique_ids", f"No two {noun} share an id.", unique_ids(table), True),
    )
