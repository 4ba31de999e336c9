"""The SQL box, and what it can be asked about."""

from collections.abc import Mapping
from typing import Any

from llm_data_assets.studio.reader import Panel, Reader
from llm_data_assets.studio.sql_box import MOST_ROWS, SECONDS, ask

_FIRST = """SELECT stage, sum(docs) AS docs, sum(tokens) AS tokens
FROM funnel GROUP BY stage ORDER BY docs DESC"""


def page(reader: Reader, query: Mapping[str, str]) -> dict[str, Any]:
    """The answer to `q`, and the tables that can be read."""
    asked = query.get("q", "")
    answer = ask(reader, asked) if asked.strip() else None
    rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows] if answer else []
    tables = reader.panel(
        "tables",
        "Tables and models",
        """SELECT table_name AS "table", count(*) AS columns,
       string_agg(column_name, ', ' ORDER BY column_index) AS names
FROM duckdb_columns() WHERE schema_name = 'main' AND NOT internal
GROUP BY ALL ORDER BY 1""",
    )
    return {
        "panels": [tables, Panel("answer", "Answer", asked, rows)],
        "asked": asked or _FIRST,
        "answer": answer,
        "most_rows": MOST_ROWS,
        "seconds": SECONDS,
    }
