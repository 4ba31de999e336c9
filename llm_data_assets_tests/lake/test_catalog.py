"""A publication made from the one before reads as one made from nothing."""

from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from llm_data_assets.config.digest import digest
from llm_data_assets.lake.catalog import CATALOG, connect, model_file, publish
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.schemas import DEDUPED_CORPUS, TABLES, Table

MODELS = {
    "sizes": "SELECT source, sum(n_bytes) AS n_bytes FROM names_and_sizes GROUP BY source",
    "largest": "SELECT max(n_bytes) AS n_bytes FROM sizes",
}
NAMES = replace(DEDUPED_CORPUS, name="names_and_sizes")  # a table that the lake shows as it is


def put(home: Path, source: str, table: Table = NAMES, **columns: list) -> None:
    lake, partition = Lake(home / "lake"), {"source": source}
    rows = pa.table(columns, schema=table.schema)
    file = lake.write_shard(table, partition, "0", digest(columns), [rows])
    lake.replace_partition(table, partition, [file])


def shown(home: Path) -> list[list[tuple]]:
    with connect(home) as connection:
        return [
            connection.execute(f"FROM {name} ORDER BY ALL").fetchall()
            for name in ("names_and_sizes", "sizes", "largest")
        ]


def made_from_nothing(home: Path, tables: list[Table], models: dict[str, str]) -> list[list[tuple]]:
    (home / CATALOG).unlink()
    publish(home, tables, models)
    return shown(home)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the views that DuckDB is asked to make, in order."""
    names: list[str] = []

    class Counting:
        def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
            self.begin, self.commit = connection.begin, connection.commit
            self.close, self._execute = connection.close, connection.execute

        def execute(self, statement: str) -> None:
            names.append(statement.split()[4].strip('"'))
            self._execute(statement)

    opened = duckdb.connect

    def connect(name: str, read_only: bool = False) -> object:
        found = opened(name, read_only=read_only)
        return found if read_only else Counting(found)

    monkeypatch.setattr("llm_data_assets.lake.catalog.duckdb.connect", connect)
    return names


def test_only_what_changed_is_bound_again(tmp_path: Path, made: list[str]) -> None:
    tables = [*TABLES.values(), NAMES]
    publish(tmp_path, tables, MODELS)
    assert set(made) > {"names_and_sizes", "sizes", "largest", "raw_corpus"}
    made.clear()
    put(tmp_path, "a", doc_id=["a/1"], n_bytes=[3])
    publish(tmp_path, tables, MODELS)
    put(tmp_path, "b", doc_id=["b/1"], n_bytes=[5])
    publish(tmp_path, tables, MODELS)
    assert made == ["names_and_sizes"] * 2
    publication = (tmp_path / CATALOG).resolve()
    publish(tmp_path, tables, MODELS)
    assert (tmp_path / CATALOG).resolve() == publication  # readers keep what they have opened
    assert shown(tmp_path)[1:] == [[("a", 3), ("b", 5)], [(5,)]]
    assert shown(tmp_path) == made_from_nothing(tmp_path, tables, MODELS)


def test_a_model_that_is_built_is_bound_anew_with_those_that_may_read_it(
    tmp_path: Path, made: list[str]
) -> None:
    tables = [NAMES]
    put(tmp_path, "a", doc_id=["a/1"], n_bytes=[3])
    publish(tmp_path, tables, MODELS)
    for built in (7.5, 8):  # its types are not those of the SELECT, and change under one name
        file = model_file(tmp_path, "sizes")
        file.parent.mkdir(exist_ok=True)
        pq.write_table(pa.table({"source": ["a"], "n_bytes": [built]}), file)
        made.clear()
        publish(tmp_path, tables, MODELS)
        assert made == ["sizes", "largest"]
        assert shown(tmp_path)[1:] == [[("a", built)], [(built,)]]
    made.clear()
    publish(tmp_path, tables, MODELS | {"largest": "SELECT min(n_bytes) AS least FROM sizes"})
    assert made == ["largest"]


def test_a_column_of_another_type_is_bound_by_all(tmp_path: Path) -> None:
    publish(tmp_path, [NAMES], MODELS)
    at = NAMES.schema.get_field_index("n_bytes")
    other = replace(NAMES, schema=NAMES.schema.set(at, pa.field("n_bytes", pa.float64())))
    put(tmp_path, "a", other, doc_id=["a/1"], n_bytes=[3.5])
    publish(tmp_path, [other], MODELS)
    assert shown(tmp_path)[1:] == [[("a", 3.5)], [(3.5,)]]
    with connect(tmp_path) as connection:
        told = connection.execute(
            "SELECT data_type FROM duckdb_columns() WHERE column_name = 'n_bytes'"
        ).fetchall()
    assert told == [("DOUBLE",)] * 3


def test_a_publication_without_marks_is_made_whole(tmp_path: Path, made: list[str]) -> None:
    publish(tmp_path, [NAMES], MODELS)
    (tmp_path / CATALOG).resolve().with_suffix(".json").unlink()
    made.clear()
    publish(tmp_path, [NAMES], MODELS)
    assert len(made) == 4  # the table, who may read what, and two models
    for size in range(5):
        put(tmp_path, "a", doc_id=["a/1"], n_bytes=[size])
        publish(tmp_path, [NAMES], MODELS)
    assert len(list(tmp_path.glob(".catalog-*.json"))) == 3  # as many as publications are kept
