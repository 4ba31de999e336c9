"""`llm-data instructions`: what became of every dialogue, on one page."""

from collections.abc import Iterator, Mapping
from typing import Any

import duckdb

from llm_data_assets.lake.catalog import rows

_QUERIES = {
    "dialogues": """
        SELECT source, read_in, deduped, selected, train, validation FROM instruction_figures
        UNION ALL BY NAME
        SELECT 'all' AS source, sum(read_in) AS read_in, sum(deduped) AS deduped,
               sum(selected) AS selected, sum(train) AS train, sum(validation) AS validation
        FROM instruction_figures HAVING count(*) > 1""",
    "why they left": """
        SELECT * REPLACE (round(mean_value, 3) AS mean_value) FROM instruction_losses
        ORDER BY source, stage, docs DESC, reason""",
    "unreadable records": """
        SELECT source, split_part(error, ':', 1) AS reason, count(*) AS docs
        FROM rejects SEMI JOIN instruction_figures USING (source)
        GROUP BY ALL ORDER BY ALL""",
    "selected by task type": """
        SELECT source, recall, reasoning, creative, tool_use, shortfall,
               round(cluster_coverage, 3) AS cluster_coverage,
               round(quality_with_length, 3) AS quality_with_length
        FROM instruction_figures ORDER BY source""",
    "preferences": """
        SELECT source, pairs, with_margin, round(margin_mean, 3) AS margin_mean, tied,
               round(chosen_is_longer, 3) AS chosen_is_longer,
               round(length_ratio_median, 3) AS length_ratio_median
        FROM instruction_figures WHERE pairs > 0 ORDER BY source""",
    "files": """
        SELECT file, rows, n_skipped AS skipped, n_bytes AS bytes
        FROM instruction_files ORDER BY file""",
}


def report(connection: duckdb.DuckDBPyConnection) -> dict[str, list[dict[str, Any]]]:
    """Tables of the page, by name."""
    return {name: rows(connection, sql, []) for name, sql in _QUERIES.items()}


def explain_dialogue(connection: duckdb.DuckDBPyConnection, doc_id: str) -> dict[str, Any] | None:
    """Everything the tables say of one dialogue; None if they do not know it."""
    told = {
        "scores": "SELECT * EXCLUDE (source, doc_id) FROM scored_instructions WHERE doc_id = ?",
        "selected": "SELECT * EXCLUDE (source, doc_id) FROM selected_instructions WHERE doc_id = ?",
        "mix": "SELECT split, position FROM instruction_mix WHERE doc_id = ?",
    }
    tables = ("raw_instructions", "instruction_duplicates")
    return passport_of(connection, doc_id, "dialogue", tables, told)


def passport_of(
    connection: duckdb.DuckDBPyConnection,
    doc_id: str,
    noun: str,
    tables: tuple[str, str],
    told: Mapping[str, str],
) -> dict[str, Any] | None:
    """A row of a branch beside text, its verdicts, who repeats it, and what else is `told` of it.

    Args:
        noun: under which name the row itself stands.
        tables: of the rows as read, and of who repeats whom.
        told: queries with the id as their value, by name.
    """
    read, repeats = tables
    raw = rows(connection, f"SELECT * FROM {read} WHERE doc_id = ?", [doc_id])
    if not raw:
        return None
    queries = {
        "verdicts": "SELECT stage, kept, reason, value, threshold, detail FROM verdicts "
        "WHERE doc_id = ? ORDER BY stage, position",
        "repeated_by": f"SELECT doc_id, similarity, method FROM {repeats} "
        "WHERE kept_doc_id = ? ORDER BY doc_id",
        **told,
    }
    found = {name: rows(connection, sql, [doc_id]) for name, sql in queries.items()}
    return {noun: raw[0], **found}


def dialogue_lines(passport: dict[str, Any]) -> Iterator[str]:
    """The passport of a dialogue as lines to read."""
    dialogue = passport["dialogue"]
    origin = dialogue["origin"]
    yield f"{dialogue['doc_id']}  {dialogue['kind']}"
    yield f"  origin           {origin['file']} at {origin['offset']}"
    yield f"  licence          {dialogue['license'] or 'unknown'}"
    for turn in dialogue["turns"]:
        yield f"  {turn['role']:16} {turn['content'][:100]!r}"
    yield from verdict_lines(passport)
    for each in passport["selected"]:
        yield f"  selected         by {each['reason']}, place {each['rank']}"
    for each in passport["mix"]:
        yield f"  instruction_mix  {each['split']}, position {each['position']}"


def verdict_lines(passport: dict[str, Any]) -> Iterator[str]:
    """What repeats a dialogue or a pair, and what every stage said of it."""
    for copy in passport["repeated_by"]:
        yield f"  repeated by      {copy['doc_id']} ({copy['method']}, {copy['similarity']:.3f})"
    for each in passport["verdicts"]:
        done = "flagged" if each["kept"] else "removed"
        numbers = "".join(f", {name} {each[name]:g}" for name in ("value", "threshold")
                          if each[name] is not None)  # fmt: skip
        why = f"{each['reason']}{numbers} {each['detail'] or ''}".rstrip()
        yield f"  {each['stage']}: {done}: {why}"
