"""Passports of the branches beside text: of a dialogue, and of a pair of media."""

from collections.abc import Mapping
from typing import Any

from llm_data_assets.lake.catalog import literal
from llm_data_assets.studio.reader import Reader, Row


def of_dialogue(reader: Reader, passport: Mapping[str, Any]) -> dict[str, Any]:
    """The turns of a dialogue, its scores beside the bounds that removed it, its stages."""
    told = passport["dialogue"]
    named = literal(told["doc_id"])
    turns = reader.panel(
        "turns",
        "Turns",
        f"""WITH said AS (
    SELECT 'chosen' AS answer, unnest(turns, recursive := true), generate_subscripts(turns, 1)
           AS place FROM raw_instructions WHERE doc_id = {named}
    UNION ALL
    SELECT 'rejected', unnest(rejected, recursive := true), generate_subscripts(rejected, 1)
    FROM raw_instructions WHERE doc_id = {named}
)
SELECT answer, place, role, "name", content AS text FROM said ORDER BY answer, place""",
    )
    scores = reader.panel(
        "scores",
        "Scores",
        f"SELECT * EXCLUDE (source, doc_id) FROM scored_instructions WHERE doc_id = {named}",
        fill="llm-data run --to scored_instructions",
    )
    failed = {row["reason"]: row for row in passport["verdicts"]}
    return {
        "panels": [turns, scores],
        "dialogue": {**passport, "removed": _removed(passport)},
        "scores": [
            (name, value, failed.get(name))
            for name, value in (scores.rows[0] if scores.rows else {}).items()
            if value is not None and value != []
        ],
    }


def of_pair(reader: Reader, passport: Mapping[str, Any]) -> dict[str, Any]:
    """The caption of a pair, its signals and the publisher's scores, and what every stage said."""
    named = literal(passport["pair"]["doc_id"])
    caption = reader.panel(
        "caption",
        passport["pair"]["says"].capitalize(),
        f"SELECT caption AS text, url, path, meta FROM raw_pairs WHERE doc_id = {named}",
    )
    signals = reader.panel(
        "signals",
        "Signals and scores",
        f"SELECT * EXCLUDE (source, doc_id) FROM pair_signals WHERE doc_id = {named}",
        fill="llm-data run --to filtered_pairs",
    )
    measured = dict(signals.rows[0]) if signals.rows else {}
    scores = measured.pop("scores", None) or []
    return {
        "panels": [caption, signals],
        "pair": {**passport, "removed": _removed(passport)},
        "verdicts": [
            {**row, "detail": reader.masked("detail", row["detail"])}
            for row in passport["verdicts"]
        ],
        "measured": [
            *((name, value) for name, value in measured.items() if value is not None),
            *((each["name"], each["value"]) for each in scores),
        ],
    }


def _removed(passport: Mapping[str, Any]) -> Row | None:
    return next((row for row in passport["verdicts"] if not row["kept"]), None)
