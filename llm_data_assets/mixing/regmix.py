"""RegMix (Liu et al. 2024, arXiv 2407.01492): the mixture that proxy runs say is best.

A regression from mixture to loss is fitted on many small runs, then asked about many mixtures
that were never run; the mean of the best is the answer. The original's regressor is LightGBM at
learning rate 0.01 and 1,000 trees; scikit-learn's histogram boosting at the same settings ranks
the authors' 256 test runs as well.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

_LEARNING_RATE, _TREES = 0.01, 1_000
_FOLDS = 5
_SIMULATED, _BEST = 100_000, 128
# Candidates: Dirichlet around prior ** 0.5 at strengths from 0.1 to 5, no domain over 15 times
# its prior, none counted below 2e-4 (RegMix, appendix C).
_PRIOR_POWER, _STRENGTHS, _MOST, _LEAST = 0.5, (0.1, 5.0), 15.0, 2e-4
_FEWEST_RUNS = 30


@dataclass(frozen=True)
class FittedMixture:
    """`weights` float64[n_domains], sum 1; `spearman` of held-out runs, predicted against seen."""

    weights: np.ndarray
    predicted: float
    spearman: float


def fit_mixture(
    mixtures: np.ndarray, losses: np.ndarray, prior: np.ndarray | None = None, *, seed: int = 1
) -> FittedMixture:
    """The mixture whose predicted loss is lowest.

    Args:
        mixtures: float[n_runs, n_domains], shares of each run; rows sum to 1.
        losses: float[n_runs], what is to be low.
        prior: float[n_domains], the mixture to search around; the runs' mean if absent.

    Raises:
        ValueError: fewer than 30 runs, or shapes or shares that do not fit.
    """
    n_runs = _check(mixtures, losses)
    # One thread: sums in another order would give other trees.
    with threadpool_limits(1):
        fold = np.arange(n_runs) % _FOLDS
        held_out = np.empty(n_runs)
        for number in range(_FOLDS):
            model = _model().fit(mixtures[fold != number], losses[fold != number])
            held_out[fold == number] = model.predict(mixtures[fold == number])
        model = _model().fit(mixtures, losses)
        candidates = _candidates(mixtures.mean(axis=0) if prior is None else prior, seed)
        predicted = model.predict(candidates)
    best = np.argsort(predicted, kind="stable")[:_BEST]
    weights = candidates[best].mean(axis=0)
    return FittedMixture(
        weights / weights.sum(),
        float(predicted[best].mean()),
        float(spearmanr(held_out, losses).statistic),
    )


def _model() -> HistGradientBoostingRegressor:
    return HistGradientBoostingRegressor(
        learning_rate=_LEARNING_RATE, max_iter=_TREES, early_stopping=False, random_state=0
    )


def _candidates(prior: np.ndarray, seed: int) -> np.ndarray:
    draws = np.random.default_rng(seed)
    softened = np.maximum(prior, _LEAST) ** _PRIOR_POWER
    softened /= softened.sum()
    low, high = np.log(_STRENGTHS)
    strengths = np.exp(draws.uniform(low, high, _SIMULATED))
    gammas = draws.standard_gamma(strengths[:, None] * softened)
    shares = gammas / np.maximum(gammas.sum(axis=1, keepdims=True), 1e-300)
    shares = np.where(shares < _LEAST, 0.0, np.minimum(shares, _MOST * np.maximum(prior, _LEAST)))
    return shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-300)


def _check(mixtures: np.ndarray, losses: np.ndarray) -> int:
    if mixtures.ndim != 2 or losses.shape != (len(mixtures),):
        raise ValueError(
            f"{mixtures.shape} mixtures and {losses.shape} losses do not fit. Try: a row a run"
        )
    if len(mixtures) < _FEWEST_RUNS:
        raise ValueError(
            f"{len(mixtures)} runs cannot rank mixtures. Try: {_FEWEST_RUNS} at least (the paper "
            "has 512), each with other weights"
        )
    sums = mixtures.sum(axis=1)
    if not np.isfinite(losses).all() or (mixtures < 0).any() or abs(sums - 1).max() > 0.01:
        wrong = int(np.argmax(abs(sums - 1)))
        raise ValueError(
            f"run {wrong} has shares that sum to {sums[wrong]:.4g}, or a loss that is no number. "
            "Try: shares of 0 to 1 that sum to 1, and a finite loss, in every row"
        )
    return len(mixtures)
