"""Rows of a branch as dots over two of their columns: filled if they stay, hollow if not."""

from collections.abc import Mapping
from typing import Any

from llm_data_assets.lake.catalog import literal, quote
from llm_data_assets.studio.charts import scatter
from llm_data_assets.studio.reader import Reader
from llm_data_assets.studio.shown import address

_DOTS = 800  # rows drawn, by a hash of their names


def numeric_columns(reader: Reader, table: str) -> list[str]:
    """The columns of a table that can be drawn."""
    return [
        row["column_name"]
        for row in reader.rows(
            f"SELECT column_name FROM duckdb_columns() WHERE table_name = {literal(table)} "
            "AND data_type IN ('FLOAT', 'DOUBLE', 'INTEGER', 'BIGINT') ORDER BY column_index"
        )
    ]


def spread(
    reader: Reader,
    query: Mapping[str, str],
    *,
    relation: str,
    stays: str,
    axes: list[str],
    usual: tuple[str, str],
    noun: str,
    word: str,
    fill: str,
) -> dict[str, Any]:
    """What a page shows of the dots: the panel, the picture, and which axes were asked for.

    A dot opens the passport of its row.

    Args:
        relation: a table, or a parenthesised SELECT, with doc_id, source and `axes`.
        stays: the table of the rows that are drawn filled.
        usual: the axes that are drawn unless others of `axes` are asked for.
        noun: what a row is, in the plural.
        word: the column that says whether it stays.
        fill: the command that fills it.
    """
    across, up = (
        asked if asked in axes else default
        for asked, default in zip((query.get("across"), query.get("up")), usual, strict=True)
    )
    panel = reader.panel(
        "spread",
        f"{word.capitalize()} and not",
        f"""SELECT doc_id, source, {quote(across)} AS x, {quote(up)} AS y,
       doc_id IN (SELECT doc_id FROM {stays}) AS {word}
FROM {relation} WHERE x IS NOT NULL AND y IS NOT NULL
ORDER BY md5(doc_id), doc_id LIMIT {_DOTS}""",
        note=f"{_DOTS} {noun} at most, always the same. Filled is {word}, hollow is not.",
        fill=fill,
    )
    dots = [
        (
            float(row["x"]),
            float(row["y"]),
            bool(row[word]),
            row["doc_id"],
            address("/doc", {"id": row["doc_id"]}) if not reader.static else "",
        )
        for row in panel.rows
    ]
    return {
        "panel": panel,
        "axes": axes,
        "across": across,
        "up": up,
        "picture": scatter(dots, across=across, up=up) if dots else "",
    }
