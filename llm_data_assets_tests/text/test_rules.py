"""Rules become one SELECT that names the rule, the value and the threshold."""

import duckdb
import pyarrow as pa
import pytest
from pydantic import ValidationError

from llm_data_assets.config.pipeline import Rule
from llm_data_assets.text.rules import (
    compile_reasons,
    compile_rules,
    load_ruleset,
    shipped_rule_sets,
)
from llm_data_assets.text.signals import SIGNALS

COLUMNS = {"words": "int64", "language": "string", "license": "string"}
ROWS = pa.table(
    {
        "doc_id": ["long", "short", "german", "null"],
        "words": pa.array([100, 3, 100, None], pa.int64()),
        "language": ["en", "en", "de", None],
        "license": ["MIT", "it's odd", "MIT", "MIT"],
    }
)


def decide(*rules: Rule) -> dict[str, dict]:
    connection = duckdb.connect()
    connection.register("rows", ROWS)
    select = compile_rules(rules, COLUMNS, relation="rows")
    return {row["doc_id"]: row for row in connection.sql(select).to_arrow_table().to_pylist()}


def test_a_bound_gives_value_and_threshold() -> None:
    found = decide(Rule(name="short", signal="words", min=50))
    assert [found[name]["kept"] for name in ("long", "short", "german", "null")] == [
        True, False, True, True,
    ]  # fmt: skip
    assert found["short"]["reason"] == "short"
    assert found["short"]["failures"] == [
        {
            "name": "short",
            "kept": False,
            "position": 0,
            "value": 3.0,
            "threshold": 50.0,
            "detail": None,
        }
    ]


def test_all_failing_rules_are_listed_and_the_first_decides() -> None:
    found = decide(
        Rule(name="flagged", signal="words", max=1, action="flag"),
        Rule(name="language", signal="language", one_of=["de"]),
        Rule(name="short", signal="words", min=50),
    )
    assert found["short"]["reason"] == "language"
    assert [each["name"] for each in found["short"]["failures"]] == ["language", "short", "flagged"]
    assert found["german"]["kept"] and found["german"]["failures"][0]["name"] == "flagged"


def test_when_and_unless_narrow_a_rule() -> None:
    english = Rule(name="short", signal="words", min=200, when={"language": ["en"]})
    other = Rule(name="short", signal="words", min=200, unless={"language": ["en"]})
    assert {name for name, row in decide(english).items() if not row["kept"]} == {"long", "short"}
    assert {name for name, row in decide(other).items() if not row["kept"]} == {"german"}


def test_text_from_the_configuration_is_never_sql() -> None:
    rule = Rule(name="x'); DROP TABLE rows; --", signal="license", none_of=["it's odd"])
    found = decide(rule)
    assert found["short"]["reason"] == "x'); DROP TABLE rows; --"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Rule(name="r", signal="word", min=1), "Try: words"),
        (Rule(name="r", signal="language", min=1), "is text"),
        (Rule(name="r", signal="words", min=1, when={"lang": ["en"]}), "language"),
    ],
)
def test_a_rule_that_cannot_be_names_the_way_out(rule: Rule, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        compile_rules([rule], COLUMNS, relation="rows")


@pytest.mark.parametrize("name", [n for n in shipped_rule_sets() if n != "instructions"])
def test_shipped_rule_sets_name_signals_that_exist(name: str) -> None:
    columns = {signal.name: str(signal.dtype) for signal in SIGNALS}
    columns |= dict.fromkeys(("language", "license", "domain"), "string")
    rules = [Rule.model_validate(rule) for rule in load_ruleset(name)]
    assert rules and compile_rules(rules, columns, relation="rows")


def test_an_unknown_rule_set_names_a_close_one() -> None:
    with pytest.raises(FileNotFoundError, match="gopher"):
        load_ruleset("gophr")


@pytest.mark.parametrize("bound", [float("inf"), float("-inf"), float("nan")])
def test_a_bound_is_a_finite_number(bound: float) -> None:
    with pytest.raises(ValidationError, match="finite"):
        Rule(name="r", signal="words", min=bound)


def test_the_first_reason_is_that_of_the_full_decision() -> None:
    rules = [
        Rule(name="flagged", signal="words", max=1, action="flag"),
        Rule(name="short", signal="words", min=50, when={"language": ["en"]}),
        Rule(name="license", signal="license", none_of=["MIT"]),
    ]
    connection = duckdb.connect()
    connection.register("rows", ROWS)
    select = compile_reasons(rules, COLUMNS, relation="rows")
    reasons = dict(connection.sql(f"SELECT doc_id, reason FROM ({select})").fetchall())
    assert reasons == {name: row["reason"] for name, row in decide(*rules).items()}
