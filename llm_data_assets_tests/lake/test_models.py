"""SQL models and the YAML beside them: what binds, what is traced, and what is refused."""

from pathlib import Path

import duckdb
import pytest

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.lake.catalog import connect, publish
from llm_data_assets.lake.model_lineage import column_lineage
from llm_data_assets.lake.model_yaml import ModelTest, bind_models, load_model_yaml
from llm_data_assets.lake.models import load_models, model_files, model_inputs, models_folder
from llm_data_assets.stages.materialise import ALL_TABLES

YAML = "description: Counts.\ncolumns: {source: The source, n: How many}\n"
SQL = "SELECT source, count(*) AS n FROM documents GROUP BY source"


def write(folder: Path, sql: str = SQL, yaml: str = YAML, name: str = "counts") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.sql").write_text(sql, encoding="utf-8")
    (folder / f"{name}.yml").write_text(yaml, encoding="utf-8")
    return folder


def bind(folder: Path) -> dict[str, dict[str, str]]:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE documents (source VARCHAR, text VARCHAR)")
        return bind_models(connection, load_models(folder), load_model_yaml(folder))


def failing(test: ModelTest) -> list[tuple]:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE known AS SELECT 'a' AS name UNION ALL SELECT 'b'")
        connection.execute(
            "CREATE TABLE m AS FROM (VALUES ('a', 1), ('a', 1), ('c', 2), (NULL, 3)) t(s, n)"
        )
        return connection.execute(test.select("m")).fetchall()


def test_every_file_runs_as_it_stands_in_a_bare_duckdb(tmp_path: Path) -> None:
    publish(tmp_path, ALL_TABLES, load_models())
    connection = connect(tmp_path)
    for path in model_files(models_folder()).values():
        connection.execute(path.read_text(encoding="utf-8")).fetchall()
    for name, yaml in load_model_yaml().items():
        for test in yaml.model.tests:
            assert connection.execute(test.select(name)).fetchall() == []
    connection.close()


def test_a_reference_may_be_written_plainly_or_as_ref(tmp_path: Path) -> None:
    write(tmp_path)
    write(tmp_path, "SELECT * FROM {{ ref('counts') }}", YAML, "again")
    assert list(load_models(tmp_path)) == ["counts", "again"]
    assert bind(tmp_path)["again"] == {"source": "VARCHAR", "n": "BIGINT"}


def test_inputs_leave_out_what_the_select_names_itself() -> None:
    select = (
        "WITH a AS (SELECT 1 FROM x) -- FROM y\nSELECT 'FROM z' FROM a, w SEMI JOIN v USING (i)"
    )
    assert model_inputs(select) == {"x", "w", "v"}


def test_a_column_is_traced_through_joins_and_expressions() -> None:
    traced = column_lineage(
        "WITH j AS (SELECT a.source, b.n * 2 AS twice FROM a JOIN b USING (source)) "
        "SELECT source, sum(twice) AS total, count(*) AS rows FROM j GROUP BY ALL",
        {"source": "VARCHAR", "total": "BIGINT", "rows": "BIGINT"},
        {"a": {"source": "VARCHAR"}, "b": {"source": "VARCHAR", "n": "INT"}},
    )
    assert traced == {"source": [("a", "source")], "total": [("b", "n")], "rows": []}


@pytest.mark.parametrize(
    ("test", "rows"),
    [
        ({"unique": ["s", "n"]}, [("a", 1, 2)]),
        ({"not_null": ["s", "n"]}, [(None, 3)]),
        ({"accepted_values": {"column": "n", "values": [1, 3]}}, [("c", 2)]),
        ({"relationships": {"column": "s", "to": "known", "field": "name"}}, [("c", 2)]),
        ({"name": "small", "sql": "SELECT n FROM m WHERE n > 2"}, [(3,)]),
    ],
)
def test_a_test_finds_exactly_the_wrong_rows(test: dict, rows: list[tuple]) -> None:
    assert failing(ModelTest.model_validate(test)) == rows


@pytest.mark.parametrize(
    ("sql", "yaml", "said"),
    [
        ("SELECT sauce, 1 AS n FROM documents", YAML, 'counts.sql: .*column "sauce" not found'),
        (
            SQL,
            YAML.replace(" n:", " m:"),
            "counts.yml:2: columns.m: the SELECT gives no",
        ),
        (SQL, YAML.replace(", n: How many", ""), "counts.yml:2: columns: no description of n"),
        (SQL, YAML + "tests:\n- unique: [x]\n", r"counts.yml:4: tests.*no column 'x'.*source, n"),
        (SQL, YAML + "tests:\n- uniq: [n]\n", "counts.yml:4: .*unknown field 'uniq'.*'unique'"),
        (SQL, YAML + "tests:\n- unique: [n]\n  sql: SELECT 1\n", "counts.yml:4: .*one of unique"),
        (SQL, YAML + "tests:\n- sql: SELECT 1\n", "counts.yml:4: .*no name"),
        (SQL, YAML + "tests:\n- {name: a, sql: SELECT z FROM q}\n", "counts.yml:4: .*q.*not exist"),
        (
            SQL,
            YAML + "tests:\n- unique: [n]\n- unique: [n]\n",
            "counts.yml:5: .*'unique_n' stands twice",
        ),
        ("DROP TABLE documents", YAML, "counts.sql: not one SELECT"),
        ("SELECT FROM WHERE", YAML, "counts.sql: .*Try: "),
        ("SELECT 1; SELECT 2", YAML, "counts.sql: not one SELECT"),
    ],
)
def test_a_broken_model_says_where_and_the_way_out(
    tmp_path: Path, sql: str, yaml: str, said: str
) -> None:
    write(tmp_path, sql, yaml)
    with pytest.raises(ConfigError, match=said):
        bind(tmp_path)


def test_models_that_read_each_other_are_named(tmp_path: Path) -> None:
    write(tmp_path, "SELECT * FROM b", YAML, "a")
    write(tmp_path, "SELECT * FROM a", YAML, "b")
    with pytest.raises(ConfigError, match="a -> b -> a read each other"):
        load_models(tmp_path)


def test_one_name_has_one_file(tmp_path: Path) -> None:
    write(tmp_path / "x")
    write(tmp_path / "y")
    with pytest.raises(ConfigError, match=r"already made by .*x/counts.sql"):
        load_models(tmp_path)


def test_a_select_and_its_yaml_stand_together(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "counts.yml").rename(tmp_path / "other.yml")
    with pytest.raises(ConfigError, match=r"other.yml: no SELECT stands beside it"):
        load_model_yaml(tmp_path)
    (tmp_path / "other.yml").unlink()
    with pytest.raises(ConfigError, match=r"no description stands beside it.*counts.yml"):
        load_model_yaml(tmp_path)
