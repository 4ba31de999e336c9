"""Rules become one SELECT that names the rule, the value and the threshold."""

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from llm_data_assets.config.pipeline import Rule
from llm_data_assets.text.rules import (
    compile_reasons,
    compile_rules,
    compile_verdicts,
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


# Rules of dialogues and of pairs of media are over scores of their own.
OF_TEXT = [name for name in shipped_rule_sets() if name not in ("instructions", "media")]


@pytest.mark.parametrize("name", OF_TEXT)
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


NUMBERS = st.one_of(st.none(), st.integers(0, 4))
WORDS = st.sampled_from([None, "en", "de", "it's"])


@st.composite
def some_rule(draw: st.DrawFn, index: int) -> Rule:
    bounds: dict[str, object] = {}
    if draw(st.booleans()):
        bounds = {"signal": "words", "min": draw(st.integers(0, 2)), "max": draw(NUMBERS)}
        if bounds["max"] is not None and bounds["max"] < bounds["min"]:
            bounds["max"] = None
    else:
        kind = draw(st.sampled_from(["one_of", "none_of"]))
        bounds = {
            "signal": "language",
            kind: draw(st.sets(st.sampled_from(["en", "it's"]), min_size=1)),
        }
    narrowed = draw(
        st.sampled_from([{}, {"when": {"language": ["en"]}}, {"unless": {"words": ["2"]}}])
    )
    action = draw(st.sampled_from(["drop", "flag"]))
    return Rule.model_validate({"name": f"rule '{index}'", "action": action, **bounds, **narrowed})


@settings(max_examples=60)
@given(st.data(), st.lists(st.tuples(NUMBERS, WORDS), max_size=6), st.integers(0, 5))
def test_rows_of_verdicts_are_the_failures_of_the_full_decision(
    data: st.DataObject, documents: list[tuple[int | None, str | None]], n_rules: int
) -> None:
    rules = [data.draw(some_rule(index)) for index in range(n_rules)]
    table = pa.table(
        {
            "shard": pa.array([k // 3 for k in range(len(documents))], pa.int32()),
            "doc_id": pa.array([f"d{k}" for k in range(len(documents))], pa.string()),
            "words": pa.array([words for words, _ in documents], pa.int64()),
            "language": pa.array([language for _, language in documents], pa.string()),
        }
    )
    connection = duckdb.connect()
    connection.register("rows", table)
    decided = connection.sql(
        f"{compile_rules(rules, COLUMNS, relation='rows')} ORDER BY doc_id"
    ).to_arrow_table()
    expected = [
        {"shard": int(row["doc_id"][1:]) // 3, "doc_id": row["doc_id"], "kept": row["kept"]}
        | {"reason": failure.pop("name")}
        | {name: value for name, value in failure.items() if name != "kept"}
        for row in decided.to_pylist()
        for failure in row["failures"]
    ]
    verdicts = compile_verdicts(rules, COLUMNS, relation="rows", group="shard")
    assert connection.sql(verdicts).to_arrow_table().to_pylist() == expected
