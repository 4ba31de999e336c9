"""Compare: two versions of the filter: retention, settings, rules, drift, whose fate changed."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from llm_data_assets.config.difference import differences
from llm_data_assets.lake.catalog import literal
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.schemas import FILTERED_CORPUS, STAGE_STATS, VERDICTS
from llm_data_assets.stages.versions import made_name
from llm_data_assets.studio.reader import Panel, Reader, Row, where

STAGE = FILTERED_CORPUS.name
# The filter and all that it is made from; a test holds it to the graph, which brings every kernel.
MADE_FROM = (
    "raw_corpus", "evaluation_sets", "document_signatures", "duplicates", "deduped_corpus",
    "signal_models", "quality_signals", "repeated_spans", "contamination", STAGE,
)  # fmt: skip
_SHOWN = 50
_LONG = 200  # characters of a setting


def page(reader: Reader, query: Mapping[str, str]) -> dict[str, Any]:
    """Version `a` of filtered_corpus of `source` against version `b`; the newest two by default."""
    versions = reader.panel(
        "versions",
        "Materialisations",
        f"""SELECT table_version AS version, source, ts, docs_in, docs, bytes,
       round(seconds, 1) AS seconds, left(config_hash, 8) AS settings,
       left(data_version, 8) AS content
FROM stage_history {where(stage=STAGE)} ORDER BY ts DESC, source LIMIT 200""",
        fill="llm-data run --to filtered_corpus",
    )
    sources = sorted({row["source"] for row in versions.rows if row["source"]})
    source = query.get("source") or _first(sources, versions.rows)
    mine = [row for row in versions.rows if row["source"] == source]
    times = {row["version"]: row["ts"] for row in mine}
    numbers = [row["version"] for row in mine]
    newer = _chosen(query.get("b"), numbers, 0)
    older = _chosen(query.get("a"), numbers, 1)
    changes = []
    if older is not None and newer is not None:
        changes = [
            _settings(reader, source, times[older], times[newer]),
            *_changes(reader, source, older, newer, times),
        ]
    return {
        "panels": [_retention(reader), *changes, _drift(reader, source), versions],
        "source": source,
        "sources": sources,
        "numbers": numbers,
        "a": older,
        "b": newer,
        "sides": [next((row for row in mine if row["version"] == v), None) for v in (older, newer)],
    }


def _first(sources: list[str], rows: list[Row]) -> str:
    """A source whose last two versions differ most in documents, else any."""

    def change(source: str) -> int:
        docs = [row["docs"] for row in rows if row["source"] == source]
        return abs(docs[0] - docs[1]) if len(docs) > 1 else -1

    return max(sources, key=change, default="")


def _chosen(told: str | None, numbers: list[int], place: int) -> int | None:
    if told and told.isdigit() and int(told) in numbers:
        return int(told)
    return numbers[place] if len(numbers) > place else None


def _retention(reader: Reader) -> Panel:
    return reader.panel(
        "retention",
        "Retention by source",
        f"""WITH versions AS (
    SELECT * FROM stage_history WHERE stage = {literal(STAGE)}
)
SELECT source, before.docs / nullif(before.docs_in, 0) AS share_before,
       after.docs / nullif(after.docs_in, 0) AS share_after,
       share_after - share_before AS change,
       before.docs AS docs_before, after.docs AS docs_after,
       before.config_hash <> after.config_hash AS settings_differ
FROM (FROM versions WHERE back = 1) AS before JOIN (FROM versions WHERE back = 0) AS after
    USING (source)
ORDER BY abs(change) DESC NULLS LAST, source""",
        note="Share of documents that the filter keeps: the newest two materialisations of each.",
    )


def _drift(reader: Reader, source: str) -> Panel:
    return reader.panel(
        "drift",
        f"Drift of the signals of {source}" if source else "Drift",
        f"""SELECT signal, psi_beyond_chance, js, bound, warns, baseline_version, version
FROM signal_drift {where(source=source)} ORDER BY psi_beyond_chance DESC, signal LIMIT 20""",
        note="The newest measurement against the one before; PSI beyond what two samples of one "
        "distribution show.",
        fill="llm-data run --to quality_signals",
    )


def _settings(reader: Reader, source: str, older: datetime, newer: datetime) -> Panel:
    """Every setting of the filter, and of the stages before it, that two moments had otherwise."""
    listed = ", ".join(map(literal, MADE_FROM))
    made = f"""SELECT stage, arg_max({{'digest': config_hash, 'json': settings}}, ts) AS made
FROM stage_history
WHERE stage IN ({listed}) AND (source IS NULL OR source = {literal(source)})
    AND ts <= """
    sql = f"""WITH a AS ({made}{literal(str(older))} GROUP BY stage),
