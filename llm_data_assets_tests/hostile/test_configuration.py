"""Configuration meant to run, to reach out or to explode: it is text, and never more."""

import json
from pathlib import Path

import duckdb
import pytest

from llm_data_assets.config.catalog import Catalog
from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.loading import load
from llm_data_assets.config.pipeline import Pipeline, Rule
from llm_data_assets.lake.models import load_models
from llm_data_assets.text.rules import compile_reasons


@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:os.system ['touch {owned}']",
        "!!python/object/new:os.system ['touch {owned}']",
        "!!python/name:os.system",
        "!!python/module:antigravity",
        "!!python/object/apply:subprocess.check_output [[touch, {owned}]]",
        "!ruby/object:Gem::Requirement {{}}",
    ],
)
@pytest.mark.parametrize("place", ["sources: ", "{}: 1\n? ", "a: &x ", ""])
def test_no_tag_makes_an_object(tmp_path: Path, tag: str, place: str) -> None:
    file = tmp_path / "catalog.yaml"
    file.write_text(place + tag.format(owned=tmp_path / "owned") + "\n")
    with pytest.raises(ConfigError, match="not valid YAML"):
        load(file, Catalog)
    assert not (tmp_path / "owned").exists()


def test_aliases_that_multiply_are_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    (tmp_path / "catalog.yaml").write_text("\n".join(lines) + "\n")
    with pytest.raises(ConfigError):
        load(tmp_path / "catalog.yaml", Catalog)


def test_an_alias_of_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "catalog.yaml").write_text("sources: &a {web: *a}\n")
    with pytest.raises(ConfigError):
        load(tmp_path / "catalog.yaml", Catalog)


@pytest.mark.parametrize("depth", [2_000, 200_000])
def test_nesting_without_end_is_refused(tmp_path: Path, depth: int) -> None:
    (tmp_path / "catalog.yaml").write_text("sources: " + "[" * depth + "]" * depth)
    with pytest.raises(ConfigError):
        load(tmp_path / "catalog.yaml", Catalog)


@pytest.mark.parametrize(
    "name",
    ["a'; DROP TABLE raw_corpus; --", "../up", "a/b", "a b", "<script>", "a\0b", "", "A", "web\n"],
)
def test_a_name_that_is_more_than_a_name_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "catalog.yaml").write_text(
        json.dumps({"sources": {name: {"format": "jsonl", "uris": ["a"]}}})
    )
    (tmp_path / "pipeline.yaml").write_text(json.dumps({"recipes": {name: {}}}))
    for file, model in (("catalog", Catalog), ("pipeline", Pipeline)):
        with pytest.raises(ConfigError):
            load(tmp_path / f"{file}.yaml", model)  # type: ignore[type-var]


@pytest.mark.parametrize(
    "signal", ["1) OR (1=1", "(SELECT text FROM read_text('/etc/passwd'))", 'x"; DROP TABLE t; --']
)
@pytest.mark.parametrize("place", ["signal", "when", "unless"])
def test_a_rule_over_no_signal_is_no_sql(signal: str, place: str) -> None:
    rule = {"name": "mine", "signal": "ccnet_length", "min": 1}
    rule |= {"signal": signal} if place == "signal" else {place: {signal: ["a"]}}
    with pytest.raises(ValueError, match="which is not a signal or a document column"):
        compile_reasons([Rule.model_validate(rule)], {"ccnet_length": "BIGINT"}, relation="t")


def test_a_rules_name_and_values_stay_values() -> None:
    attack = "'); DROP TABLE t; SELECT ('"
    rule = Rule(name=attack, signal="language", none_of=[attack], when={"language": [attack]})
    connection = duckdb.connect()
    connection.execute("CREATE TABLE t (doc_id VARCHAR, language VARCHAR)")
    connection.execute("INSERT INTO t VALUES ('1', ?), ('2', 'en')", [attack])
    sql = compile_reasons([rule], {"language": "VARCHAR"}, relation="t", name="reason")
    assert duckdb.extract_statements(sql)[1:] == []
    found = connection.execute(f"SELECT doc_id, reason FROM ({sql}) ORDER BY doc_id").fetchall()
    assert found == [("1", attack), ("2", None)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1; DROP TABLE raw_corpus",
        "COPY (SELECT 1) TO '/tmp/x'",
        "ATTACH '/tmp/x.duckdb'",
        "INSTALL httpfs",
        "CREATE TABLE x AS SELECT 1",
    ],
)
def test_a_model_that_is_not_one_select_is_refused(tmp_path: Path, sql: str) -> None:
    (tmp_path / "mine.sql").write_text(sql)
    with pytest.raises(ConfigError, match="not one SELECT"):
        load_models(tmp_path)
