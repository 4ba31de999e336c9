"""Scaling laws from one's own runs: the parametric Huber fit and IsoFLOP parabolas."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llm_data_assets.planning.laws import Frontier, Surface

Floats = NDArray[np.float64]
HUBER_DELTA = 1e-3  # Hoffmann et al. 2022, section 3.3
# Besiroglu et al. 2024 leave out the 5 highest losses of 245.
OUTLIER_SHARE = 0.02
LEAST_RUNS = 10  # twice the constants that are fitted
_STARTS = (
    (6.0, 6.0, 0.5, 0.34, 0.28), (6.0, 8.0, 0.6, 0.35, 0.37), (5.0, 5.0, 0.0, 0.5, 0.5),
    (10.0, 10.0, 0.5, 0.5, 0.5), (5.0, 10.0, 1.0, 0.25, 0.5),
)  # fmt: skip


@dataclass(frozen=True)
class ParametricFit:
    """A fitted surface, its summed Huber objective, runs used, and log residuals (runs,)."""

    surface: Surface
    objective: float
    runs: int
    residuals: Floats


def without_outliers(loss: Floats, highest: int | None = None) -> NDArray[np.bool_]:
    """Mask of runs to fit: all but the `highest` losses, 2 % of them unless told."""
    dropped = round(len(loss) * OUTLIER_SHARE) if highest is None else highest
    keep = np.ones(len(loss), dtype=np.bool_)
    keep[np.argsort(-loss, kind="stable")[:dropped]] = False
    return keep


def objective(theta: Floats, params: Floats, tokens: Floats, loss: Floats) -> float:
    """Sum of Huber losses of log residuals at theta = (ln A, ln B, ln E, alpha, beta)."""
    return _value_and_gradient(theta, np.log(params), np.log(tokens), np.log(loss))[0]


def _residuals(theta: Floats, x: Floats, y: Floats, z: Floats) -> tuple[Floats, Floats]:
    terms = np.stack([theta[0] - theta[3] * x, theta[1] - theta[4] * y, np.full_like(x, theta[2])])
    top = terms.max(axis=0)
    predicted = top + np.log(np.exp(terms - top).sum(axis=0))
    return predicted - z, np.exp(terms - predicted)


def _value_and_gradient(theta: Floats, x: Floats, y: Floats, z: Floats) -> tuple[float, Floats]:
    residual, shares = _residuals(theta, x, y, z)
    size = np.abs(residual)
    value = np.where(
        size <= HUBER_DELTA, 0.5 * residual**2, HUBER_DELTA * (size - 0.5 * HUBER_DELTA)
    ).sum()
    slope = np.clip(residual, -HUBER_DELTA, HUBER_DELTA)
    by_term = shares * slope
    gradient = np.array([*by_term.sum(axis=1), -(by_term[0] * x).sum(), -(by_term[1] * y).sum()])
    return float(value), gradient


def fit_parametric(
    params: Floats, tokens: Floats, loss: Floats, starts: tuple[tuple[float, ...], ...] = _STARTS
) -> ParametricFit:
    """The surface E + A/N^alpha + B/D^beta of least summed Huber loss (Hoffmann 2022, eq. 3).

    BFGS and L-BFGS-B take turns on a scaled objective: a single L-BFGS run on the plain one
    stops early, which is how the published constants came to be off (Besiroglu 2024).

    Args:
        params, tokens, loss: (runs,) each, positive.

    Raises:
        ValueError: fewer than 10 runs, values that are not positive, or no spread in size or data.
    """
    _check(params, tokens, loss)
    data = np.log(params), np.log(tokens), np.log(loss)

    def scaled(theta: Floats) -> tuple[float, Floats]:
        value, gradient = _value_and_gradient(theta, *data)
        return value * 1e3, gradient * 1e3

    found = [_descend(scaled, np.array(start)) for start in starts]
    theta = min(found, key=lambda each: scaled(each)[0])
    a, b, e, alpha, beta = (float(each) for each in theta)
    surface = Surface(float(np.exp(a)), float(np.exp(b)), float(np.exp(e)), alpha, beta)
    return ParametricFit(surface, scaled(theta)[0] / 1e3, len(loss), _residuals(theta, *data)[0])


def _descend(scaled: Callable[[Floats], tuple[float, Floats]], theta: Floats) -> Floats:
    from scipy.optimize import minimize  # 0.2 s and 40 MB: for who fits

    for _ in range(8):
        before = scaled(theta)[0]
        for method in ("BFGS", "L-BFGS-B"):
            # Line searches may step far off, where exp() overflows to a rejected infinity.
            with np.errstate(over="ignore", invalid="ignore"):
                step = minimize(scaled, theta, jac=True, method=method)
            if np.isfinite(step.fun) and step.fun <= scaled(theta)[0]:
                theta = np.asarray(step.x, dtype=np.float64)
        if before - scaled(theta)[0] < 1e-12:
            break
    return theta


def _check(params: Floats, tokens: Floats, loss: Floats) -> None:
    if len(loss) < LEAST_RUNS:
        raise ValueError(
            f"{len(loss)} runs are too few for five constants. Try: {LEAST_RUNS} or more, over "
            "several sizes and amounts of data"
        )
    for name, values in (("params", params), ("tokens", tokens), ("loss", loss)):
        wrong = np.flatnonzero(~(np.isfinite(values) & (values > 0)))
        if len(wrong):
            raise ValueError(
                f"{name} of run {wrong[0] + 1} is {values[wrong[0]]}. Try: positive numbers only"
            )
    for name, values in (("params", params), ("tokens", tokens)):
        if values.max() < 2 * values.min():
            raise ValueError(
                f"all runs have about the same {name}, so its exponent is unknown. Try: runs whose "
                f"{name} differ tenfold"
            )


def bootstrap(
    params: Floats, tokens: Floats, loss: Floats, fit: Surface, *, samples: int, seed: int = 0
) -> dict[str, tuple[float, float, float]]:
    """(standard error, 2.5 %, 97.5 %) of each constant, over resampled runs.

    Each resample starts from `fit`; a, the exponent of N_opt, is among the constants.
    """
    logs = (float(each) for each in np.log([fit.A, fit.B, fit.E]))
    start = ((*logs, fit.alpha, fit.beta),)
    generator = np.random.Generator(np.random.PCG64(seed))
    rows = []
    for _ in range(samples):
        pick = generator.integers(0, len(loss), len(loss))
        each = fit_parametric(params[pick], tokens[pick], loss[pick], start).surface
        rows.append([*np.log([each.A, each.B, each.E]), each.alpha, each.beta, each.exponent])
    table = np.array(rows)
    low, high = np.percentile(table, [2.5, 97.5], axis=0)
    names = ("ln_A", "ln_B", "ln_E", "alpha", "beta", "a")
    spread = table.std(axis=0, ddof=1)
    return {name: (float(spread[i]), float(low[i]), float(high[i])) for i, name in enumerate(names)}


@dataclass(frozen=True)
class IsoFlopFit:
    """Optimal size at each budget, the power law through them, and why budgets were refused."""

    budgets: list[tuple[float, float, float]]  # FLOP, parameters, tokens
    frontier: Frontier
    refused: list[str]


def fit_isoflop(params: Floats, flops: Floats, loss: Floats) -> IsoFlopFit:
    """Parabolas of loss in ln N at each compute, then a line in ln C (Hoffmann 2022, 3.2).

    Runs within 10 % of the next one's compute are one budget.

    Args:
        params, flops, loss: (runs,) each.

    Raises:
        ValueError: fewer than two budgets have five runs around a minimum.
    """
    order = np.argsort(flops, kind="stable")
    cuts = np.flatnonzero(np.diff(np.log(flops[order])) > 0.1) + 1
    budgets, refused = [], []
    for group in np.split(order, cuts):
        compute = float(np.exp(np.log(flops[group]).mean()))
        best, reason = _vertex(np.log(params[group]), loss[group])
        if reason:
            refused.append(f"{compute:.3g} FLOP: {reason}")
        else:
            budgets.append((compute, best, compute / (6 * best)))
    if len(budgets) < 2:
        raise ValueError(
            f"a minimum is bracketed at {len(budgets)} budgets and a law needs 2: "
            f"{'; '.join(refused) or 'one budget only'}. Try: at least five sizes a budget, some "
            "on each side of the best"
        )
    logs = np.log(np.array(budgets))
    a, n = np.polyfit(logs[:, 0], logs[:, 1], 1)
    b, d = np.polyfit(logs[:, 0], logs[:, 2], 1)
    frontier = Frontier(float(np.exp(n)), float(a), float(np.exp(d)), float(b))
    return IsoFlopFit(budgets, frontier, refused)


def _vertex(x: Floats, loss: Floats) -> tuple[float, str]:
    """Parameters at the vertex, or the reason there is none."""
    if len(np.unique(x)) < 5:
        return 0.0, f"{len(np.unique(x))} sizes are too few"
    centre = x.mean()
    q2, q1, q0 = np.polyfit(x - centre, loss, 2)
    if q2 <= 0:
        return 0.0, "the losses have no minimum"
    vertex = centre - q1 / (2 * q2)
    if not x.min() <= vertex <= x.max():
        return 0.0, "the minimum lies outside the sizes"
    residual = loss - np.polyval([q2, q1, q0], x - centre)
    if 1 - residual.var() / loss.var() < 0.9:
        return 0.0, "the parabola explains less than 90 % of the losses"
    return float(np.exp(vertex)), ""
