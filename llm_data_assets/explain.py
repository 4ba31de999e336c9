"""A document's passport: where it came from, what was changed, why it left or where it went."""

from collections.abc import Iterator
from typing import Any

import duckdb

from llm_data_assets.lake.catalog import rows

_SHOWN = 10  # positions in the lines to read; JSON has all


def explain_document(connection: duckdb.DuckDBPyConnection, doc_id: str) -> dict[str, Any] | None:
    """Everything the tables say of one document; None if they do not know it."""

    def told(sql: str) -> list[dict[str, Any]]:
        return rows(connection, sql, [doc_id])

    raw = told(
        "SELECT * EXCLUDE (text), left(text, 200) AS beginning FROM raw_corpus WHERE doc_id = ?"
    )
    if not raw:
        return None
    verdicts = told(
        "SELECT stage, kept, reason, position, value, threshold, detail FROM verdicts "
        "WHERE doc_id = ? ORDER BY stage, position"
    )
    return {
        "document": raw[0],
        "edits": told(
            "SELECT stage, kind, start, length, replacement FROM edits WHERE doc_id = ? "
            "ORDER BY stage, start"
        ),
        "verdicts": verdicts,
        "questions": told(
            "SELECT question_id, start, length, units, question_share FROM contamination "
            "WHERE doc_id = ? ORDER BY question_share DESC, question_id, start"
        ),
        "removed": next(
            (each for each in verdicts if not each["kept"] and each["position"] == 0), None
        ),
        "repeated_by": told(
            "SELECT doc_id, similarity, method FROM duplicates WHERE kept_doc_id = ? "
            "ORDER BY doc_id"
        ),
        "tokens": told("SELECT n_tokens, n_unknown FROM tokenized_corpus WHERE doc_id = ?"),
        "positions": told(
            """SELECT recipe, list(DISTINCT position ORDER BY position) AS positions
            FROM sequences JOIN mixed_corpus USING (recipe, source, sequence)
            WHERE doc_id = ? GROUP BY recipe ORDER BY recipe"""
        ),
    }


def passport_lines(passport: dict[str, Any]) -> Iterator[str]:
    """The passport as lines to read."""
    document = passport["document"]
    origin = document["origin"]
    yield f"{document['doc_id']}  {document['title'] or ''}"
    yield f"  origin           {origin['file']} at {origin['offset']}"
    yield f"  licence          {document['license'] or 'unknown'}"
    yield f"  raw_corpus       {document['n_bytes']:,} bytes"
    yield from _edit_lines(passport, "raw_corpus")
    removed = passport["removed"]
    for copy in passport["repeated_by"]:
        yield f"  repeated by      {copy['doc_id']} ({copy['method']}, {copy['similarity']:.3f})"
    if removed and removed["stage"] == "deduped_corpus":
        bound = "" if removed["threshold"] is None else f" (threshold {removed['threshold']:g})"
        yield (
            f"  deduped_corpus   removed: {removed['reason']} duplicate of {removed['detail']}, "
            f"similarity {removed['value']:.3f}{bound}"
        )
        return
    yield "  deduped_corpus   stays"
    for each in passport["questions"]:
        yield (
            f"  contamination    holds {each['question_share']:.0%} of {each['question_id']}: "
            f"{each['units']} words at {each['start']}"
        )
    for verdict in passport["verdicts"]:
        if verdict["stage"] == "filtered_corpus":
            yield f"  filtered_corpus  {_verdict(verdict)}"
    if removed:
        return
    yield "  filtered_corpus  stays"
    yield from _edit_lines(passport, "filtered_corpus")
    for each in passport["tokens"]:
        yield f"  tokenized_corpus {each['n_tokens']:,} tokens, {each['n_unknown']} unknown"
    for each in passport["positions"]:
        shown = ", ".join(f"{position}" for position in each["positions"][:_SHOWN])
        more = len(each["positions"]) - _SHOWN
        yield (
            f"  mixed_corpus     recipe {each['recipe']}: at position {shown}"
            + (f" and {more} more" if more > 0 else "")
        )


def _edit_lines(passport: dict[str, Any], stage: str) -> Iterator[str]:
    for edit in passport["edits"]:
        if edit["stage"] == stage:
            yield f"    edited: {edit['kind']}, {edit['length']} characters at {edit['start']}"


def _verdict(verdict: dict[str, Any]) -> str:
    word = "flagged" if verdict["kept"] else "removed" if verdict["position"] == 0 else "also fails"
    value = verdict["detail"] if verdict["value"] is None else f"{verdict['value']:.4g}"
    bound = "" if verdict["threshold"] is None else f" (threshold {verdict['threshold']:g})"
    return f"{word}: {verdict['reason']}, value {value}{bound}"
