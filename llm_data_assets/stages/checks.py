"""What must hold after a stage. Each check gives the value, the bound in words, and rows that fail.

Checks that stand here are used by several stages or belong to none of them alone; which stage has
which is said in the stage.
"""

import json
from collections.abc import Callable
from typing import Any

import duckdb
import pyarrow.parquet as pq

from llm_data_assets.config.catalog import CODE_DOMAIN
from llm_data_assets.config.digest import file_checksum
from llm_data_assets.config.pipeline import VALIDATION
from llm_data_assets.lake.catalog import literal, relation
from llm_data_assets.lake.schemas import (
    DEDUPED_CORPUS,
    DOCUMENT_SIGNATURES,
    DUPLICATES,
    FILTERED_CORPUS,
    MIXED_CORPUS,
    MIXTURE_PLAN,
    RAW_CORPUS,
    REJECTS,
    SEQUENCES,
    STAGE_STATS,
    TOKENIZED_CORPUS,
    TOKENIZER,
    TRAINING_EXPORT,
    VERDICTS,
    Table,
)
from llm_data_assets.stages.stage import Check, CheckResult, Context

_SAMPLES = 5


def query(sql: str) -> list[dict[str, Any]]:
    """Rows of a query over relations of the lake."""
    connection = duckdb.connect()
    try:
        return connection.sql(sql).to_arrow_table().to_pylist()
    finally:
        connection.close()


def here(context: Context, table: Table) -> str:
    """The context's partition of a table, for a FROM clause; of a global stage, the whole table."""
    values = {
        name: value
        for name, value in context.partition.values.items()
        if name in table.partition_by
    }
    return relation(context.lake, table, values)


def _count(rows: str) -> int:
    return int(query(f"SELECT count(*) AS n FROM {rows}")[0]["n"])


def _unique_ids(table: Table) -> Callable[[Context], CheckResult]:
    def evaluate(context: Context) -> CheckResult:
        repeated = query(
            f"SELECT doc_id, count(*) AS copies FROM {here(context, table)} "
            "GROUP BY doc_id HAVING count(*) > 1 ORDER BY doc_id"
        )
        return CheckResult(not repeated, len(repeated), "0 repeated ids", repeated[:_SAMPLES])

    return evaluate


def _no_empty_text(table: Table) -> Callable[[Context], CheckResult]:
    def evaluate(context: Context) -> CheckResult:
        empty = query(
            f"SELECT doc_id FROM {here(context, table)} WHERE trim(text, ' \t\n') = '' "
            "OR text IS NULL ORDER BY doc_id"
        )
        return CheckResult(not empty, len(empty), "0 empty texts", empty[:_SAMPLES])

    return evaluate


def _schema(table: Table) -> Callable[[Context], CheckResult]:
    def evaluate(context: Context) -> CheckResult:
        wrong = [
            {"file": path.name, "is": str(stored), "expected": str(table.schema)}
            for path in context.lake.files(table, context.partition.values)
            if not (stored := pq.read_schema(path)).equals(table.schema)
        ]
        return CheckResult(not wrong, len(wrong), "0 files with other columns", wrong[:_SAMPLES])

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
            not wrong, len(wrong), "0 documents where in <> out + dropped", wrong[:_SAMPLES]
        )

    return evaluate


def _rejects(context: Context) -> CheckResult:
    unreadable = f"(FROM {here(context, REJECTS)} WHERE NOT starts_with(error, 'skipped '))"
    rejects = _count(unreadable)
    documents = _count(here(context, RAW_CORPUS))
    share = rejects / max(1, rejects + documents)
    bound = context.workspace.pipeline.model.checks.max_reject_share
    samples = query(f'SELECT file, "offset", error FROM {unreadable} ORDER BY ALL LIMIT {_SAMPLES}')
    return CheckResult(share <= bound, share, f"at most {bound:g} of records rejected", samples)


