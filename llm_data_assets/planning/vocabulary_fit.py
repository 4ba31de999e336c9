"""Approach 1 of Tao et al. 2024 (arXiv 2407.13623) on one's own runs: vocabulary over compute.

Runs are interpolated, those that beat every cheaper one are kept, and power laws go through them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import griddata, interp1d
from scipy.optimize import minimize
from scipy.special import huber

from llm_data_assets.planning.fitting import HUBER_DELTA
from llm_data_assets.planning.vocabulary import tokens_per_character, width_of

Floats = NDArray[np.float64]
LEAST_SIZES, LEAST_VOCABULARIES, LEAST_ENVELOPE = 3, 4, 5


@dataclass(frozen=True)
class VocabularyFit:
    """Natural logs of the factors, and the exponent of vocabulary parameters.

    N_nv = e^k_nv·C^0.5, N_v = e^k_v·C^alpha_v, characters = e^k_h·C^0.5. `r2` is of the logs of
    the three; `residuals` (points, 3) are log residuals along the envelope.
    """

    k_nv: float
    k_v: float
    alpha_v: float
    k_h: float
    r2: tuple[float, float, float]
    residuals: Floats


def fit_vocabulary(
    params: Floats, vocabulary: Floats, characters: Floats, loss: Floats
) -> VocabularyFit:
    """Fit the envelope of runs, each point of training a row.

    Args:
        params: (rows,) non-vocabulary parameters.
        vocabulary: (rows,) entries of the vocabulary.
        characters: (rows,) characters of training text up to this point.
        loss: (rows,) unigram-normalised loss, in nats a token.

    Raises:
        ValueError: too few sizes or vocabularies, or hardly a run beats the cheaper ones.
    """
    sizes, entries = np.unique(params), np.unique(vocabulary)
    if len(sizes) < LEAST_SIZES or len(entries) < LEAST_VOCABULARIES:
        raise ValueError(
            f"{len(sizes)} model sizes and {len(entries)} vocabularies are too few. Try: at least "
            f"{LEAST_SIZES} and {LEAST_VOCABULARIES}, each size with each vocabulary"
        )
    rows = np.stack([params, vocabulary, characters, loss])
    rows = np.concatenate([rows, _between_sizes(rows), _between_vocabularies(rows)], axis=1)
    width = np.array([width_of(each) for each in rows[0]])
    flops = 6 * (rows[0] + rows[1] * width) * rows[2] * _tokens_per_character(rows[1])
    order = np.argsort(flops, kind="stable")
    best = np.minimum.accumulate(rows[3][order])
    kept = order[np.r_[True, best[1:] < best[:-1]]]
    if len(kept) < LEAST_ENVELOPE:
        raise ValueError(
            f"{len(kept)} runs only beat every cheaper one. Try: runs whose loss falls with compute"
        )
    c = np.log(flops[kept])
    actual = np.log(np.stack([rows[0][kept], rows[1][kept] * width[kept], rows[2][kept]]))
    (k_nv,), (k_v, alpha), (k_h,) = (
        _line(c, y, slope) for y, slope in zip(actual, (0.5, None, 0.5), strict=True)
    )
    said = np.stack([k_nv + 0.5 * c, k_v + alpha * c, k_h + 0.5 * c])
    off = said - actual
    r2 = 1 - off.var(axis=1) / actual.var(axis=1) - off.mean(axis=1) ** 2 / actual.var(axis=1)
    return VocabularyFit(k_nv, k_v, alpha, k_h, (float(r2[0]), float(r2[1]), float(r2[2])), off.T)


def _tokens_per_character(vocabulary: Floats) -> Floats:
    return np.array([tokens_per_character(each) for each in vocabulary])


def _between_sizes(rows: Floats) -> Floats:
    """At each vocabulary, 50 points on the diagonal of size and characters."""
    sizes, text = np.unique(rows[0]), np.unique(rows[2])
    line = np.stack([np.geomspace(each[0], each[-1], 50) for each in (sizes, text)])
    parts = []
    for entries in np.unique(rows[1]):
        there = rows[:, rows[1] == entries]
        found = griddata(there[[0, 2]].T, there[3], line.T, method="cubic")
        parts.append(np.stack([line[0], np.full(50, entries), line[1], found])[:, ~np.isnan(found)])
    return np.concatenate(parts, axis=1)


def _between_vocabularies(rows: Floats) -> Floats:
    """At each size's last point of training, 20 vocabularies, tokens held."""
    grid = np.geomspace(rows[1].min(), rows[1].max(), 20)
    parts = []
    for size in np.unique(rows[0]):
        there = rows[:, rows[0] == size]
        ends = np.stack([
            each[:, each[2].argmax()]
            for entries in np.unique(there[1])
            for each in [there[:, there[1] == entries]]
        ], axis=1)  # fmt: skip
        if ends.shape[1] < LEAST_VOCABULARIES:
            continue
        tokens = np.mean(ends[2] * _tokens_per_character(ends[1]))
        found = interp1d(ends[1], ends[3], kind="quadratic", fill_value="extrapolate")(grid)
        parts.append(
            np.stack([np.full(20, size), grid, tokens / _tokens_per_character(grid), found])
        )
    return np.concatenate(parts, axis=1) if parts else rows[:, :0]


def _line(c: Floats, y: Floats, slope: float | None) -> tuple[float, ...]:
    """(intercept,) at a given slope, else (intercept, slope), by summed Huber loss.

    As in the release: of the places where L-BFGS-B comes to rest, from a grid of starts, the one
    of least squared error. Along so broad an envelope the Huber loss alone leaves the slope open
    (0.436 at its minimum on the published runs, 0.416 as published, 0.417 by least squares).
    """

    def off(theta: Floats) -> Floats:
        return theta[0] + (slope if slope is not None else theta[1]) * c - y

    def cost(theta: Floats) -> float:
        return float(huber(HUBER_DELTA, off(theta)).sum())

    slopes = [()] if slope is not None else [(each,) for each in np.linspace(0, 1, 20)]
    rests = [
        minimize(cost, np.array([intercept, *each]), method="L-BFGS-B").x
        for intercept in np.linspace(-20, 15, 20)
        for each in slopes
    ]
    best = min(rests, key=lambda theta: float(np.square(off(theta)).mean()))
    return tuple(float(each) for each in best)
