"""Instruction selection: what was picked of the dialogues, once there are some."""

from collections.abc import Mapping
from typing import Any

from llm_data_assets.studio.reader import Panel, Reader


def page(reader: Reader, query: Mapping[str, str]) -> dict[str, Any]:
    """The funnel of instructions, of a home whose catalog publishes that model."""
    sql = "SELECT * FROM instruction_funnel ORDER BY ALL"
    there = reader.rows(
        "SELECT view_name FROM duckdb_views() WHERE view_name = 'instruction_funnel'"
    )
    rows = reader.rows(sql) if there else []
    return {"panels": [Panel("funnel", "Dialogues left after each stage", sql, rows)]}