def _not_empty(table: Table) -> Callable[[Context], CheckResult]:
    def evaluate(context: Context) -> CheckResult:
        rows = _count(here(context, table))
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
        not over, worst, f"at most {bound:g} of a source removed", over[:_SAMPLES] or shares[:1]
    )


def _kept_is_kept(context: Context) -> CheckResult:
    wrong = query(
        f"""
        SELECT gone.doc_id, gone.kept_doc_id FROM {relation(context.lake, DUPLICATES)} AS gone
        SEMI JOIN {relation(context.lake, DUPLICATES)} AS also ON gone.kept_doc_id = also.doc_id
        ORDER BY gone.doc_id
        """
    )
    return CheckResult(not wrong, len(wrong), "0 partners that were removed too", wrong[:_SAMPLES])


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
            counts[:_SAMPLES],
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


def _rule_share(context: Context) -> CheckResult:
    """No rule drops nearly everything; the rule that comes closest is the value."""
    bound = context.workspace.pipeline.model.checks.max_rule_share
    came_in = _count(here(context, DEDUPED_CORPUS))
    counts = query(
        f"""
        SELECT reason, count(*) AS documents FROM {here(context, VERDICTS)}
        WHERE stage = {literal(FILTERED_CORPUS.name)} AND NOT kept
        GROUP BY reason ORDER BY documents DESC, reason
        """
    )
    share = counts[0]["documents"] / came_in if counts and came_in else 0.0
    return CheckResult(
        share <= bound, share, f"no rule drops more than {bound:g}", counts[:_SAMPLES]
    )


def _rules_leave_documents(context: Context) -> CheckResult:
    """Something is left of what came in; the rules that dropped most are the samples.

    Where `max_rule_share` is 1, a rule may refuse a source whole.
    """
    meant = context.workspace.pipeline.model.checks.max_rule_share >= 1
    came_in = _count(here(context, DEDUPED_CORPUS))
    left = _count(here(context, FILTERED_CORPUS))
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
        by_rule[:_SAMPLES],
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


def _unknown_share(context: Context) -> CheckResult:
    bound = context.workspace.pipeline.model.checks.max_unknown_share
    row = query(
        f"""SELECT coalesce(sum(n_unknown) / nullif(sum(n_tokens), 0), 0)::DOUBLE AS share
        FROM {here(context, TOKENIZED_CORPUS)}"""
    )[0]
    worst = query(
        f"""SELECT doc_id, n_unknown, n_tokens FROM {here(context, TOKENIZED_CORPUS)}
        WHERE n_unknown > 0 ORDER BY n_unknown DESC, doc_id LIMIT {_SAMPLES}"""
    )
    return CheckResult(row["share"] <= bound, row["share"], f"at most {bound:g} unknown", worst)


def _epochs_within_cap(context: Context) -> CheckResult:
    cap = context.workspace.pipeline.model.recipes[context.recipe].max_epochs
    rows = query(
        f"""
        SELECT source, max(epochs) AS epochs, sum(sequences)::BIGINT AS sequences
        FROM {here(context, MIXTURE_PLAN)} WHERE phase <> {literal(VALIDATION)}
        GROUP BY source ORDER BY epochs DESC, source
        """
    )
    # Whole sequences may pass the cap by less than one.
    over = [
        row
        for row in rows
        if (row["sequences"] - 1) > cap * row["sequences"] / max(row["epochs"], 1e-12)
    ]
    highest = rows[0]["epochs"] if rows else 0.0
    return CheckResult(not over, highest, f"at most {cap:g} epochs", over[:_SAMPLES])