b AS ({made}{literal(str(newer))} GROUP BY stage)
SELECT stage, a.made.json AS before, b.made.json AS after FROM a FULL JOIN b USING (stage)
WHERE a.made.digest IS DISTINCT FROM b.made.digest"""
    found = [
        {"stage": row["stage"], "setting": place or "settings", "before": _written(one),
         "after": _written(other)}
        for row in sorted(reader.rows(sql), key=lambda row: -MADE_FROM.index(row["stage"]))
        for place, one, other in _told(row["before"], row["after"])
    ]  # fmt: skip
    return Panel(
        "settings",
        "Settings that differ",
        sql,
        found,
        note="Of the filter and of every stage before it, as each was made last before the two.",
    )


def _told(before: str | None, after: str | None) -> list[tuple[str, Any, Any]]:
    if before is None or after is None:
        return [("not noted for one of the two", before, after)]
    one, other = json.loads(before), json.loads(after)
    code = ("code_version", one["code_version"], other["code_version"])
    return [
        *([code] if code[1] != code[2] else []),
        *differences(one["settings"], other["settings"]),
    ]


def _written(value: Any) -> str:
    """A setting as YAML's flow style has it, cut where it is long."""
    if value is None:
        return "not set"
    if isinstance(value, float):
        return f"{value:g}"
    told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return told if len(told) <= _LONG else f"{told[:_LONG]}…"


def _changes(
    reader: Reader, source: str, older: int, newer: int, times: Mapping[int, datetime]
) -> list[Panel]:
    """Rules that count otherwise in the two versions, and documents that only one of them has."""
    lake = Lake(reader.workspace.home / "lake")
    notes = {note["made"]: json.loads(note["tables"]) for note in lake.notes(STAGE_STATS)
             if "made" in note}  # fmt: skip
    kept = {v: lake.files(FILTERED_CORPUS, {"source": source}, v) for v in (older, newer)}
    told = {
        v: lake.files(VERDICTS, {"source": source, "stage": STAGE},
                      notes.get(made_name(STAGE, source, times[v]), {}).get(VERDICTS.name))
        for v in (older, newer)
    }  # fmt: skip
    if not all(file.exists() for found in (kept, told) for v in found for file in found[v]):
        return [Panel("flipped", "Changed verdicts", "", [], "An older version was collected.")]
    decided = f"""a AS ({_verdicts(told[older])}),
b AS ({_verdicts(told[newer])})"""
    rules = reader.panel(
        "rules",
        "Rules that differ",
        f"""WITH {decided},
before AS (SELECT reason, any_value(threshold) AS threshold, count(*) AS docs FROM a GROUP BY ALL),
after AS (SELECT reason, any_value(threshold) AS threshold, count(*) AS docs FROM b GROUP BY ALL)
SELECT reason, before.threshold AS bound_before, after.threshold AS bound_after,
       coalesce(before.docs, 0) AS docs_before, coalesce(after.docs, 0) AS docs_after
FROM before FULL JOIN after USING (reason)
WHERE bound_before IS DISTINCT FROM bound_after OR docs_before <> docs_after
ORDER BY abs(docs_after - docs_before) DESC, reason""",
        note="As their verdicts tell: a rule that removed nothing in either does not appear.",
    )
    flipped = reader.panel(
        "flipped",
        "Changed verdicts",
        f"""WITH {decided},
one AS ({_ids(kept[older])}), other AS ({_ids(kept[newer])}),
flipped AS (
    SELECT doc_id, 'came back' AS change FROM other ANTI JOIN one USING (doc_id)
    UNION ALL SELECT doc_id, 'went' FROM one ANTI JOIN other USING (doc_id)
)
SELECT flipped.doc_id, change, reason, value, threshold
FROM flipped LEFT JOIN (
    SELECT 'came back' AS change, * FROM a UNION ALL SELECT 'went', * FROM b
) AS decisions USING (doc_id, change)
ORDER BY change, flipped.doc_id LIMIT {_SHOWN}""",
        note="Documents that one version has and the other has not, with what removed them: "
        "the former version's rule for those that came back. "
        "Without one, the document came, went or was a duplicate.",
    )
    return [rules, flipped]


def _verdicts(files: list[Any]) -> str:
    columns = "doc_id, reason, value, threshold"
    if not files:
        return "SELECT '' AS doc_id, '' AS reason, 0.0 AS value, 0.0 AS threshold LIMIT 0"
    return f"SELECT {columns} FROM {_read(files)} WHERE NOT kept AND position = 0"


def _ids(files: list[Any]) -> str:
    return f"SELECT doc_id FROM {_read(files)}" if files else "SELECT '' AS doc_id LIMIT 0"


def _read(files: list[Any]) -> str:
    return f"read_parquet([{', '.join(literal(str(file)) for file in files)}])"
