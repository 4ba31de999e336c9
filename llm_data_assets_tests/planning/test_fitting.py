"""Fits reach the published optimum on the published runs, and refuse what cannot be fitted."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from llm_data_assets.planning import fitting
from llm_data_assets.planning.laws import CHINCHILLA_ROUNDED, CHINCHILLA_UNROUNDED, EPOCH, Surface


@pytest.fixture(scope="module")
def runs(published_runs: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Parameters, tokens and losses of the 245 points."""
    frame = pl.read_csv(published_runs)
    params = frame["Model Size"].to_numpy()
    return params, frame["Training FLOP"].to_numpy() / (6 * params), frame["loss"].to_numpy()


def test_the_fit_reaches_the_global_optimum(
    runs: tuple[np.ndarray, ...], points: dict[str, Any]
) -> None:
    params, tokens, loss = runs
    keep = fitting.without_outliers(loss)
    assert keep.sum() == points["epoch"]["n_points"]
    found = fitting.fit_parametric(params[keep], tokens[keep], loss[keep])
    best = points["epoch"]["global_optimum"]
    assert found.objective <= 1.01828e-3
    assert found.objective == pytest.approx(best["objective"], rel=1e-6)
    assert pytest.approx(best["E"], abs=2e-3) == found.surface.E
    assert found.surface.alpha == pytest.approx(best["alpha"], abs=2e-3)
    assert found.surface.beta == pytest.approx(best["beta"], abs=2e-3)
    assert pytest.approx(best["A"], rel=2e-3) == found.surface.A
    assert pytest.approx(best["B"], rel=2e-3) == found.surface.B


def test_outliers_change_the_answer_so_their_policy_is_explicit(
    runs: tuple[np.ndarray, ...],
) -> None:
    found = fitting.fit_parametric(*runs)
    assert found.runs == 245
    assert found.objective == pytest.approx(0.00182601, rel=1e-4)
    assert found.surface.beta == pytest.approx(0.4530, abs=2e-3)


def test_the_objective_of_published_constants(
    runs: tuple[np.ndarray, ...], points: dict[str, Any]
) -> None:
    params, tokens, loss = runs
    keep = fitting.without_outliers(loss)
    expected = points["epoch"]["objective_at"]
    for surface, name in (
        (EPOCH, "published_rounded"),
        (CHINCHILLA_UNROUNDED, "hoffmann_unrounded"),
        (CHINCHILLA_ROUNDED, "hoffmann_rounded"),
    ):
        theta = np.array([*np.log([surface.A, surface.B, surface.E]), surface.alpha, surface.beta])
        found = fitting.objective(theta, params[keep], tokens[keep], loss[keep])
        assert found == pytest.approx(expected[name], rel=1e-6)


def test_bootstrap_errors_are_those_published(
    runs: tuple[np.ndarray, ...], points: dict[str, Any]
) -> None:
    params, tokens, loss = runs
    keep = fitting.without_outliers(loss)
    data = params[keep], tokens[keep], loss[keep]
    found = fitting.bootstrap(*data, Surface(477.83, 2143.4, 1.81722, 0.34731, 0.36717), samples=60)
    published = points["epoch"]["bootstrap_sd"]
    for ours, theirs in (("alpha", "alpha"), ("beta", "beta"), ("a", "a"), ("ln_E", "lnE")):
        # 60 resamples leave an error of a tenth in a standard deviation.
        assert found[ours][0] == pytest.approx(published[theirs], rel=0.35)
        assert found[ours][1] < found[ours][2]


def test_a_law_is_found_again_in_its_own_losses() -> None:
    params = np.repeat(np.geomspace(1e8, 1e10, 6), 6)
    tokens = np.tile(np.geomspace(1e9, 1e12, 6), 6)
    loss = np.array([EPOCH.loss(n, d) for n, d in zip(params, tokens, strict=True)])
    found = fitting.fit_parametric(params, tokens, loss).surface
    assert found.alpha == pytest.approx(EPOCH.alpha, rel=1e-2)
    assert found.beta == pytest.approx(EPOCH.beta, rel=1e-2)
    assert pytest.approx(EPOCH.E, rel=1e-2) == found.E


def isoflop_runs(shift: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nine sizes at each of five budgets, `shift` beside the optimum in ln N."""
    sizes, computes = [], []
    for compute in np.geomspace(1e19, 1e22, 5):
        centre = np.log(EPOCH.frontier().params(compute)) + shift
        sizes += list(np.exp(centre + np.linspace(-1, 1, 9)))
        computes += [compute] * 9
    params, flops = np.array(sizes), np.array(computes)
    loss = [EPOCH.loss(n, c / (6 * n)) for n, c in zip(params, flops, strict=True)]
    return params, flops, np.array(loss)


def test_isoflop_parabolas_find_the_exponent() -> None:
    found = fitting.fit_isoflop(*isoflop_runs(0.2))
    assert found.frontier.a == pytest.approx(EPOCH.exponent, abs=1e-9)
    for compute, params, _ in found.budgets:
        assert params / EPOCH.frontier().params(compute) == pytest.approx(0.99756, abs=1e-4)
    assert found.refused == []


def test_a_minimum_that_is_not_bracketed_is_no_fit() -> None:
    with pytest.raises(ValueError, match=r"bracketed at 0 budgets.*outside the sizes.*Try: at le"):
        fitting.fit_isoflop(*isoflop_runs(3.0))


def test_what_cannot_be_fitted_is_said() -> None:
    params, flops, loss = isoflop_runs(0.2)
    tokens = flops / (6 * params)
    with pytest.raises(ValueError, match=r"9 runs are too few.*Try: 10 or more"):
        fitting.fit_parametric(params[:9], tokens[:9], loss[:9])
    with pytest.raises(ValueError, match=r"loss of run 1 is -1\.0"):
        fitting.fit_parametric(params, tokens, np.full_like(loss, -1.0))
    with pytest.raises(ValueError, match="about the same params"):
        fitting.fit_parametric(np.full_like(params, 1e9), tokens, loss)
