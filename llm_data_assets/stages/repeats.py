"""What dialogues and pairs share from who repeats whom to the names that stay."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from llm_data_assets.config.catalog import Branch
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.catalog import relation
from llm_data_assets.lake.schemas import VERDICTS, Table
from llm_data_assets.lake.shard_files import ShardFile
from llm_data_assets.stages.checks import SAMPLES, query
from llm_data_assets.stages.shards import Task, make_shards, task_key
from llm_data_assets.stages.stage import Check, CheckResult, Context, Outcome
from llm_data_assets.stages.versions import data_version


def total_order(context: Context, rows: pa.Table, worth: np.ndarray) -> np.ndarray:
    """Rows by priority of their source, the largest worth first, then by id.

    Args:
        rows: with `source` and `doc_id`.
        worth: float64[n]; -inf where it is not known.

    Returns:
        int64[n].
    """
    sources = context.workspace.catalog.model.sources
    priority = np.array([sources[name].priority for name in rows["source"].to_pylist()], np.int64)
    ids = np.array(rows["doc_id"].to_pylist(), object)
    by_id = np.argsort(ids, kind="stable") if len(ids) else np.empty(0, np.int64)
    return by_id[np.lexsort((-worth[by_id], priority[by_id]))]


def priorities(workspace: Workspace, branch: Branch) -> dict[str, int]:
    """Priority of each source of a branch."""
    sources = workspace.catalog.model.sources
    return {name: sources[name].priority for name in workspace.sources_of(branch)}


def write_repeats(
    context: Context,
    table: Table,
    sources: list[str],
    rows: pa.Table,
    partner: np.ndarray,
    similarity: np.ndarray,
    methods: list[str],
    code_version: str,
) -> Outcome:
    """Write, of each source, the rows that go with the one that each repeats.

    Args:
        rows: with `source` and `doc_id`, of all sources.
        partner: int64[n], the row it repeats; -1 where it stays.
        similarity: float64[n].
        methods: of each row, how it was found; any text where it stays.
    """
    gone = np.flatnonzero(partner >= 0)
    found = pa.table(
        {
            "doc_id": rows["doc_id"].take(pa.array(gone)),
            "source": rows["source"].take(pa.array(gone)),
            "kept_doc_id": rows["doc_id"].take(pa.array(partner[gone])),
            "kept_source": rows["source"].take(pa.array(partner[gone])),
            "similarity": similarity[gone],
            "method": pa.array([methods[at] for at in gone.tolist()], pa.string()),
        }
    )
    files = []
    for source in sources:
        mine = found.filter(pc.equal(found["source"], source)).sort_by("doc_id")
        key = task_key(code_version, [mine[name].to_pylist() for name in mine.column_names])
        file = context.lake.write_shard(table, {"source": source}, "all", key, [mine])
        context.lake.replace_partition(table, {"source": source}, [file])
        files.append(file)
    return Outcome(
        files=files,
        docs_in=rows.num_rows,
        docs=rows.num_rows - found.num_rows,
        n_bytes=0,
        drops=counted(found["method"]),
    )


def counted(values: pa.ChunkedArray) -> dict[str, int]:
    """How often each value stands there."""
    return {each["values"]: each["counts"] for each in pc.value_counts(values).to_pylist()}


def partners_stay(table: Table, noun: str) -> Check:
    """The row that a repeat names is itself kept.

    Args:
        noun: what a row is.
    """

    def evaluate(context: Context) -> CheckResult:
        gone = relation(context.lake, table)
        wrong = query(
            f"SELECT gone.doc_id, gone.kept_doc_id FROM {gone} AS gone "
            f"SEMI JOIN {gone} AS also ON gone.kept_doc_id = also.doc_id ORDER BY gone.doc_id"
        )
        expected = "0 partners that were removed too"
        return CheckResult(not wrong, len(wrong), expected, wrong[:SAMPLES])

    return Check("partners_stay", f"The {noun} that a repeat names is itself kept.", evaluate, True)


def keep_others(
    context: Context,
    raw: Table,
    repeats: Table,
    deduped: Table,
    bounds: Mapping[str, Any],
    code_version: str,
) -> Outcome:
    """Write the names of the rows of `raw` that `repeats` does not name, and verdicts on the rest.

    Args:
        bounds: similarity by method from which a row goes; 1 where it has none.
    """
    partition = context.partition.values
    named = context.lake.shards(repeats, partition)
    tasks = [
        Task(
            lake=context.lake,
            partition=partition,
            shard=file.shard,
            key=task_key(code_version, file.content, [each.content for each in named], bounds),
            inputs={raw.name: (file,), repeats.name: tuple(named)},
            settings=bounds,
        )
        for file in context.lake.shards(raw, partition)
    ]
    verdicts = {**partition, "stage": deduped.name}
    outputs = {deduped.name: (deduped, partition), VERDICTS.name: (VERDICTS, verdicts)}
    split = partial(_split_shard, raw=raw, repeats=repeats, deduped=deduped)
    made = make_shards(context, split, tasks, outputs, 0)
    context.lake.replace_partition(VERDICTS, verdicts, made[VERDICTS.name])
    context.lake.replace_partition(deduped, partition, made[deduped.name])
    kept = context.lake.read(deduped, partition, ["n_bytes"])
    gone = context.lake.read(VERDICTS, verdicts, ["reason"])
    return Outcome(
        files=made[deduped.name],
        docs_in=kept.num_rows + gone.num_rows,
        docs=kept.num_rows,
        n_bytes=pc.sum(kept["n_bytes"]).as_py() or 0,
        drops=counted(gone["reason"]),
    )


def _split_shard(task: Task, raw: Table, repeats: Table, deduped: Table) -> dict[str, ShardFile]:
    """Split one shard into the names that stay and the verdicts on the rest."""
    (file,) = task.inputs[raw.name]
    rows = task.lake.read_shard(raw, task.partition, file, ["doc_id", "n_bytes"])
    named = [
        task.lake.read_shard(repeats, task.partition, each) for each in task.inputs[repeats.name]
    ]
    gone = pa.concat_tables([repeats.schema.empty_table(), *named])
    ids = rows["doc_id"].combine_chunks()
    mine = gone.filter(pc.is_in(gone["doc_id"], ids))
    bounds = [task.settings.get(method, 1.0) for method in mine["method"].to_pylist()]
    verdicts = pa.table(
        {
            "doc_id": mine["doc_id"],
            "kept": pa.repeat(pa.scalar(False), mine.num_rows),
            "reason": mine["method"],
            "position": pa.repeat(pa.scalar(0, pa.int16()), mine.num_rows),
            "value": mine["similarity"],
            "threshold": pa.array(bounds, pa.float64()),
            "detail": mine["kept_doc_id"],
        }
    )
    stays = rows.filter(pc.invert(pc.is_in(ids, gone["doc_id"].combine_chunks())))
    return {
        deduped.name: task.write(deduped, [stays]),
        VERDICTS.name: task.write(VERDICTS, [verdicts], stage=deduped.name),
    }


def own_versions(*tables: Table) -> Callable[[Context], dict[str, str]]:
    """Versions of the context's own partition of some tables: no other source's rows matter."""
    return lambda context: {
        table.name: data_version(context.lake, table, context.partition.values) for table in tables
    }
