"""How far a signal's distribution moved: population stability index and Jensen-Shannon."""

from dataclasses import dataclass

import numpy as np

BINS = 10  # deciles of the reference
# A share below this would make one document weigh without bound.
FLOOR = 1e-4


@dataclass(frozen=True)
class Drift:
    """Between a reference and new values.

    psi: sum of (p - q) ln(p / q) over bins. js: Jensen-Shannon divergence, nats. chance: the PSI
    that two samples of one distribution show on average.
    """

    psi: float
    js: float
    chance: float


def drift(reference: np.ndarray, new: np.ndarray) -> Drift | None:
    """Drift of float64[n] against float64[m], over the reference's deciles; None if one is empty.

    Equal deciles make one bin. NaN is left out.
    """
    reference, new = reference[~np.isnan(reference)], new[~np.isnan(new)]
    if not len(reference) or not len(new):
        return None
    inner = np.unique(np.quantile(reference, np.arange(1, BINS) / BINS))
    p, q = _shares(reference, inner), _shares(new, inner)
    chance = (len(p) - 1) * (1 / len(reference) + 1 / len(new))
    return Drift(psi(p, q), jensen_shannon(p, q), chance)


def _shares(values: np.ndarray, inner: np.ndarray) -> np.ndarray:
    bins = np.searchsorted(inner, values, "left")
    return np.bincount(bins, minlength=len(inner) + 1) / len(values)


def psi(p: np.ndarray, q: np.ndarray) -> float:
    """Population stability index of two distributions: KL(p, q) + KL(q, p), in nats."""
    p, q = _floored(p), _floored(q)
    return float(((p - q) * np.log(p / q)).sum())


def jensen_shannon(p: np.ndarray, q: np.ndarray) -> float:
    """Jensen-Shannon divergence of two distributions, in nats (Lin 1991)."""
    p, q = _floored(p), _floored(q)
    middle = (p + q) / 2
    return float(((p * np.log(p / middle)) + (q * np.log(q / middle))).sum() / 2)


def _floored(p: np.ndarray) -> np.ndarray:
    raised = np.maximum(np.asarray(p, np.float64), FLOOR)
    return raised / raised.sum()
