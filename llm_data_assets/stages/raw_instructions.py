"""source_files -> raw_instructions: dialogues and preferences in one schema, and rejects."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from llm_data_assets.config.digest import digest
from llm_data_assets.config.takedowns import read_takedowns
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.delta import ShardFile
from llm_data_assets.lake.instruction_tables import RAW_INSTRUCTIONS
from llm_data_assets.lake.schemas import REJECTS
from llm_data_assets.sources.document import Reject
from llm_data_assets.sources.formats import read_dialogues
from llm_data_assets.stages.checks import SAMPLES, count, here, query
from llm_data_assets.stages.dialogue_rows import dialogue_row, reject_row
from llm_data_assets.stages.file_groups import group_digest, group_files
from llm_data_assets.stages.shards import Task, make_shards, task_key
from llm_data_assets.stages.source_files import files_of, files_version
from llm_data_assets.stages.stage import (
    Check,
    CheckResult,
    Context,
    Outcome,
    Partition,
    Stage,
)

CODE_VERSION = "1"
_BATCH_BYTES = 4 << 20


def run(context: Context) -> Outcome:
    """Read every group of files that no finished shard holds."""
    files = files_of(context.workspace, context.source)
    declared = _declared(context.workspace, context.partition)
    gone = sorted(
        str(value)
        for takedown in read_takedowns(context.workspace.takedowns)
        for value in (*takedown.values, *(doc_id for _, _, doc_id in takedown.met))
    )
    shard_bytes = int(context.workspace.pipeline.model.engine.shard_mb * (1 << 20))
    groups = group_files(files, declared["format"], declared["options"], shard_bytes)
    tasks = [
        Task(
            lake=context.lake,
            partition=context.partition.values,
            shard=shard,
            key=task_key(CODE_VERSION, declared, group_digest(group), gone),
            inputs={},
            settings={**declared, "files": group, "source": context.source, "gone": gone},
        )
        for shard, group in groups.items()
    ]
    outputs = {
        table.name: (table, context.partition.values) for table in (RAW_INSTRUCTIONS, REJECTS)
    }
    made = make_shards(context, read_shard, tasks, outputs, sum(file.size for file in files))
    made = _without_repeated_ids(context, made)
    context.lake.replace_partition(REJECTS, context.partition.values, made[REJECTS.name])
    context.lake.replace_partition(
        RAW_INSTRUCTIONS, context.partition.values, made[RAW_INSTRUCTIONS.name]
    )
    return _outcome(context, made[RAW_INSTRUCTIONS.name], len(files))


def read_shard(task: Task) -> dict[str, ShardFile]:
    """Read the files of one group."""
    rejects: list[dict[str, Any]] = []
    rows = task.write(RAW_INSTRUCTIONS, _rows(task, rejects))  # fills `rejects`
    refused = pa.Table.from_pylist(rejects, REJECTS.schema)
    return {RAW_INSTRUCTIONS.name: rows, REJECTS.name: task.write(REJECTS, [refused])}


def _rows(task: Task, rejects: list[dict[str, Any]]) -> Iterator[pa.Table]:
    settings = task.settings
    gone = set(settings["gone"])
    held: list[dict[str, Any]] = []
    size = 0
    for file in settings["files"]:
        last, ordinal = -1, 0
        for record in read_dialogues(settings["format"], file, settings["options"]):
            ordinal = ordinal + 1 if record.offset == last else 0
            last = record.offset
            row = dialogue_row(settings, file, record, ordinal)
            if isinstance(row, dict) and row["doc_id"] in gone:
                row = Reject(record.offset, "taken down: see the record of takedowns")
            if isinstance(row, Reject):
                rejects.append(reject_row(file, row))
                continue
            held.append(row)
            size += row["n_bytes"]
            if size >= _BATCH_BYTES:
                yield pa.Table.from_pylist(held, RAW_INSTRUCTIONS.schema)
                held, size = [], 0
    yield pa.Table.from_pylist(held, RAW_INSTRUCTIONS.schema)


def _without_repeated_ids(
    context: Context, made: dict[str, list[ShardFile]]
) -> dict[str, list[ShardFile]]:
    """Of dialogues of one id the first by shard and row stays; the others become rejects."""
    lake, partition = context.lake, context.partition.values
    seen: set[str] = set()
    result: dict[str, list[ShardFile]] = {RAW_INSTRUCTIONS.name: [], REJECTS.name: []}
    for rows_file, rejects_file in zip(
        made[RAW_INSTRUCTIONS.name], made[REJECTS.name], strict=True
    ):
        ids = lake.read_shard(RAW_INSTRUCTIONS, partition, rows_file, ["doc_id"])["doc_id"]
        stays = []
        for doc_id in ids.to_pylist():
            stays.append(doc_id not in seen)
            seen.add(doc_id)
        if not all(stays):
            rows = lake.read_shard(RAW_INSTRUCTIONS, partition, rows_file)
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
                RAW_INSTRUCTIONS, partition, rows_file.shard, key, [rows.filter(pa.array(stays))]
            )
            added = pa.Table.from_pylist(more, REJECTS.schema)
            rejects_file = lake.write_shard(
                REJECTS, partition, rejects_file.shard, key, [rejects, added]
            )
        result[RAW_INSTRUCTIONS.name].append(rows_file)
        result[REJECTS.name].append(rejects_file)
    return result


def _outcome(context: Context, files: list[ShardFile], n_files: int) -> Outcome:
    rows = context.lake.read(
        RAW_INSTRUCTIONS, context.partition.values, ["n_bytes", "kind", "n_repairs"]
    )
    rejects = context.lake.read(REJECTS, context.partition.values, ["error"])
    drops: dict[str, int] = {}
    for error in sorted(rejects["error"].to_pylist()):
        reason = error.split(":", 1)[0]
        drops[reason] = drops.get(reason, 0) + 1
    preferences = pc.sum(pc.equal(rows["kind"], "preference")).as_py() or 0
    return Outcome(
        files=files,
        docs_in=rows.num_rows + rejects.num_rows,
        docs=rows.num_rows,
        n_bytes=pc.sum(rows["n_bytes"]).as_py() or 0,
        drops=drops,
        figures={
            "files": n_files,
            "preferences": preferences,
            "repairs": pc.sum(rows["n_repairs"]).as_py() or 0,
        },
    )


def _declared(workspace: Workspace, partition: Partition) -> dict[str, Any]:
    """What the catalog says of a source that changes how it is read."""
    assert partition.source is not None
    source = workspace.catalog.model.sources[partition.source]
    return source.model_dump(mode="json", include={"format", "options", "license", "language"})


def _inputs(context: Context) -> dict[str, str]:
    takedowns = read_takedowns(context.workspace.takedowns)
    return {
        "source_files": files_version(context.workspace, context.source),
        "takedowns": digest([each.values for each in takedowns]) if takedowns else "",
    }


def _not_empty(context: Context) -> CheckResult:
    rows = count(here(context, RAW_INSTRUCTIONS))
    return CheckResult(rows > 0, rows, "at least 1 dialogue")


def _reject_share(context: Context) -> CheckResult:
    rejects, rows = count(here(context, REJECTS)), count(here(context, RAW_INSTRUCTIONS))
    share = rejects / max(1, rejects + rows)
    bound = context.workspace.pipeline.model.instructions.max_reject_share
    samples = query(
        f'SELECT file, "offset", error FROM {here(context, REJECTS)} ORDER BY ALL LIMIT {SAMPLES}'
    )
    return CheckResult(share <= bound, share, f"at most {bound:g} of records rejected", samples)


def _unique_ids(context: Context) -> CheckResult:
    repeated = query(
        f"SELECT doc_id, count(*) AS copies FROM {here(context, RAW_INSTRUCTIONS)} "
        "GROUP BY doc_id HAVING count(*) > 1 ORDER BY doc_id"
    )
    return CheckResult(not repeated, len(repeated), "0 repeated ids", repeated[:SAMPLES])


STAGE = Stage(
    name=RAW_INSTRUCTIONS.name,
    description="""Dialogues and preferences as their publisher shipped them, in one schema: system,
turns, tools, the answer that was rejected, ratings by aspect. Text is repaired and NFC-normalised.
A record without turns, an orphaned or cyclic tree, a broken line stand in `rejects`.""",
    table=RAW_INSTRUCTIONS,
    partitioning="source",
    upstream=(),
    code_version=CODE_VERSION,
    branch="instructions",
    settings=_declared,
    run=run,
    inputs=_inputs,
    checks=(
        Check("not_empty", "The source has dialogues.", _not_empty, True),
        Check("reject_share", "Few records are unreadable.", _reject_share, True),
        Check("unique_ids", "No two dialogues share an id.", _unique_ids, True),
    ),
)
