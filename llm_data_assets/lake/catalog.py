"""`catalog.duckdb`: views over the files of the current versions, for anyone to open at any time.

It is made beside and swapped in whole, so neither a reader nor a writer ever waits. A reader
that has it open keeps a consistent picture of every table as of that publication. To bind all views
takes longer than most stages do, so it is made from the one before: what changed is bound anew.
"""

import json
import os
import shutil
import uuid
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock

from llm_data_assets.config.digest import digest
from llm_data_assets.config.workspace import make_home
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.schemas import DEDUPED_CORPUS, HISTORY, RAW_CORPUS, Table

CATALOG = "catalog.duckdb"
# Source -> the roles of which a reader of its texts needs one.
Restricted = Mapping[str, Sequence[str]]
OPEN: Restricted = MappingProxyType({})
_RESTRICTIONS = "restricted_sources"
_HELD = "llm_data_roles"  # DuckDB's variable of a connection
_KEPT_PUBLICATIONS = 3  # a reader may have resolved the name of the one before


def publish(
    home: Path, tables: Iterable[Table], models: Mapping[str, str], restricted: Restricted = OPEN
) -> Path:
    """Write the views of all `tables` and SQL `models` (name -> SELECT) and swap them in.

    Nothing is written where the present publication says the same. A model whose table the
    warehouse has published is read from there. Of the `restricted` sources the texts are null,
    unless the connection holds a role that opens them.
    """
    make_home(home)
    tables, lake = list(tables), Lake(home / "lake")
    with FileLock(home / ".catalog.lock"):
        files = {table.name: lake.files(table) for table in tables}
        views = {table.name: _view(table, files[table.name], restricted) for table in tables}
        views[_RESTRICTIONS] = f"{_RESTRICTIONS} AS {_restrictions(restricted)}"
        views |= {name: _model_view(home, name, select, restricted)
                  for name, select in models.items()}  # fmt: skip
        marks = {
            "duckdb": duckdb.__version__,
            "types": digest([_types(table, files[table.name]) for table in tables]),
            "views": {name: digest(view) for name, view in views.items()},
            "built": {name: _built(model_file(home, name, restricted)) for name in models},
        }
        due = _due(_marks(home), marks)
        if not due:
            return home / CATALOG
        fresh = home / f".catalog-{uuid.uuid4().hex}.duckdb"
        if len(due) < len(views):
            shutil.copyfile((home / CATALOG).resolve(), fresh)
        connection = duckdb.connect(str(fresh))
        try:
            connection.begin()  # else the disk is waited for after each view
            for name in due:
                connection.execute(f"CREATE OR REPLACE VIEW {views[name]}")
            connection.commit()
        finally:
            connection.close()
        _marks_file(fresh).write_text(json.dumps(marks), encoding="utf-8")
        _swap(home, fresh)
        _forget_other_models(home, models, restricted)
    return home / CATALOG


def _due(before: Mapping[str, Any], marks: Mapping[str, Any]) -> list[str]:
    """The views to make: those that differ, and the models after one that does, which may read it.

    All of them where a table has other types, which a view that was bound to it would refuse.
    """
    names = list(marks["views"])
    if not before or any(before[each] != marks[each] for each in ("duckdb", "types")):
        return names
    if list(before["views"]) != names or list(before["built"]) != list(marks["built"]):
        return names
    models = list(marks["built"])
    changed = {
        name
        for part in ("views", "built")
        for name, mark in marks[part].items()
        if before[part][name] != mark
    }
    first = next((at for at, name in enumerate(models) if name in changed), len(models))
    return [name for name in names if name in changed or name in models[first:]]


