"""Instruction selection: what is left of the dialogues, what was picked, and what that covers."""

from collections.abc import Mapping
from typing import Any

from llm_data_assets.lake.catalog import quote
from llm_data_assets.studio.charts import scatter
from llm_data_assets.studio.reader import Panel, Reader

_DOTS = 800  # dialogues drawn, by a hash of their names
_FILL = "llm-data sources add NAME --format sharegpt --uri FILE, then llm-data run"


def page(reader: Reader, query: Mapping[str, str]) -> dict[str, Any]:
    """The funnel, quality against diversity by picked or not, task types and covered figures."""
    funnel = reader.panel(
        "funnel",
        "Dialogues left after each stage",
        "SELECT * FROM instruction_funnel ORDER BY source, docs DESC, stage",
        fill=_FILL,
    )
    tasks = reader.panel(
        "tasks",
        "Picked by task type",
        """SELECT source, task_type, count(*) AS picked, count(DISTINCT cluster) AS clusters,
       avg(score) AS mean_score, avg(nearest) AS mean_nearest
FROM selected_instructions GROUP BY ALL ORDER BY ALL""",
        note="Nearest is the cosine to the closest dialogue picked before: lower is more diverse.",
        fill=_FILL,
    )
    report = reader.panel(
        "coverage",
        "What the selection covers",
        "SELECT source, metric, key, value FROM selection_report ORDER BY ALL",
        fill=_FILL,
    )
    axes = _axes(reader)
    across, up = (
        asked if asked in axes else usual
        for asked, usual in ((query.get("across"), "concept_density"), (query.get("up"), "quality"))
    )
    spread = _spread(reader, across, up)
    dots = [(float(r["x"]), float(r["y"]), bool(r["picked"])) for r in spread.rows]
    return {
        "panels": [funnel, spread, tasks, report],
        "axes": axes,
        "across": across,
        "up": up,
        "picture": scatter(dots, across=across, up=up) if dots else "",
    }


def _axes(reader: Reader) -> list[str]:
    """Scores that can be drawn: columns of numbers."""
    return [
        row["column_name"]
        for row in reader.rows(
            "SELECT column_name FROM duckdb_columns() WHERE table_name = 'scored_instructions' "
            "AND data_type IN ('FLOAT', 'DOUBLE', 'INTEGER', 'BIGINT') ORDER BY column_index"
        )
    ]


def _spread(reader: Reader, across: str, up: str) -> Panel:
    return reader.panel(
        "spread",
        "Picked and not",
        f"""SELECT doc_id, source, {quote(across)} AS x, {quote(up)} AS y,
       doc_id IN (SELECT doc_id FROM selected_instructions) AS picked
FROM scored_instructions WHERE x IS NOT NULL AND y IS NOT NULL
ORDER BY md5(doc_id), doc_id LIMIT {_DOTS}""",
        note=f"{_DOTS} dialogues at most, always the same. Filled is picked, hollow is not.",
        fill=_FILL,
    )
