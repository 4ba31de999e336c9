"""Every law gives the numbers that its paper or its authors' code gives."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_data_assets.planning import laws
from llm_data_assets.planning.vocabulary import tokens_per_character, vocabulary_range


def test_kaplan_joint_law_and_its_optimum(points: dict[str, Any]) -> None:
    for case in points["kaplan"]["tests"]:
        set_ = points["kaplan"][case["set"]]
        constants = {
            "a_n": set_["aN"], "a_d": set_["aD"], "n_c": set_["Nc"], "d_c": set_["Dc"],
        }  # fmt: skip
        assert laws.kaplan_loss(case["N"], case["D"], **constants) == pytest.approx(case["L"])
    optimum = points["kaplan"]["N_opt"]
    found = laws.LAWS["kaplan"].frontier.params(optimum["C"])
    assert found == pytest.approx(optimum["N"], rel=1e-9)


@pytest.mark.parametrize(
    ("name", "table", "tolerance"),
    [
        ("chinchilla_1", "table3", 0.013),
        ("chinchilla_2", "tableA3_approach2", 0.034),
        ("chinchilla_3_table", "tableA3_approach3", 0.04),
    ],
)
def test_chinchilla_tables(points: dict[str, Any], name: str, table: str, tolerance: float) -> None:
    frontier = laws.LAWS[name].frontier
    for params, flops, tokens in points["chinchilla"][table]:
        assert frontier.params(flops) == pytest.approx(params, rel=tolerance)
        # Table 3 prints 1.5T beside 67B and 5.76e23 FLOP, whose own product asks for 1.43T.
        slip = 0.051 if (params, tokens) == (67e9, 1.5e12) else tolerance
        assert frontier.tokens(flops) == pytest.approx(tokens, rel=slip)


@pytest.mark.parametrize(
    ("params", "tokens"), [(70e9, 1.47e12), (7e9, 144.5e9), (8e9, 165.4e9), (500e9, 10.66e12)]
)
def test_approach_1_from_a_size(params: float, tokens: float) -> None:
    frontier = laws.LAWS["chinchilla_1"].frontier
    assert frontier.tokens(frontier.flops_for_params(params)) == pytest.approx(tokens, rel=2e-3)


@pytest.mark.parametrize(
    ("flops", "unrounded", "rounded", "epoch"),
    [
        (1e20, 27.8, 40.1, 22.9),
        (1e21, 33.9, 50.1, 21.6),
        (5.76e23, 58.9, 92.7, 18.4),
        (1e25, 75.5, 122.1, 17.1),
        (1e26, 92.3, 152.6, 16.2),
    ],
)
def test_tokens_a_parameter(flops: float, unrounded: float, rounded: float, epoch: float) -> None:
    for name, expected in (
        ("chinchilla_3", unrounded), ("chinchilla_3_rounded", rounded), ("epoch", epoch),
    ):  # fmt: skip
        frontier = laws.LAWS[name].frontier
        assert frontier.tokens(flops) / frontier.params(flops) == pytest.approx(expected, abs=0.1)


def test_losses_at_the_optimum() -> None:
    expected = {"chinchilla_3": 1.9184, "chinchilla_3_rounded": 1.9307, "epoch": 1.9744}
    for name, loss in expected.items():
        law = laws.LAWS[name]
        found = law.loss(law.frontier.params(5.76e23), law.frontier.tokens(5.76e23))
        assert found == pytest.approx(loss, abs=1e-4)


def test_data_constrained_law_as_released(points: dict[str, Any]) -> None:
    reference = points["data_constrained"]
    for params, tokens, unique, loss in reference["tests"]:
        assert laws.data_constrained_loss(params, tokens, unique) == pytest.approx(loss, rel=1e-12)
    found = laws.data_constrained_optimum(reference["opt"]["C"], 1e15)
    assert found == pytest.approx((reference["opt"]["N"], reference["opt"]["D"]), rel=1e-9)
    for epochs, worth in reference["eff_epochs"].items():
        assert laws.effective_tokens(float(epochs) * 1e9, 1e9) == pytest.approx(worth * 1e9)


def test_few_unique_tokens_ask_for_more_passes_and_cost_loss() -> None:
    params, tokens = laws.data_constrained_optimum(1e22, 10e9)
    fresh_params, fresh_tokens = laws.data_constrained_optimum(1e22, 1e15)
    loss = laws.data_constrained_loss(params, tokens, 10e9)
    assert tokens > 10e9
    assert loss <= laws.data_constrained_loss(fresh_params, fresh_tokens, 10e9)
    assert loss > laws.data_constrained_loss(fresh_params, fresh_tokens, 1e15)


def test_inference_aware_models(points: dict[str, Any]) -> None:
    for case in points["sardana"]["tests"]:
        found = laws.inference_aware(case["Nref"], case["Dinf"])
        assert found.params == pytest.approx(case["N"], rel=2e-3)
        assert found.token_ratio == pytest.approx(case["ratio"], rel=2e-3)
        assert found.saving == pytest.approx(case["saving"], abs=2e-4)
        if "flop" in case:
            assert found.saved_flops == pytest.approx(case["flop"], rel=2e-3)


@given(st.floats(17, 28), st.sampled_from(sorted(laws.LAWS)))
def test_a_frontier_can_be_read_from_each_side(exponent: float, name: str) -> None:
    flops, frontier = 10**exponent, laws.LAWS[name].frontier
    assert frontier.flops_for_params(frontier.params(flops)) == pytest.approx(flops)
    assert frontier.flops_for_tokens(frontier.tokens(flops)) == pytest.approx(flops)


@given(st.floats(1e6, 1e12), st.floats(0.01, 500))
def test_repeated_tokens_are_never_worth_more_than_fresh(unique: float, epochs: float) -> None:
    worth = laws.effective_tokens(unique * epochs, unique)
    assert worth <= unique * epochs * (1 + 1e-12)
    assert worth <= unique * (1 + laws.R_STAR_D)


def test_vocabulary_table(points: dict[str, Any]) -> None:
    for size, (isoflop, derivative, parametric) in points["vocab"]["table"].items():
        found = vocabulary_range(float(size))
        assert found.isoflop == pytest.approx(isoflop, abs=2)
        assert found.derivative == pytest.approx(derivative, abs=2)
        assert found.parametric == pytest.approx(parametric, rel=1e-3)


def test_tokens_a_character_as_fitted() -> None:
    assert [round(tokens_per_character(v), 5) for v in (4096, 32000, 128000, 500000)] == [
        0.33182, 0.25240, 0.22935, 0.22716,
    ]  # fmt: skip
