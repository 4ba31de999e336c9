"""A document's passport: its text with every change marked, its signals beside their bounds."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from llm_data_assets.config.pipeline import Rule
from llm_data_assets.explain import explain_document
from llm_data_assets.instruction_report import explain_dialogue
from llm_data_assets.lake.catalog import literal
from llm_data_assets.media_report import explain_pair
from llm_data_assets.stages.filter_rules import rules_of
from llm_data_assets.studio.pages.branch_passports import of_dialogue, of_pair
from llm_data_assets.studio.reader import Reader, Row
from llm_data_assets.text.personal_data import mask_shown

_SHOWN = 20_000  # characters of a text, unless all are asked for


def page(reader: Reader, query: Mapping[str, str]) -> dict[str, Any]:
    """The passport of `id`: a document, a dialogue or a pair; without one, some to begin with."""
    doc_id = query.get("id", "").strip()
    passport = dialogue = pair = None
    if doc_id:
        with reader.cursor() as cursor:
            passport = explain_document(cursor, doc_id)
            if passport is None:
                dialogue = explain_dialogue(cursor, doc_id)
            if passport is None and dialogue is None:
                pair = explain_pair(cursor, doc_id)
    shown = {"asked": doc_id, "passport": None, "dialogue": None, "pair": None}
    if dialogue is not None:
        return {**shown, **of_dialogue(reader, dialogue)}
    if pair is not None:
        return {**shown, **of_pair(reader, pair)}
    if passport is None:
        return {**shown, "panels": _some(reader)}
    named = literal(doc_id)
    text = reader.panel(
        "text",
        "Text",
        f"SELECT text, title, url FROM raw_corpus WHERE doc_id = {named}",
    )
    with reader.cursor() as cursor:
        raw = cursor.execute(f"SELECT text FROM raw_corpus WHERE doc_id = {named}").fetchone()
    signals = reader.panel(
        "signals",
        "Signals beside their bounds",
        f"""FROM (SELECT * FROM quality_signals WHERE doc_id = {named}
      UNION ALL BY NAME SELECT * FROM removed_signals WHERE doc_id = {named})""",
        fill="llm-data run --to quality_signals",
    )
    whole = (raw[0] if raw else "") or ""
    part = whole[: None if query.get("all") else _SHOWN]
    return {
        **shown,
        "panels": [text, signals],
        "passport": passport,
        "restricted_to": reader.workspace.hidden.get(passport["document"]["source"], []),
        "marked": marked(part, _marks(reader, named), reader.reveal),
        "cut": len(whole) > len(part),
        "gauges": gauges(reader, passport, signals.rows[0]) if signals.rows else [],
        "partner": _partner(passport),
    }


def marked(text: str, marks: list[tuple[int, int, str]], reveal: bool) -> list[tuple[str, str]]:
    """(piece, what marks it) in order; personal data is one masked piece unless revealed.

    Args:
        text: as raw_corpus has it.
        marks: (first character, past the last, name), may overlap.
        reveal: leave personal data as it stands.
    """
    masks = {} if reveal else {edit.start: edit for edit in mask_shown(text)[1]}
    hidden = [(edit.start, edit.start + edit.length) for edit in masks.values()]
    ends = {0, len(text), *(e for pair in hidden for e in pair)}
    ends |= {min(e, len(text)) for start, end, _ in marks for e in (start, end)}
    pieces = []
    places = sorted(ends)
    for start, end in pairwise(places):
        names = " + ".join(dict.fromkeys(n for a, b, n in marks if a <= start and end <= b))
        if start in masks:
            pieces.append((masks[start].replacement, names or "masked"))
        elif not any(a <= start and end <= b for a, b in hidden):
            pieces.append((text[start:end], names))
    return pieces


def _marks(reader: Reader, named: str) -> list[tuple[int, int, str]]:
    rows = reader.rows(
        f"""SELECT start, length, kind FROM edits
WHERE doc_id = {named} AND stage = 'filtered_corpus'
UNION ALL SELECT start, length, 'benchmark: ' || question_id FROM contamination
WHERE doc_id = {named}
UNION ALL SELECT start, length, kind FROM repeated_spans WHERE doc_id = {named}"""
    )
    return [(row["start"], row["start"] + row["length"], row["kind"]) for row in rows]


def gauges(reader: Reader, passport: Mapping[str, Any], signals: Row) -> list[Row]:
    """Each rule with a bound that applies to the document: value, bounds, whether it held."""
    document = {
        **passport["document"],
        **signals,
        "domain": reader.workspace.catalog.model.sources[passport["document"]["source"]].domain
        if passport["document"]["source"] in reader.workspace.catalog.model.sources
        else "",
    }
    found = []
    for rule in rules_of(reader.workspace):
        value = signals.get(rule.signal)
        if not isinstance(value, int | float) or not _applies(rule, document):
            continue
        held = not (rule.min is not None and value < rule.min) and not (
            rule.max is not None and value > rule.max
        )
        found.append(
            {"rule": rule.name, "signal": rule.signal, "value": float(value), "min": rule.min,
             "max": rule.max, "held": held, **_scale(float(value), rule)}
        )  # fmt: skip
    return sorted(found, key=lambda each: each["held"])


def _applies(rule: Rule, document: Mapping[str, Any]) -> bool:
    return all(str(document.get(name)) in values for name, values in rule.when.items()) and not any(
        str(document.get(name)) in values for name, values in rule.unless.items()
    )


def _scale(value: float, rule: Rule) -> Row:
    """Shares of the gauge's width: where the value and the allowed range lie."""
    bounds = [bound for bound in (rule.min, rule.max) if bound is not None]
    top = max(1.25 * max([value, *bounds]), 1e-9)
    return {
        "at": max(0.0, value / top),
        "low": max(0.0, (rule.min or 0) / top),
        "high": 1.0 if rule.max is None else max(0.0, rule.max / top),
    }


def _partner(passport: Mapping[str, Any]) -> str | None:
    removed = passport["removed"]
    return removed["detail"] if removed and removed["stage"] == "deduped_corpus" else None


def _some(reader: Reader) -> list[Any]:
    return [
        reader.panel(
            "documents",
            "Documents to begin with",
            """SELECT doc_id, title, n_bytes FROM raw_corpus
WHERE doc_id IN (SELECT doc_id FROM raw_corpus ORDER BY hash(doc_id) LIMIT 20)
ORDER BY doc_id""",
        ),
        reader.panel(
            "dialogues",
            "Dialogues to begin with",
            """SELECT doc_id, kind, language, len(turns) AS turns, n_bytes FROM raw_instructions
WHERE doc_id IN (SELECT doc_id FROM raw_instructions ORDER BY hash(doc_id) LIMIT 20)
ORDER BY doc_id""",
        ),
        reader.panel(
            "pairs",
            "Pairs to begin with",
            """SELECT doc_id, kind, says, language, caption AS text FROM raw_pairs
WHERE doc_id IN (SELECT doc_id FROM raw_pairs ORDER BY hash(doc_id) LIMIT 20)
ORDER BY doc_id""",
        ),
    ]
