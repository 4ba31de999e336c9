"""`llm-data media`: what became of every pair, on one page."""

from collections.abc import Iterator
from typing import Any

import duckdb

from llm_data_assets.instruction_report import passport_of, verdict_lines
from llm_data_assets.lake.catalog import rows

_QUERIES = {
    "stages": """
        PIVOT (SELECT source, stage, docs FROM branch_survival
               WHERE branch = 'media' AND reason IS NULL)
        ON stage IN ('raw_pairs', 'deduped_pairs', 'filtered_pairs')
        USING first(docs) ORDER BY source""",
    "left": """
        SELECT source, stage, reason, pairs, round(mean_value, 3) AS mean_value, threshold
        FROM media_reasons ORDER BY source, stage, pairs DESC, reason""",
    "flagged": """
        SELECT source, reason, count(*) AS pairs FROM verdicts
        WHERE kept AND stage = 'filtered_pairs' GROUP BY ALL ORDER BY source, pairs DESC, reason""",
    "rejects": """
        SELECT source, split_part(error, ':', 1) AS reason, count(*) AS records
        FROM rejects SEMI JOIN
             (SELECT DISTINCT source FROM branch_survival WHERE branch = 'media') USING (source)
        GROUP BY ALL ORDER BY ALL""",
    "left_over": """
        SELECT source, kind, pairs, round(hours, 3) AS hours, median_pixels, caption_bytes
        FROM media_contents ORDER BY ALL""",
}


def report(connection: duckdb.DuckDBPyConnection) -> dict[str, list[dict[str, Any]]]:
    """Tables of the page, by name."""
    return {name: rows(connection, sql, []) for name, sql in _QUERIES.items()}


def explain_pair(connection: duckdb.DuckDBPyConnection, doc_id: str) -> dict[str, Any] | None:
    """Everything the tables say of one pair; None if they do not know it."""
    told = {
        "signals": "SELECT * EXCLUDE (source, doc_id) FROM pair_signals WHERE doc_id = ?",
        "filtered": "SELECT * EXCLUDE (source, doc_id) FROM filtered_pairs WHERE doc_id = ?",
    }
    return passport_of(connection, doc_id, "pair", ("raw_pairs", "pair_duplicates"), told)


def pair_lines(passport: dict[str, Any]) -> Iterator[str]:
    """The passport of a pair as lines to read."""
    pair = passport["pair"]
    origin = pair["origin"]
    yield f"{pair['doc_id']}  {pair['kind']}"
    yield f"  origin           {origin['file']} at {origin['offset']}"
    yield f"  licence          {pair['license'] or 'unknown'}"
    yield f"  {'address' if pair['url'] else 'file':16} {pair['url'] or pair['path']}"
    if pair["width"] and pair["height"]:
        yield f"  size             {pair['width']} x {pair['height']} pixels"
    if pair["seconds"] is not None:
        yield f"  length           {pair['seconds']:g} seconds"
    yield f"  {pair['says']:16} {pair['caption'][:100]!r}"
    yield from verdict_lines(passport)
    if passport["filtered"]:
        yield "  filtered_pairs: stays"
