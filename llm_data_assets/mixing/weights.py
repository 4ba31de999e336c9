"""Weights of a mixture: by temperature, under epoch caps, and rounded to whole sequences."""

from collections.abc import Mapping

import numpy as np


def by_temperature(sizes: Mapping[str, int], alpha: float) -> dict[str, float]:
    """Shares in proportion to size ** alpha (XLM-R and mT5: 0.3).

    A source without tokens has share 0.
    """
    powers = {name: size**alpha if size else 0.0 for name, size in sizes.items()}
    whole = sum(powers.values())
    return {name: power / whole if whole else 0.0 for name, power in powers.items()}


def unimax(sizes: Mapping[str, int], budget: float, caps: Mapping[str, float]) -> dict[str, float]:
    """UniMax (Chung et al. 2023, arXiv 2304.09151): as even as the caps of the sources allow.

    Returns amounts a source; they sum to the budget, or to the caps where these are less.

    Raises:
        ValueError: the caps together allow less than the budget.
    """
    _possible_within(caps, budget, sorted(caps))
    given: dict[str, float] = {}
    left = budget
    ascending = sorted(sizes, key=lambda name: (caps[name], name))
    for place, name in enumerate(ascending):
        given[name] = min(left / (len(ascending) - place), caps[name])
        left -= given[name]
    return {name: given[name] for name in sizes}


def cap_epochs(
    weights: Mapping[str, float], caps: Mapping[str, float], total: float
) -> dict[str, float]:
    """Amount of each source when none may exceed its cap.

    What a capped source cannot give is shared among the others by weight (water-filling).

    Raises:
        ValueError: all caps together allow less than `total`; the message says how much is
            missing and which sources are bound.
    """
    free = {name for name, weight in weights.items() if weight > 0}
    _possible_within(caps, total, sorted(free))
    amounts = dict.fromkeys(weights, 0.0)
    left = total
    while free:
        whole = sum(weights[name] for name in free)
        over = {name for name in free if left * weights[name] / whole > caps[name]}
        if not over:
            for name in free:
                amounts[name] = left * weights[name] / whole
            break
        for name in sorted(over):
            amounts[name] = caps[name]
            left -= caps[name]
        free -= over
    return amounts


def _possible_within(caps: Mapping[str, float], total: float, names: list[str]) -> None:
    possible = sum(caps[name] for name in names)
    if total > possible * (1 + 1e-12):
        bound = ", ".join(f"{name} {caps[name]:.0f}" for name in names)
        raise ValueError(
            f"the mixture asks for {total:.0f} sequences and the epoch caps allow {possible:.0f}: "
            f"{total - possible:.0f} are missing ({bound}). Try: a smaller total_tokens, a higher "
            "max_epochs, or more sources"
        )


def largest_remainder(amounts: Mapping[str, float], total: int) -> dict[str, int]:
    """Whole numbers in proportion to `amounts` that sum to `total`; ties go to the earlier name."""
    names = list(amounts)
    values = np.array([amounts[name] for name in names], np.float64)
    exact = values / values.sum() * total if values.sum() else values
    floors = np.floor(exact).astype(np.int64)
    order = np.argsort(-(exact - floors), kind="stable")
    floors[order[: total - int(floors.sum())]] += 1
    return dict(zip(names, floors.tolist(), strict=True))
