"""What a recipe asks for: literature, bounds, replay, phases."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_data_assets.config.catalog import Source
from llm_data_assets.config.pipeline import Recipe
from llm_data_assets.mixing.bounds import Bound, within_bounds
from llm_data_assets.mixing.order import source_positions
from llm_data_assets.mixing.plan import R_STAR_D
from llm_data_assets.mixing.recipe import plan_recipe, sources_of, weights_of
from llm_data_assets.mixing.references import REFERENCES, from_reference
from llm_data_assets.mixing.replay import total_with_replay, with_replay

AVAILABLE = {"web": 1000, "wiki": 100, "code": 400, "law": 200}
SOURCES = {
    name: Source.model_validate(
        {"format": "text", "uris": ["x"], "domain": domain, "language": language,
         "license": license, "date": date}
    )
    for name, domain, language, license, date in (
        ("web", "web", "en", None, "2019-04-25"),
        ("wiki", "encyclopedia", "en", "CC-BY-SA-4.0", "2023-06-01"),
        ("code", "code", None, "MIT", None),
        ("law", "law", "de", "CC0-1.0", "2024-01-31"),
    )
}  # fmt: skip


def plans(recipe: dict[str, Any], **others: dict[str, Any]) -> list[dict[str, Any]]:
    recipes = {name: Recipe(**each) for name, each in {"this": recipe, **others}.items()}
    taking_part = sources_of(recipes["this"], recipes, AVAILABLE)
    return [
        {"phase": phase.name, "first": phase.first_position, **vars(row)}
        for phase in plan_recipe(
            recipes["this"], recipes, SOURCES, {name: AVAILABLE[name] for name in taking_part}
        )
        for row in phase.rows
    ]


def test_the_pile_has_the_published_weights() -> None:
    # Gao et al. 2020, table 1, column "Weight", in percent.
    published = {"Pile-CC": 18.11, "PubMed Central": 14.40, "Books3": 12.07, "Github": 7.59,
                 "Wikipedia (en)": 1.53, "Enron Emails": 0.14}  # fmt: skip
    for domain, percent in published.items():
        assert 100 * REFERENCES["pile"][domain] == pytest.approx(percent, abs=0.01)
    for shares in REFERENCES.values():
        assert sum(shares.values()) == pytest.approx(1)


def test_a_reference_is_shared_out_among_the_sources_of_a_domain() -> None:
    domains = {"CommonCrawl": ["web", "law"], "Wikipedia": ["wiki"]}
    weights = from_reference("llama", domains, AVAILABLE)
    assert weights == pytest.approx(
        {"web": 67 / 71.5 * 1000 / 1200, "law": 67 / 71.5 * 200 / 1200, "wiki": 4.5 / 71.5}
    )
    with pytest.raises(ValueError, match=r"no domain 'Web'\. Try: CommonCrawl, C4"):
        from_reference("llama", {"Web": ["web"]}, AVAILABLE)


def test_bounds_move_only_what_they_must() -> None:
    weights = {"a": 0.5, "b": 0.3, "c": 0.2}
    assert within_bounds(weights, [Bound("x", frozenset("a"), max=0.6)]) == weights
    found = within_bounds(weights, [Bound("x", frozenset("a"), max=0.2)])
    assert found == pytest.approx({"a": 0.2, "b": 0.48, "c": 0.32})
    with pytest.raises(ValueError, match=r"the share of x cannot be 0\.9 to 1"):
        within_bounds(weights, [Bound("x", frozenset("a"), 0.9), Bound("y", frozenset("bc"), 0.2)])


@given(
    st.lists(st.floats(0.01, 1), min_size=4, max_size=4),
    st.lists(st.tuples(st.floats(0, 0.2), st.floats(0.3, 1)), min_size=4, max_size=4),
)
def test_bounds_that_can_hold_do(parts: list[float], limits: list[tuple[float, float]]) -> None:
    weights = dict(zip("abcd", parts, strict=True))
    bounds = [
        Bound(name, frozenset(name), low, high)
        for name, (low, high) in zip("abcd", limits, strict=True)
    ]
    found = within_bounds(weights, bounds)
    assert sum(found.values()) == pytest.approx(1)
    for bound in bounds:
        assert bound.min - 1e-6 <= found[bound.name] <= bound.max + 1e-6


def test_a_bound_on_a_licence_holds_in_the_plan() -> None:
    rows = plans({"alpha": 1, "bounds": [{"license": "MIT", "max": 0.1}], "max_epochs": 9})
    assert next(row["share"] for row in rows if row["source"] == "code") == pytest.approx(
        0.1, abs=1e-3
    )
    with pytest.raises(ValueError, match="no source of the recipe has license 'GPL'"):
        plans({"bounds": [{"license": "GPL", "max": 0.1}]})


@pytest.mark.parametrize(
    ("bound", "group"),
    [
        ({"since": "2023-06-01", "min": 0.4}, {"wiki", "law"}),
        ({"before": "2023-06-01", "max": 0.3}, {"web"}),
    ],
)
def test_a_bound_on_dates_holds_in_the_plan(bound: dict[str, Any], group: set[str]) -> None:
    rows = plans({"alpha": 1, "bounds": [bound], "max_epochs": 9})
    share = sum(row["share"] for row in rows if row["source"] in group)
    assert share == pytest.approx(bound.get("min", bound.get("max")), abs=2e-3)
    with pytest.raises(ValueError, match=r"has since '2030-01-01'\. Try: .* the date in"):
        plans({"bounds": [{"since": "2030-01-01", "max": 0.1}]})
    with pytest.raises(ValueError, match=r"names one group\. Try: one of source"):
        plans({"bounds": [{"since": "2020-01-01", "before": "2024-01-01"}]})


def test_replay_keeps_the_proportions_of_the_base() -> None:
    new, base = {"law": 1.0}, {"web": 0.6, "wiki": 0.2, "code": 0.2}
    assert with_replay(new, base, 0.25) == pytest.approx(
        {"law": 0.75, "web": 0.15, "wiki": 0.05, "code": 0.05}
    )
    # 5 % added to 100 B new tokens is 5.263 B (100 * 0.05 / 0.95).
    assert total_with_replay(100_000, 0.05, "add") == math.ceil(100_000 + 5_263.1)
    assert total_with_replay(100_000, 0.05, "replace") == 100_000


def test_a_recipe_replays_another() -> None:
    rows = plans(
        {"sources": ["law"], "replay": {"recipe": "base", "share": "strong", "how": "add"}},
        base={"weights": {"web": 0.8, "wiki": 0.2}},
    )
    found = {row["source"]: row["sequences"] for row in rows}
    assert found == {"law": 200, "web": 54, "wiki": 13}  # 200 new, and 67 = 200 / 0.75 - 200


def test_phases_follow_one_another_and_share_the_caps() -> None:
    rows = plans(
        {
            "total_tokens": 2048 * 500,
            "sources": ["web", "wiki"],
            "max_epochs": 2,
            "phases": [
                {"name": "main", "share": 0.8},
                {"name": "anneal", "share": 0.2, "weights": {"wiki": 0.5, "law": 0.5}},
            ],
        }
    )
    assert [(row["phase"], row["first"]) for row in rows] == [
        ("main", 0), ("main", 0), ("anneal", 400), ("anneal", 400),
    ]  # fmt: skip
    main, anneal = rows[1], rows[3]
    assert (main["source"], anneal["source"]) == ("wiki", "wiki")
    assert anneal["epochs"] == (main["sequences"] + anneal["sequences"]) / 100
    assert anneal["next_epoch_value"] == pytest.approx(
        math.exp(-max(0, anneal["epochs"] - 1) / R_STAR_D)
    )


def test_unimax_is_even_until_a_cap_binds() -> None:
    rows = plans({"weighting": "unimax", "max_epochs": 1, "total_tokens": 2048 * 900})
    assert {row["source"]: row["sequences"] for row in rows} == {
        "web": 300, "wiki": 100, "code": 300, "law": 200,
    }  # fmt: skip


def test_size_alone_has_no_weights() -> None:
    assert weights_of(Recipe(), {}, SOURCES, AVAILABLE) is None


def test_passes_go_on_across_phases() -> None:
    sizes = {"a": 10}
    first = source_positions("a", {"a": 7}, sizes, seed=1)
    second = source_positions("a", {"a": 6}, sizes, seed=1, taken=7, first_position=7)
    whole = source_positions("a", {"a": 13}, sizes, seed=1)
    assert np.concatenate([first.sequence, second.sequence]).tolist() == whole.sequence.tolist()
    assert np.concatenate([first.position, second.position]).tolist() == list(range(13))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"weights": {"a": 1.0}, "reference": "pile"}, "weights and a reference"),
        ({"reference": "pile"}, "no `domains`"),
        ({"phases": [{"name": "x", "share": 0.5}]}, "sum to 0.5"),
        ({"phases": [{"name": "x", "share": 0.5}] * 2}, "one name"),
        ({"bounds": [{"min": 0.1}]}, "names one group"),
        ({"bounds": [{"domain": "web", "min": 0.5, "max": 0.1}]}, "is above max"),
        ({"replay": {"recipe": "x", "share": 5}}, "not between 0 and 1"),
    ],
)
def test_what_cannot_be_meant_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Recipe(**fields)