def _no_token_lost(context: Context) -> CheckResult:
    # Each further window of a document repeats this many tokens.
    overlap = context.workspace.pipeline.model.recipes[context.recipe].overlap
    wrong = query(
        f"""
        SELECT source, packed.tokens AS packed, plan.available_tokens AS available
        FROM (SELECT source, sum(available_tokens)::BIGINT AS available_tokens
              FROM (SELECT DISTINCT source, first_sequence, available_tokens
                    FROM {here(context, MIXTURE_PLAN)}) GROUP BY source) AS plan
        LEFT JOIN (SELECT source,
                          sum(length - CASE WHEN start > 0 THEN {overlap} ELSE 0 END)::BIGINT
                              AS tokens
                   FROM {here(context, SEQUENCES)} GROUP BY source) AS packed USING (source)
        WHERE coalesce(packed.tokens, 0) <> plan.available_tokens ORDER BY source
        """
    )
    return CheckResult(not wrong, len(wrong), "0 sources whose packing lost tokens", wrong)


def _sequence_lengths(context: Context) -> CheckResult:
    limit = context.workspace.pipeline.model.recipes[context.recipe].sequence_length
    wrong = query(
        f"""
        SELECT source, sequence, sum(length)::BIGINT AS tokens FROM {here(context, SEQUENCES)}
        GROUP BY source, sequence HAVING sum(length) NOT BETWEEN 1 AND {limit} ORDER BY ALL
        """
    )
    return CheckResult(not wrong, len(wrong), f"1 to {limit} tokens in each", wrong[:_SAMPLES])


def _ids_in_vocabulary(context: Context) -> CheckResult:
    size = query(f"SELECT vocab_size FROM {relation(context.lake, TOKENIZER)}")[0]["vocab_size"]
    wrong = query(
        f"""
        SELECT doc_id, list_min(tokens) AS least, list_max(tokens) AS largest
        FROM {here(context, TOKENIZED_CORPUS)}
        WHERE len(tokens) > 0 AND (list_min(tokens) < 0 OR list_max(tokens) >= {size})
        ORDER BY doc_id
        """
    )
    return CheckResult(not wrong, len(wrong), f"every id from 0 to {size - 1}", wrong[:_SAMPLES])


def _bytes_per_token(context: Context) -> CheckResult:
    """Against the partition's last materialisation, whose account is written before this one's."""
    bound = context.workspace.pipeline.model.checks.max_bytes_per_token_change
    now = query(
        f"""SELECT sum(n_bytes) / nullif(sum(n_tokens), 0) AS ratio
        FROM {here(context, TOKENIZED_CORPUS)}"""
    )[0]["ratio"]
    before = query(
        f"""SELECT bytes / nullif(tokens, 0) AS ratio
        FROM {relation(context.lake, STAGE_STATS, {"stage": TOKENIZED_CORPUS.name})}
        WHERE partition = {literal(context.partition.key)} ORDER BY ts DESC LIMIT 1"""
    )
    last = before[0]["ratio"] if before else None
    if now is None or last is None:
        return CheckResult(True, now or 0.0, "any value: there is no last version to compare with")
    return CheckResult(
        abs(now / last - 1) <= bound, now, f"within {bound:.0%} of the last version's {last:.3f}"
    )


def _splits_apart(context: Context) -> CheckResult:
    wrong = query(
        f"""
        WITH held_out AS (
            SELECT source, first_sequence FROM {here(context, MIXTURE_PLAN)}
            WHERE phase = {literal(VALIDATION)}
        ), sides AS (
            SELECT DISTINCT source, doc_id,
                coalesce(sequence >= first_sequence, false) AS validation
            FROM {here(context, SEQUENCES)} LEFT JOIN held_out USING (source)
        )
        SELECT min(doc_id) AS doc_id, max(doc_id) AS other
        FROM sides JOIN {relation(context.lake, DOCUMENT_SIGNATURES)} USING (source, doc_id)
        WHERE EXISTS (FROM held_out)
        GROUP BY text_hash HAVING count(DISTINCT validation) > 1 ORDER BY doc_id
        """
    )
    return CheckResult(not wrong, len(wrong), "0 texts on both sides", wrong[:_SAMPLES])


