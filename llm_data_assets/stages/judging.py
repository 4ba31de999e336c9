"""quality_signals -> verdicts of filtered_corpus: one query of the rules over many shards."""

from collections.abc import Sequence
from itertools import pairwise

import duckdb
import numpy as np
import pyarrow as pa

from llm_data_assets.config.pipeline import Rule
from llm_data_assets.lake.catalog import literal
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.schemas import (
    CONTAMINATION,
    FILTERED_CORPUS,
    RAW_CORPUS,
    VERDICTS,
    Table,
)
from llm_data_assets.lake.shard_files import ShardFile
from llm_data_assets.stages.filter_rules import DOCUMENT_COLUMNS, OVERLAP
from llm_data_assets.stages.quality_signals import QUALITY_SIGNALS
from llm_data_assets.stages.refusals import named_refusals, refuses
from llm_data_assets.stages.shards import Task
from llm_data_assets.text.rules import compile_verdicts

_JUDGED_AT_ONCE = 250_000  # documents: some 60 MB of signals that rules name


def judge(lake: Lake, tasks: Sequence[Task]) -> list[ShardFile]:
    """The verdicts of each shard of a source, sorted: found again, or judged by signals alone.

    Many shards are one query: DuckDB takes longer to plan some thirty rules than to decide about
    twenty thousand documents.
    """
    if not tasks:
        return []
    # Tasks of one source have its rules.
    rules = [Rule.model_validate(rule) for rule in tasks[0].settings["rules"]]
    columns = _signals_of(rules)
    of_stage = {"stage": FILTERED_CORPUS.name}
    done, waiting, measured, rows = [], [], [], 0
    connection = duckdb.connect()
    for task in tasks:
        file = lake.find_shard(VERDICTS, {**task.partition, **of_stage}, task.shard, task.key)
        if file is not None:
            done.append(file)
            continue
        waiting.append(task)
        measured.append(_read(task, QUALITY_SIGNALS, columns))
        rows += measured[-1].num_rows
        if rows >= _JUDGED_AT_ONCE:
            done += _judged(connection, rules, waiting, measured)
            waiting, measured, rows = [], [], 0
    if waiting:
        done += _judged(connection, rules, waiting, measured)
    return sorted(done)


def rule_columns() -> dict[str, str]:
    """What a rule may name, and its type: signals, and columns of the document."""
    columns = {field.name: str(field.type) for field in QUALITY_SIGNALS.schema}
    return columns | dict.fromkeys(DOCUMENT_COLUMNS, "string") | {OVERLAP: "double"}


def _judged(
    connection: duckdb.DuckDBPyConnection,
    rules: list[Rule],
    tasks: Sequence[Task],
    measured: Sequence[pa.Table],
) -> list[ShardFile]:
    """Judge the documents of some shards of a source, and write the verdicts of each."""
    documents, refusing = _documents(tasks, rules)
    rules = refusing + rules
    connection.register(
        "signals",
        pa.concat_tables(
            rows.append_column("shard", pa.array(np.full(rows.num_rows, shard, np.int32)))
            for shard, rows in enumerate(measured)
        ),
    )
    joins = ""
    if documents is not None:
        connection.register("documents", documents)
        joins = "JOIN documents USING (doc_id)"
    connection.register("ledger", pa.concat_tables([ledger(task) for task in tasks]))
    relation = f"""(
        SELECT *, {literal(tasks[0].settings["source"])} AS source,
               {literal(tasks[0].settings["domain"])} AS domain,
               coalesce(overlap, 0) AS evaluation_overlap,
               coalesce(question, '') AS evaluation_question
        FROM signals {joins}
        LEFT JOIN (SELECT doc_id, max(question_share) AS overlap,
                          max_by(question_id, (question_share, question_id)) AS question
                   FROM ledger GROUP BY doc_id) USING (doc_id)
    )"""
    sql = compile_verdicts(rules, rule_columns(), relation=relation, group="shard")
    verdicts = connection.sql(sql).to_arrow_table()
    starts = np.searchsorted(verdicts["shard"].to_numpy(), np.arange(len(tasks) + 1))
    verdicts = verdicts.drop_columns("shard").cast(VERDICTS.schema)
    return [
        task.write(VERDICTS, [verdicts.slice(start, stop - start)], stage=FILTERED_CORPUS.name)
        for task, (start, stop) in zip(tasks, pairwise(starts.tolist()), strict=True)
    ]


def _signals_of(rules: Sequence[Rule]) -> list[str]:
    """The columns of quality_signals that rules read."""
    asked = _names_of(rules).intersection(QUALITY_SIGNALS.schema.names)
    return ["doc_id", *sorted(asked - {"doc_id"})]


def _documents(tasks: Sequence[Task], rules: Sequence[Rule]) -> tuple[pa.Table | None, list[Rule]]:
    """What rules may name of the documents beside signals, and the rules that refuse by name.

    None where no rule names it and nothing is refused: then no column of the documents is read.
    """
    refusing = tasks[0].settings["refusals"]
    asked = _names_of(rules) & {"license", "url", "url_list", "title"}
    if not asked and not refuses(refusing):
        return None, []
    asked |= {"doc_id", "license"} | ({"url"} if refusing["url_lists"] else set())
    columns = sorted(asked - {"url_list"})
    read = [_read(task, RAW_CORPUS, columns) for task in tasks]
    return named_refusals(pa.concat_tables(read), refusing)


def _read(task: Task, table: Table, columns: list[str]) -> pa.Table:
    (file,) = task.inputs[table.name]
    return task.lake.read_shard(table, task.partition, file, columns)


def _names_of(rules: Sequence[Rule]) -> set[str]:
    return {name for rule in rules for name in (rule.signal, *rule.when, *rule.unless)}


def ledger(task: Task) -> pa.Table:
    """What benchmark questions were met in the documents of the shard."""
    found = [
        task.lake.read_shard(CONTAMINATION, task.partition, file)
        for file in task.inputs[CONTAMINATION.name]
    ]
    return pa.concat_tables([CONTAMINATION.schema.empty_table(), *found])
