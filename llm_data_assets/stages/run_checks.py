"""What must hold from tokens to exports: ids, plans, positions, files."""

from llm_data_assets.config.digest import file_checksum
from llm_data_assets.config.pipeline import VALIDATION
from llm_data_assets.lake.catalog import literal, relation
from llm_data_assets.lake.schemas import (
    DOCUMENT_SIGNATURES,
    MIXED_CORPUS,
    MIXTURE_PLAN,
    SEQUENCES,
    STAGE_STATS,
    TOKENIZED_CORPUS,
    TOKENIZER,
    TRAINING_EXPORT,
)
from llm_data_assets.stages.checks import SAMPLES, count, here, query
from llm_data_assets.stages.stage import Check, CheckResult, Context


def _unknown_share(context: Context) -> CheckResult:
    bound = context.workspace.pipeline.model.checks.max_unknown_share
    row = query(
        f"""SELECT coalesce(sum(n_unknown) / nullif(sum(n_tokens), 0), 0)::DOUBLE AS share
        FROM {here(context, TOKENIZED_CORPUS)}"""
    )[0]
    worst = query(
        f"""SELECT doc_id, n_unknown, n_tokens FROM {here(context, TOKENIZED_CORPUS)}
        WHERE n_unknown > 0 ORDER BY n_unknown DESC, doc_id LIMIT {SAMPLES}"""
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
    return CheckResult(not over, highest, f"at most {cap:g} epochs", over[:SAMPLES])


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
    return CheckResult(not wrong, len(wrong), f"1 to {limit} tokens in each", wrong[:SAMPLES])


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
    return CheckResult(not wrong, len(wrong), f"every id from 0 to {size - 1}", wrong[:SAMPLES])


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
    return CheckResult(not wrong, len(wrong), "0 texts on both sides", wrong[:SAMPLES])


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
    positions = count(relation(context.lake, MIXED_CORPUS, {"recipe": context.recipe}))
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
    return CheckResult(not wrong, len(wrong), "0 files that are gone or changed", wrong[:SAMPLES])


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
