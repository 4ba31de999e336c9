"""The SQL box: one SELECT on the locked connection, with a limit on rows and on time."""

import json
import threading
from dataclasses import dataclass
from typing import Any

import duckdb

from llm_data_assets.studio.reader import Reader

MOST_ROWS = 1000
# Table functions that read nothing, or what the catalog says of itself.
_FUNCTIONS = frozenset(
    ("range", "generate_series", "unnest", "duckdb_columns", "duckdb_tables", "duckdb_views")
)
SECONDS = 10.0


@dataclass(frozen=True)
class Answer:
    """Columns and rows of a query, or what is wrong with it."""

    columns: list[str]
    rows: list[tuple[Any, ...]]
    error: str = ""
    cut: bool = False


def ask(reader: Reader, sql: str, *, seconds: float = SECONDS) -> Answer:
    """Run one SELECT; every refusal and error comes back as a message with a way out."""
    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        return _refused(f"{error}")
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        return _refused("the box takes exactly one SELECT")
    select = statements[0].query.strip().rstrip(";")
    with reader.cursor() as cursor:
        if foreign := _beside_the_views(cursor, select):
            return _refused(f"the box reads tables and models by their names, not {foreign!r}")
        timer = threading.Timer(seconds, cursor.interrupt)
        timer.start()
        try:
            found = cursor.execute(f"SELECT * FROM (\n{select}\n) LIMIT {MOST_ROWS + 1}")
            columns = [column[0] for column in found.description or []]
            cells = found.fetchall()
        except duckdb.InterruptException:
            return _refused(f"stopped after {seconds:g} s; ask for less, or use `llm-data query`")
        except duckdb.Error as error:
            return _refused(f"{error}")
        finally:
            timer.cancel()
    # Any expression may carry text under any name, so nothing here is exempt from masking.
    shown = [tuple(reader.masked("", _plain(cell)) for cell in row) for row in cells[:MOST_ROWS]]
    return Answer(columns, shown, cut=len(cells) > MOST_ROWS)


def _beside_the_views(cursor: duckdb.DuckDBPyConnection, select: str) -> str | None:
    """A file or a table function that a SELECT names: the files of the lake hold what the views
    keep back of restricted sources. DuckDB's own parser says what is named."""
    found = cursor.execute("SELECT json_serialize_sql(?::VARCHAR)", [select]).fetchone()
    todo: list[Any] = [json.loads(found[0])] if found else []
    if todo and todo[0]["error"]:
        return str(todo[0]["error_message"])
    while todo:
        node = todo.pop()
        if isinstance(node, list):
            todo += node
        elif isinstance(node, dict):
            todo += node.values()
            if node.get("type") == "TABLE_FUNCTION":
                name = str(node["function"]["function_name"])
                if name.lower() not in _FUNCTIONS:
                    return name
            if node.get("type") == "BASE_TABLE":
                whole = ".".join(filter(None, (node["schema_name"], node["table_name"])))
                if {"/", "\\"} & set(f"{node['catalog_name']}{whole}"):
                    return whole
    return None


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float | str | bytes | None) else str(value)


def _refused(problem: str) -> Answer:
    return Answer([], [], f"{problem}. Try: SELECT stage, sum(docs) FROM funnel GROUP BY stage")
