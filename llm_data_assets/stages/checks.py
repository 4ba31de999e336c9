"""What must hold after a stage. Each check gives the value, the bound in words, and rows that fail.

Checks that stand here are used by several stages or belong to none of them alone; which stage has
which is said in the stage.
"""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from llm_data_assets.config.catalog import CODE_DOMAIN
from llm_data_assets.lake.catalog import literal, relation
from llm_data_assets.lake.schemas import (
    DEDUPED_CORPUS,
    DOCUMENT_SIGNATURES,
    DUPLICATES,
    FILTERED_CORPUS,
    RAW_CORPUS,
    REJECTS,
    STAGE_STATS,
    TOKENIZED_CORPUS,
    VERDICTS,
    Table,
)
from llm_data_assets.stages.shards import batches
from llm_data_assets.stages.stage import Check, CheckResult, Context

SAMPLES = 5


def query(sql: str) -> list[dict[str, Any]]:
    """Rows of a query over relations of the lake."""
    with _duckdb().cursor() as cursor:
        return cursor.sql(sql).to_arrow_table().to_pylist()


@cache
def _duckdb() -> duckdb.DuckDBPyConnection:
    """An empty database in memory: to make one takes longer than most checks."""
    return duckdb.connect()


def here(context: Context, table: Table) -> str:
    """The context's partition of a table, for a FROM clause; of a global stage, the whole table."""
    values = {
        name: value
        for name, value in context.partition.values.items()
        if name in table.partition_by
    }
    return relation(context.lake, table, values)


def count(rows: str) -> int:
    return int(query(f"SELECT count(*) AS n FROM {rows}")[0]["n"])


def unique_ids(table: Table) -> Callable[[Context], CheckResult]:
    """No two rows of the partition share an id."""

    def evaluate(context: Context) -> CheckResult:
        repeated = query(
            f"SELECT doc_id, count(*) AS copies FROM {here(context, table)} "
            "GROUP BY doc_id HAVING count(*) > 1 ORDER BY doc_id"
        )
        return CheckResult(not repeated, len(repeated), "0 repeated ids", repeated[:SAMPLES])

    return evaluate


def _no_empty_text(table: Table) -> Callable[[Context], CheckResult]:
    def evaluate(context: Context) -> CheckResult:
        # A row group at a time: the texts of a source do not fit in memory.
        passed = _passed_before(context, table)
        empty = sorted(
            doc_id
            for file in context.lake.shards(table, context.partition.values)
            if file.name not in passed
            for rows in batches(
                context.lake, table, context.partition.values, file, ["doc_id", "text"]
            )
            for doc_id in rows.filter(_is_blank(rows["text"]))["doc_id"].to_pylist()
        )
        samples = [{"doc_id": doc_id} for doc_id in empty[:SAMPLES]]
        return CheckResult(not empty, len(empty), "0 empty texts", samples)

    return evaluate


def _passed_before(context: Context, table: Table) -> set[str]:
    """Names of the files that the stage's last materialisation left: a name holds a digest of the
    file's bytes, and no row of `stage_stats` is written where a blocking check fails."""
    last = query(
        f"""SELECT table_version FROM {relation(context.lake, STAGE_STATS, {"stage": table.name})}
        WHERE partition = {literal(context.partition.key)} ORDER BY ts DESC LIMIT 1"""
    )
    if not last:
        return set()
    files = context.lake.named(table, context.partition.values, last[0]["table_version"])
    return {file.name for file in files}