def _share_as_planned(context: Context) -> CheckResult:
    bound = context.workspace.pipeline.model.checks.max_share_error
    plan = relation(context.lake, MIXTURE_PLAN, {"recipe": context.recipe})
    wrong = query(
        f"""
        WITH phases AS (
            SELECT phase, first_position, sum(sequences) AS sequences
            FROM {plan} GROUP BY phase, first_position
        ), placed AS (
            SELECT phase, count(position) AS placed, any_value(sequences) AS sequences
            FROM phases LEFT JOIN {here(context, MIXED_CORPUS)}
                ON position >= first_position AND position < first_position + sequences
            GROUP BY phase
        )
        SELECT placed.phase, share,
            abs(placed / greatest(placed.sequences, 1) - coalesce(share, 0)) AS error
        FROM placed LEFT JOIN {plan} AS plan
            ON plan.phase = placed.phase AND plan.source = {literal(context.source)}
        ORDER BY error DESC, placed.phase
        """
    )
    error = wrong[0]["error"] if wrong else 0.0
    return CheckResult(
        error <= bound, error, f"within {bound:g} of the planned share in every phase", wrong
    )


def _export_complete(context: Context) -> CheckResult:
    rows = query(
        f"""
        SELECT format, sum(sequences)::BIGINT AS sequences
        FROM (SELECT DISTINCT format, first_position, sequences FROM
              {here(context, TRAINING_EXPORT)})
        GROUP BY format ORDER BY format
        """
    )
    positions = _count(relation(context.lake, MIXED_CORPUS, {"recipe": context.recipe}))
    wrong = [row for row in rows if row["sequences"] != positions]
    return CheckResult(
        bool(rows) and not wrong, positions, "every position of the run is in every format", wrong
    )


def _export_checksums(context: Context) -> CheckResult:
    rows = query(f"SELECT file, checksum FROM {here(context, TRAINING_EXPORT)} ORDER BY file")
    wrong = [
        row
        for row in rows
        if not (path := context.workspace.home / row["file"]).is_file()
        or file_checksum(path) != row["checksum"]
    ]
    return CheckResult(not wrong, len(wrong), "0 files that are gone or changed", wrong[:_SAMPLES])


def samples_json(result: CheckResult) -> str:
    """A result's sample rows as JSON."""
    return json.dumps(list(result.samples), ensure_ascii=False, default=str)


UNIQUE_IDS = Check("unique_ids", "No two documents share an id.", _unique_ids(RAW_CORPUS), True)
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
RULE_SHARE = Check("rule_share", "No rule drops nearly everything.", _rule_share)
UNKNOWN_SHARE = Check("unknown_share", "Unknown tokens are rare.", _unknown_share, True)
EPOCHS_WITHIN_CAP = Check(
    "epochs_within_cap", "No source is repeated beyond the recipe's cap.", _epochs_within_cap, True
)
NO_TOKEN_LOST = Check(
    "no_token_lost", "Packing places every token of every document.", _no_token_lost, True
)
SEQUENCE_LENGTHS = Check(
    "sequence_lengths", "No sequence is empty or too long.", _sequence_lengths, True
)
IDS_IN_VOCABULARY = Check(
    "ids_in_vocabulary", "Every token id is one of the tokenizer's.", _ids_in_vocabulary, True
)
BYTES_PER_TOKEN = Check(
    "bytes_per_token", "Texts compress as they did in the last version.", _bytes_per_token
)
SHARE_AS_PLANNED = Check(
    "share_as_planned", "The source's share of the run is the planned one.", _share_as_planned, True
)
EXPORT_COMPLETE = Check(
    "export_complete", "The export holds every position of the run.", _export_complete, True
)
EXPORT_CHECKSUMS = Check(
    "export_checksums", "The files hold what was written.", _export_checksums, True
)
SPLITS_APART = Check(
    "splits_apart", "No text is both trained on and held out.", _splits_apart, True
)
