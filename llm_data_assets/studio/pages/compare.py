"""Compare: what two materialisations of a stage gave, source by source, and whose fate changed."""

from collections.abc import Mapping
from typing import Any

from llm_data_assets.lake.catalog import literal
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.schemas import FILTERED_CORPUS
from llm_data_assets.studio.reader import Panel, Reader, Row, where

STAGE = FILTERED_CORPUS.name
_SHOWN = 50


def page(reader: Reader, query: Mapping[str, str]) -> dict[str, Any]:
    """Version `a` of filtered_corpus of `source` against version `b`; the newest two by default."""
    versions = reader.panel(
        "versions",
        "Materialisations",
        f"""SELECT table_version AS version, source, ts, docs_in, docs, bytes, seconds,
       config_hash, data_version
FROM stage_stats {where(stage=STAGE)} ORDER BY ts DESC, source LIMIT 200""",
        fill="llm-data run --to filtered_corpus",
    )
    sources = sorted({row["source"] for row in versions.rows if row["source"]})
    source = query.get("source") or _first(sources, versions.rows)
    mine = [row for row in versions.rows if row["source"] == source]
    numbers = [row["version"] for row in mine]
    newer = _chosen(query.get("b"), numbers, 0)
    older = _chosen(query.get("a"), numbers, 1)
    changes = (
        _changes(reader, source, older, newer) if older is not None and newer is not None else []
    )
    return {
        "panels": [versions, *changes],
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


def _changes(reader: Reader, source: str, older: int, newer: int) -> list[Panel]:
    """Documents that one version has and the other has not, and reasons counted in both."""
    lake = Lake(reader.workspace.home / "lake")
    place = {"source": source}
    files = {v: lake.files(FILTERED_CORPUS, place, v) for v in (older, newer)}
    if not all(file.exists() for found in files.values() for file in found):
        return [Panel("flipped", "Changed verdicts", "", [], "An older version was purged.")]
    one, other = (_ids(files[version]) for version in (older, newer))
    flipped = reader.panel(
        "flipped",
        "Changed verdicts",
        f"""WITH a AS ({one}), b AS ({other}),
flipped AS (
    SELECT doc_id, CASE WHEN a.doc_id IS NULL THEN 'came back' ELSE 'went' END AS change
    FROM (SELECT doc_id FROM a) AS a FULL JOIN (SELECT doc_id FROM b) AS b USING (doc_id)
    WHERE a.doc_id IS NULL OR b.doc_id IS NULL
)
SELECT flipped.doc_id, change, reason, value, threshold
FROM flipped LEFT JOIN (SELECT * FROM verdicts WHERE source = {literal(source)}
                        AND NOT kept AND position = 0) AS verdicts USING (doc_id)
ORDER BY change, flipped.doc_id LIMIT {_SHOWN}""",
        note="Documents that one version has and the other has not; the reason is today's.",
    )
    return [flipped]


def _ids(files: list[Any]) -> str:
    listed = ", ".join(literal(str(file)) for file in files)
    return (
        f"SELECT doc_id FROM read_parquet([{listed}])" if files else "SELECT '' AS doc_id LIMIT 0"
    )
