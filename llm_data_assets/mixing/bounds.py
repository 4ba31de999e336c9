"""Weights held within bounds on the shares of groups: no more than so much of one licence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_ROUNDS = 1_000
_CLOSE = 1e-9


@dataclass(frozen=True)
class Bound:
    """The share that `members` may have together; `name` says which group they are."""

    name: str
    members: frozenset[str]
    min: float = 0.0
    max: float = 1.0


def within_bounds(weights: Mapping[str, float], bounds: Sequence[Bound]) -> dict[str, float]:
    """The weights, scaled by groups until every bound holds; they sum to 1.

    Each bound in turn scales its group up or down and the rest the other way, so that inside a
    group and inside the rest proportions stay (iterative proportional fitting, Deming and
    Stephan 1940). Where no bound is crossed nothing changes.

    Raises:
        ValueError: the bounds cannot hold together; the message names one that does not.
    """
    whole = sum(weights.values())
    found = {name: weight / whole for name, weight in weights.items()} if whole else dict(weights)
    for _ in range(_ROUNDS):
        for bound in bounds:
            inside = _share(found, bound)
            wanted = min(max(inside, bound.min), bound.max)
            if wanted != inside:
                found = _scaled(found, bound.members, inside, wanted)
        crossed = [
            bound
            for bound in bounds
            if not bound.min - _CLOSE <= _share(found, bound) <= bound.max + _CLOSE
        ]
        if not crossed:
            return found
    wrong = crossed[0]
    raise ValueError(
        f"the share of {wrong.name} cannot be {wrong.min:g} to {wrong.max:g} beside the other "
        f"bounds (it comes to {_share(found, wrong):.4g}). Try: a wider bound, or sources that "
        "can fill it"
    )


def _share(weights: Mapping[str, float], bound: Bound) -> float:
    return sum(weight for name, weight in weights.items() if name in bound.members)


def _scaled(
    weights: Mapping[str, float], members: frozenset[str], inside: float, wanted: float
) -> dict[str, float]:
    outside = 1 - inside
    up = wanted / inside if inside else 0.0
    down = (1 - wanted) / outside if outside > _CLOSE else 0.0
    return {name: weight * (up if name in members else down) for name, weight in weights.items()}
