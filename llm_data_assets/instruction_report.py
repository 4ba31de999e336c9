"""`llm-data instructions`: what became of every dialogue, on one page."""

from collections.abc import Iterator
from typing import Any

import duckdb

from llm_data_assets.lake.catalog import rows

_QUERIES = {
    "stages": """
        PIVOT (SELECT source, stage, docs FROM instruction_funnel) ON stage IN
        ('raw_instructions', 'deduped_instructions', 'scored_instructions', 'selected_instructions')
        USING first(docs) ORDER BY source""",
    "left": """
        SELECT source, stage, reason, count(*) AS rows, round(avg(value), 3) AS mean_value,
               any_value(threshold) AS threshold
        FROM verdicts WHERE NOT kept AND position = 0
          AND stage IN ('deduped_instructions', 'selected_instructions')
        GROUP BY ALL ORDER BY source, stage, rows DESC, reason""",
    "rejects": """
        SELECT source, split_part(error, ':', 1) AS reason, count(*) AS rows
        FROM rejects SEMI JOIN (SELECT DISTINCT source FROM instruction_funnel) USING (source)
        GROUP BY ALL ORDER BY ALL""",
    "figures": """
        SELECT source, metric, key, round(value, 3) AS value
        FROM selection_report ORDER BY source, metric, key""",
    "files": """
        SELECT file, rows, n_skipped AS skipped, n_bytes AS bytes
        FROM instruction_files ORDER BY file""",
}


def report(connection: duckdb.DuckDBPyConnection) -> dict[str, list[dict[str, Any]]]:
    """Tables of the page, by name."""
    return {name: rows(connection, sql, []) for name, sql in _QUERIES.items()}


def explain_dialogue(connection: duckdb.DuckDBPyConnection, doc_id: str) -> dict[str, Any] | None:
    """Everything the tables say of one dialogue; None if they do not know it."""
    raw = rows(connection, "SELECT * FROM raw_instructions WHERE doc_id = ?", [doc_id])
    if not raw:
        return None
    told = {
        "verdicts": "SELECT stage, kept, reason, value, threshold, detail FROM verdicts "
        "WHERE doc_id = ? ORDER BY stage, position",
        "scores": "SELECT * EXCLUDE (source, doc_id) FROM scored_instructions WHERE doc_id = ?",
        "repeated_by": "SELECT doc_id, similarity, method FROM instruction_duplicates "
        "WHERE kept_doc_id = ? ORDER BY doc_id",
        "selected": "SELECT * EXCLUDE (source, doc_id) FROM selected_instructions WHERE doc_id = ?",
        "mix": "SELECT split, position FROM instruction_mix WHERE doc_id = ?",
    }
    return {"dialogue": raw[0]} | {
        name: rows(connection, sql, [doc_id]) for name, sql in told.items()
    }


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