def _marks(home: Path) -> dict[str, Any]:
    """What the present publication was made from; nothing where there is none, or it is older."""
    try:
        marks = json.loads(_marks_file((home / CATALOG).resolve()).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return dict(marks)


def _marks_file(publication: Path) -> Path:
    return publication.with_suffix(".json")


def _types(table: Table, files: Sequence[Path]) -> dict[str, str]:
    """Column -> type as its view has it: that of the files, which older code may have made."""
    schemas = [table.full_schema, *map(_stored_schema, files[:1])]
    return {field.name: _sql_type(field.type) for schema in schemas for field in schema}


def _built(model: Path) -> list[int]:
    """Tells one build of a model's table from another."""
    try:
        found = model.stat()
    except FileNotFoundError:
        return []
    return [found.st_mtime_ns, found.st_size]


def published(home: Path, models: Iterable[str], restricted: Restricted) -> bool:
    """Whether what is published has every one of `models`, and restricts these sources so."""
    with connect(home) as connection:
        there = {name for (name,) in connection.execute("SELECT view_name FROM duckdb_views()")
                 .fetchall()}  # fmt: skip
        if not there.issuperset([*models, _RESTRICTIONS]):
            return False
        said = connection.execute(f"FROM {_RESTRICTIONS}").fetchall()
    return dict(said) == {source: list(roles) for source, roles in restricted.items()}


def table_views(lake: Lake, tables: Iterable[Table], restricted: Restricted = OPEN) -> list[str]:
    """`name AS SELECT ...` of each table's current files, for any kind of CREATE VIEW.

    A view may name the tables before it.
    """
    return [_view(table, lake.files(table), restricted) for table in tables]


def connect(home: Path, roles: Iterable[str] = ()) -> duckdb.DuckDBPyConnection:
    """A read-only connection in which every table and SQL model is a view by its name.

    Args:
        home: where the tables lie.
        roles: what the reader holds; texts of restricted sources are null without.

    Raises:
        FileNotFoundError: nothing has been materialised in this home yet.
    """
    catalog = home / CATALOG
    for _ in range(_KEPT_PUBLICATIONS):
        try:
            # The real name is new at each publication: DuckDB shares one database between the
            # connections of a process by name, and would show the one opened first.
            connection = duckdb.connect(str(catalog.resolve(strict=True)), read_only=True)
            hold(connection, roles)
            return connection
        except duckdb.IOException:
            continue
        except FileNotFoundError:
            break
    raise FileNotFoundError(
        f"{catalog}: no tables here yet. Try: `llm-data run`, or set LLM_DATA_HOME to the home "
        "that has them"
    )


def hold(connection: duckdb.DuckDBPyConnection, roles: Iterable[str]) -> None:
    """Give a connection (or a cursor, which inherits nothing) the roles of its reader."""
    listed = ", ".join(literal(role) for role in sorted(roles))
    if listed:
        connection.execute(f"SET VARIABLE {_HELD} = [{listed}]")


def rows(
    connection: duckdb.DuckDBPyConnection, sql: str, values: Sequence[Any] = ()
) -> list[dict[str, Any]]:
    """The rows of a query, each as column -> value."""
    found = connection.execute(sql, list(values))
    names = [column[0] for column in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def model_file(home: Path, name: str, restricted: Restricted = OPEN) -> Path:
    """Where the warehouse publishes the table of a SQL model.

    What was built under other restrictions may hold texts that nobody may see now.
    """
    mark = f"-{digest(dict(restricted))[:8]}" if restricted else ""
    return home / "models" / f"{name}{mark}.parquet"


def quote(name: str) -> str:
    """A name as a DuckDB identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as a DuckDB string literal."""
    return "'" + text.replace("'", "''") + "'"


def relation(lake: Lake, table: Table, partition: Mapping[str, str] | None = None) -> str:
    """A SELECT over the current files of a table, or of one partition, for a FROM clause.

    An empty table is a typed relation without rows.
    """
    return _select(table, lake.files(table, partition))


def _select(table: Table, files: Sequence[Path]) -> str:
    if not files:
        return f"({_no_rows(table)})"
    columns = ", ".join(quote(name) for name in table.full_schema.names)
    listed = ", ".join(literal(str(path)) for path in files)
    hive = ", ".join(f"{literal(name)}: VARCHAR" for name in table.partition_by)
    options = f", hive_partitioning = true, hive_types = {{{hive}}}" if hive else ""
    # The files of a partition are of one version of the code: one of them speaks for all.
    # Where a table only grows, each was written at a time of its own.
    asked = files if table in HISTORY else {path.parent: path for path in files}.values()
    if all(_stored_names(path).issuperset(table.schema.names) for path in asked):
        return f"(SELECT {columns} FROM read_parquet([{listed}]{options}))"
    return (
        f"(SELECT {columns} FROM ({_no_rows(table)} UNION ALL BY NAME "
        f"FROM read_parquet([{listed}]{options}, union_by_name = true)))"
    )


def _no_rows(table: Table) -> str:
    typed = ", ".join(
        f"CAST(NULL AS {_sql_type(field.type)}) AS {quote(field.name)}"
        for field in table.full_schema
    )
    return f"SELECT {typed} WHERE false"


@lru_cache(maxsize=4096)
def _stored_names(path: Path) -> frozenset[str]:
    """The columns of a file; one written before may not have every column of its table."""
    return frozenset(_stored_schema(path).names)


@lru_cache(maxsize=4096)
def _stored_schema(path: Path) -> pa.Schema:
    """The schema of a file, which is never written again."""
    return pq.read_schema(path)


def _view(table: Table, files: Sequence[Path], restricted: Restricted) -> str:
    select = f"SELECT * FROM {_select(table, files)}"
    if restricted and table.texts and "source" in table.partition_by:
        shown = ", ".join(
            f"CASE WHEN {_is_hidden(restricted)} THEN NULL ELSE {quote(name)} END AS {quote(name)}"
            for name in table.texts
        )
        select = f"SELECT * REPLACE ({shown}) FROM {_select(table, files)}"
    if table.name == DEDUPED_CORPUS.name:
        # The table holds names only; a query sees the text of the documents it names.
        select = (
            f"SELECT documents.* FROM {RAW_CORPUS.name} AS documents "
            f"SEMI JOIN {_select(table, files)} AS kept USING (source, doc_id)"
        )
    return f"{quote(table.name)} AS {select}"


def _is_hidden(restricted: Restricted) -> str:
    """A condition on `source`: its roles are named, and the connection holds none of them."""
    return " OR ".join(
        f"(source = {literal(source)} AND NOT coalesce(list_has_any(getvariable("
        f"{literal(_HELD)})::VARCHAR[], {_listed(roles)}), false))"
        for source, roles in sorted(restricted.items())
    )


def _restrictions(restricted: Restricted) -> str:
    rows = " UNION ALL ".join(
        f"SELECT {literal(source)} AS source, {_listed(roles)} AS roles"
        for source, roles in sorted(restricted.items())
    )
    return rows or "SELECT '' AS source, ['']::VARCHAR[] AS roles WHERE false"


def _listed(texts: Iterable[str]) -> str:
    return f"[{', '.join(map(literal, texts))}]"


def _forget_other_models(home: Path, models: Iterable[str], restricted: Restricted) -> None:
    """Remove what the warehouse published of a model under other restrictions."""
    for name in models:
        for path in (home / "models").glob(f"{name}[.-]*parquet"):
            if path != model_file(home, name, restricted):
                path.unlink(missing_ok=True)


def _model_view(home: Path, name: str, select: str, restricted: Restricted) -> str:
    built = model_file(home, name, restricted)
    body = f"SELECT * FROM read_parquet({literal(str(built))})" if built.exists() else select
    return f"{quote(name)} AS {body}"


def _swap(home: Path, published: Path) -> None:
    link = home / f".catalog-{uuid.uuid4().hex}.link"
    link.symlink_to(published.name)
    link.replace(home / CATALOG)
    publications = sorted(home.glob(".catalog-*.duckdb"), key=os.path.getmtime)
    for old in publications[:-_KEPT_PUBLICATIONS]:
        old.unlink(missing_ok=True)
        _marks_file(old).unlink(missing_ok=True)
    for pattern in (".catalog-*.wal", ".catalog-*.link"):  # of a publication that was cut off
        for left in home.glob(pattern):
            left.unlink(missing_ok=True)


_SQL_TYPES = {
    pa.string(): "VARCHAR",
    pa.binary(): "BLOB",
    pa.bool_(): "BOOLEAN",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.timestamp("us", tz="UTC"): "TIMESTAMPTZ",
}


def _sql_type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return f"{_sql_type(kind.value_type)}[]"
    if pa.types.is_struct(kind):
        return f"STRUCT({', '.join(f'{quote(f.name)} {_sql_type(f.type)}' for f in kind)})"
    return _SQL_TYPES[kind]