def _is_blank(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whether a text is null, or has nothing but white space."""
    said = pc.match_substring_regex(texts, r"[^ \t\n]")
    return pc.invert(pc.fill_null(said, False))


def _schema(table: Table) -> Callable[[Context], CheckResult]:
    def evaluate(context: Context) -> CheckResult:
        wrong = [
            {"file": path.name, "is": str(stored), "expected": str(table.schema)}
            for path in context.lake.files(table, context.partition.values)
            if not (stored := pq.read_schema(path)).equals(table.schema)
        ]
        return CheckResult(not wrong, len(wrong), "0 files with other columns", wrong[:SAMPLES])

    return evaluate


def _conservation(came_in: Table, went_out: Table) -> Callable[[Context], CheckResult]:
    """Every document that came in went out or has a deciding verdict, and none has both."""

    def evaluate(context: Context) -> CheckResult:
        stage = literal(went_out.name)
        gone = (
            f"(SELECT doc_id FROM {here(context, VERDICTS)} "
            f"WHERE stage = {stage} AND NOT kept AND position = 0)"
        )
        wrong = query(
            f"""
            WITH accounts AS (
                SELECT doc_id, 1 AS came_in, 0 AS went_out, 0 AS dropped
                FROM {here(context, came_in)}
                UNION ALL SELECT doc_id, 0, 1, 0 FROM {here(context, went_out)}
                UNION ALL SELECT doc_id, 0, 0, 1 FROM {gone}
            )
            SELECT doc_id, sum(came_in)::INT AS came_in, sum(went_out)::INT AS went_out,
                   sum(dropped)::INT AS dropped
            FROM accounts GROUP BY doc_id
            HAVING sum(came_in) <> sum(went_out) + sum(dropped) ORDER BY doc_id
            """
        )
        return CheckResult(
            not wrong, len(wrong), "0 documents where in <> out + dropped", wrong[:SAMPLES]
        )

    return evaluate


def conservation(came_in: Table, went_out: Table) -> Check:
    """Every row that came in went out or has a deciding verdict."""
    return Check(
        "conservation",
        f"in = out + dropped: every row of {came_in.name} stays or has a verdict.",
        _conservation(came_in, went_out),
        True,
    )


def _rejects(context: Context) -> CheckResult:
    unreadable = f"(FROM {here(context, REJECTS)} WHERE NOT starts_with(error, 'skipped '))"
    rejects = count(unreadable)
    documents = count(here(context, RAW_CORPUS))
    share = rejects / max(1, rejects + documents)
    bound = context.workspace.pipeline.model.checks.max_reject_share
    samples = query(f'SELECT file, "offset", error FROM {unreadable} ORDER BY ALL LIMIT {SAMPLES}')
    return CheckResult(share <= bound, share, f"at most {bound:g} of records rejected", samples)


def _not_empty(table: Table) -> Callable[[Context], CheckResult]:
    def evaluate(context: Context) -> CheckResult:
        rows = count(here(context, table))
        return CheckResult(rows > 0, rows, "at least 1 document")

    return evaluate


def _duplicate_share(context: Context) -> CheckResult:
    bound = context.workspace.pipeline.model.checks.max_duplicate_share
    shares = query(
        f"""
        SELECT source, count(duplicate.doc_id) AS removed, count(*) AS documents,
               count(duplicate.doc_id) / count(*) AS share
        FROM {relation(context.lake, RAW_CORPUS)} AS raw
        LEFT JOIN {relation(context.lake, DUPLICATES)} AS duplicate USING (source, doc_id)
        GROUP BY source ORDER BY share DESC, source
        """
    )
    worst = shares[0]["share"] if shares else 0.0
    over = [row for row in shares if row["share"] > bound]
    return CheckResult(
        not over, worst, f"at most {bound:g} of a source removed", over[:SAMPLES] or shares[:1]
    )


def _kept_is_kept(context: Context) -> CheckResult:
    wrong = query(
        f"""
        SELECT gone.doc_id, gone.kept_doc_id FROM {relation(context.lake, DUPLICATES)} AS gone
        SEMI JOIN {relation(context.lake, DUPLICATES)} AS also ON gone.kept_doc_id = also.doc_id
        ORDER BY gone.doc_id
        """
    )
    return CheckResult(not wrong, len(wrong), "0 partners that were removed too", wrong[:SAMPLES])


def language_share(signals: Table) -> Check:
    """The share of a source's documents in the languages asked for."""

    def evaluate(context: Context) -> CheckResult:
        languages = context.workspace.pipeline.model.languages
        bound = context.workspace.pipeline.model.checks.min_language_share
        domain = context.workspace.catalog.model.sources[context.source].domain
        if not languages or domain == CODE_DOMAIN:
            return CheckResult(True, 1.0, "any language: none was asked for, or the source is code")
        counts = query(
            f"SELECT language, count(*) AS documents FROM {here(context, signals)} "
            "GROUP BY language ORDER BY documents DESC, language"
        )
        all_documents = sum(row["documents"] for row in counts)
        asked = sum(row["documents"] for row in counts if row["language"] in languages)
        share = asked / all_documents if all_documents else 1.0
        return CheckResult(
            share >= bound,
            share,
            f"at least {bound:g} in {', '.join(languages)}",
            counts[:SAMPLES],
        )

    return Check("language_share", "Documents are in the languages asked for.", evaluate)


def measured_conservation(signals: Table) -> Check:
    """Every document that survives deduplication is measured."""
    return Check(
        "conservation",
        "in = out: every document of deduped_corpus is measured.",
        _conservation(DEDUPED_CORPUS, signals),
        True,
    )


def rule_share(came_in: Table, went_out: Table) -> Check:
    """No rule drops nearly everything; the rule that comes closest is the value."""

    def evaluate(context: Context) -> CheckResult:
        bound = context.workspace.pipeline.model.checks.max_rule_share
        rows = count(here(context, came_in))
        counts = query(
            f"""
            SELECT reason, count(*) AS documents FROM {here(context, VERDICTS)}
            WHERE stage = {literal(went_out.name)} AND NOT kept
            GROUP BY reason ORDER BY documents DESC, reason
            """
        )
        share = counts[0]["documents"] / rows if counts and rows else 0.0
        expected = f"no rule drops more than {bound:g}"
        return CheckResult(share <= bound, share, expected, counts[:SAMPLES])

    return Check("rule_share", "No rule drops nearly everything.", evaluate)


def _rules_leave_documents(context: Context) -> CheckResult:
    """Something is left of what came in; the rules that dropped most are the samples.

    Where `max_rule_share` is 1, a rule may refuse a source whole.
    """
    meant = context.workspace.pipeline.model.checks.max_rule_share >= 1
    came_in = count(here(context, DEDUPED_CORPUS))
    left = count(here(context, FILTERED_CORPUS))
    by_rule = query(
        f"""
        SELECT reason, count(*) AS documents FROM {here(context, VERDICTS)}
        WHERE stage = {literal(FILTERED_CORPUS.name)} AND NOT kept AND position = 0
        GROUP BY reason ORDER BY documents DESC, reason
        """
    )
    return CheckResult(
        left > 0 or came_in == 0 or meant,
        left,
        "at least one document is left, unless max_rule_share is 1",
        by_rule[:SAMPLES],
    )


def rules_fire(rule_names: Callable[[Context], list[str]]) -> Check:
    """Over all sources every rule has dropped or flagged something, or is named here."""

    def evaluate(context: Context) -> CheckResult:
        fired = {
            row["reason"]
            for row in query(
                f"SELECT DISTINCT reason FROM {relation(context.lake, VERDICTS)} "
                f"WHERE stage = {literal(FILTERED_CORPUS.name)}"
            )
        }
        silent = [name for name in rule_names(context) if name not in fired]
        return CheckResult(
            not silent, len(silent), "0 rules that never fire", [{"rule": name} for name in silent]
        )

    return Check(
        "every_rule_fires",
        "A rule that never fires on any source is a typing error or dead weight.",
        evaluate,
    )


def samples_json(result: CheckResult) -> str:
    """A result's sample rows as JSON."""
    return json.dumps(list(result.samples), ensure_ascii=False, default=str)


UNIQUE_IDS = Check("unique_ids", "No two documents share an id.", unique_ids(RAW_CORPUS), True)
NO_EMPTY_RAW = Check("no_empty_text", "Every document has text.", _no_empty_text(RAW_CORPUS), True)
NO_EMPTY_FILTERED = Check(
    "no_empty_text",
    "Every document has text after the edits.",
    _no_empty_text(FILTERED_CORPUS),
    True,
)
REJECT_SHARE = Check("reject_share", "Few records are unreadable.", _rejects, True)
NOT_EMPTY = Check("not_empty", "The source has documents.", _not_empty(RAW_CORPUS), True)
RAW_SCHEMA = Check("schema", "Columns are as documented.", _schema(RAW_CORPUS), True)
FILTERED_SCHEMA = Check("schema", "Columns are as documented.", _schema(FILTERED_CORPUS), True)
DEDUPED_CONSERVATION = Check(
    "conservation",
    "in = out + dropped: every document stays or is named in `duplicates`.",
    _conservation(RAW_CORPUS, DEDUPED_CORPUS),
    True,
)
FILTERED_CONSERVATION = Check(
    "conservation",
    "in = out + dropped: every document stays or has a verdict.",
    _conservation(DEDUPED_CORPUS, FILTERED_CORPUS),
    True,
)
TOKENIZED_CONSERVATION = Check(
    "conservation",
    "in = out: every document of filtered_corpus is tokenised.",
    _conservation(FILTERED_CORPUS, TOKENIZED_CORPUS),
    True,
)
SIGNED_CONSERVATION = Check(
    "conservation",
    "in = out: every document of raw_corpus is signed.",
    _conservation(RAW_CORPUS, DOCUMENT_SIGNATURES),
    True,
)
DUPLICATE_SHARE = Check(
    "duplicate_share", "Deduplication does not empty a source.", _duplicate_share
)
KEPT_IS_KEPT = Check(
    "partners_stay", "The document that a duplicate repeats is itself kept.", _kept_is_kept, True
)
RULES_LEAVE_DOCUMENTS = Check(
    "rules_leave_documents",
    "The rules leave something; else nothing after them runs.",
    _rules_leave_documents,
    True,
)
RULE_SHARE = rule_share(DEDUPED_CORPUS, FILTERED_CORPUS)
