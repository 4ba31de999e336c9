"""What pages read through: one locked, read-only connection a publication, answers kept."""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import duckdb

from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.catalog import CATALOG, connect, hold, literal, quote, rows
from llm_data_assets.studio.lab import LIMITS, Lab
from llm_data_assets.text.personal_data import mask_shown

Row = dict[str, Any]
# Columns that name things: masking them would break the links to what they name.
_LISTED_NAMES = (
    "doc_id kept_doc_id cluster_id source kept_source stage reason method language license signal "
    "asset partition check severity expected recipe phase bound_by metric scope piece ts names "
    "rule law outcome"
)
_NAMES = frozenset(_LISTED_NAMES.split())
_KEPT_ANSWERS = 256


@dataclass(frozen=True)
class Panel:
    """One part of a page: its rows, and the SELECT that gives them in any DuckDB shell.

    What is computed and not stored names the `command` that gives the same.
    """

    name: str
    title: str
    sql: str
    rows: list[Row]
    note: str = ""
    # The command that fills it; shown where there are no rows.
    fill: str = "llm-data run"
    command: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


class Reader:
    """Questions to the lake of one workspace, each answered once a publication.

    Args:
        workspace: whose tables are read.
        reveal: show personal data as it stands in the texts.
        static: for a file, in which nothing can be asked further.
    """

    def __init__(self, workspace: Workspace, *, reveal: bool = False, static: bool = False) -> None:
        self.workspace = workspace
        self.reveal = reveal
        self.static = static
        self.lab = Lab(workspace)
        self._lock = threading.Lock()
        self._publication = ""
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._answers: OrderedDict[str, list[Row]] = OrderedDict()

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection to the newest publication that can read the lake and nothing else.

        Raises:
            FileNotFoundError: nothing has been materialised yet.
        """
        with self._lock:
            catalog = self.workspace.home / CATALOG
            publication = catalog.resolve().name if catalog.exists() else ""
            if self._connection is None or publication != self._publication:
                self._connection = _locked(self.workspace)
                self._publication = publication
                self._answers.clear()
            cursor = self._connection.cursor()
            hold(cursor, self.workspace.roles)
        try:
            yield cursor
        finally:
            cursor.close()

    def rows(self, sql: str) -> list[Row]:
        """The rows of a SELECT, personal data masked; the same question is not asked twice."""
        with self.cursor() as cursor:
            if sql in self._answers:
                return self._answers[sql]
            found = [
                {name: self.masked(name, value) for name, value in row.items()}
                for row in rows(cursor, sql)
            ]
            self._answers[sql] = found
            if len(self._answers) > _KEPT_ANSWERS:
                self._answers.popitem(last=False)
            return found

    def panel(self, name: str, title: str, sql: str, **more: Any) -> Panel:
        """A panel of the rows of `sql`."""
        return Panel(name, title, sql, self.rows(sql), **more)

    def computed(self, name: str, title: str, found: list[Row], **more: Any) -> Panel:
        """A panel of rows that no table holds: its SELECT gives them back as they were computed."""
        shown = [{each: self.masked(each, row[each]) for each in row} for row in found]
        values = ",\n    ".join(f"({', '.join(map(_written, row.values()))})" for row in shown)
        columns = ", ".join(map(quote, shown[0])) if shown else ""
        sql = f"SELECT * FROM (VALUES\n    {values}\n) AS computed ({columns})" if shown else ""
        return Panel(name, title, sql, shown, **more)

    def masked(self, name: str, value: Any) -> Any:
        """A cell as it may be shown."""
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        if self.reveal or not isinstance(value, str) or name in _NAMES:
            return value
        return mask_shown(value)[0]


def _written(value: Any) -> str:
    """A value as DuckDB reads it."""
    if value is None:
        return "NULL"
    return literal(value) if isinstance(value, str) else repr(value)


def where(**equal: str | None) -> str:
    """`WHERE column = 'value' AND ...` of what is given; empty if nothing is."""
    parts = [f"{name} = {literal(value)}" for name, value in equal.items() if value]
    return f"WHERE {' AND '.join(parts)}" if parts else ""


def _locked(workspace: Workspace) -> duckdb.DuckDBPyConnection:
    """The catalog, in an instance that reads below the home's tables and can be told no more."""
    connection = connect(workspace.home)
    locked = connection.execute("SELECT current_setting('lock_configuration')").fetchone()
    if locked and locked[0]:
        return connection  # DuckDB shares one instance between a process's connections to a file
    readable = ", ".join(literal(str(workspace.home / name)) for name in ("lake", "models"))
    for setting in (
        *(f"{name} = {literal(value)}" for name, value in LIMITS.items()),
        "TimeZone = 'UTC'",
        f"allowed_directories = [{readable}]",
        "enable_external_access = false",
        "autoinstall_known_extensions = false",
        "autoload_known_extensions = false",
        "lock_configuration = true",
    ):
        connection.execute(f"SET {setting}")
    return connection
