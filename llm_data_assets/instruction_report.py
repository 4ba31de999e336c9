"""`llm-data instructions`: what became of every dialogue, on one page."""

from typing import Any

import duckdb

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
    return {
        name: connection.sql(sql).to_arrow_table().to_pylist() for name, sql in _QUERIES.items()
    }
