"""The plan of a mixture: how many sequences each source gives, and what decided."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from llm_data_assets.mixing.weights import by_temperature, cap_epochs, largest_remainder, unimax

Weighting = Literal["temperature", "unimax"]
# Muennighoff et al. 2023 (arXiv 2305.16264), table 1: repeated tokens lose their value with a
# half-life of R*_D epochs.
R_STAR_D = 15.387756


@dataclass(frozen=True)
class PlanRow:
    """What one source gives to a phase of the run.

    `weight` was asked for, `share` is planned, both of the phase. `epochs` are passes up to the
    end of the phase; `next_epoch_value` is what a further pass is worth, 1 being fresh text.
    """

    source: str
    available_sequences: int
    weight: float
    share: float
    sequences: int
    epochs: float
    next_epoch_value: float
    bound_by: str


def plan(
    available: Mapping[str, int],
    *,
    weights: Mapping[str, float] | None,
    alpha: float = 1.0,
    weighting: Weighting = "temperature",
    max_epochs: float,
    total_sequences: int | None,
    given: Mapping[str, int] | None = None,
) -> list[PlanRow]:
    """Share `total_sequences` out among sources: by given weights, by temperature, or by UniMax.

    Without a total the run is one pass over everything there is.

    Args:
        available: packed sequences of each source.
        given: sequences that earlier phases took; caps count them.

    Raises:
        ValueError: a weighted source has no sequences, or the caps allow less than the total.
    """
    before = given or {}
    names = sorted(weights or available)
    for name in names:
        if weights and weights[name] > 0 and not available.get(name):
            raise ValueError(
                f"the recipe gives {name!r} a weight and it has no tokens. Try: remove it from "
                "`weights`, or see in `drops` why its documents left"
            )
    sizes = {name: available[name] for name in names}
    caps = {name: max(0.0, max_epochs * sizes[name] - before.get(name, 0)) for name in names}
    total = sum(sizes.values()) if total_sequences is None else total_sequences
    wanted, amounts = _amounts(weights, weighting, alpha, sizes, caps, total)
    counts = largest_remainder(amounts, total)
    rows = []
    for name in names:
        # Rounding up may pass a cap by less than one sequence.
        count = min(counts[name], math.ceil(caps[name]))
        epochs = (before.get(name, 0) + count) / sizes[name] if sizes[name] else 0.0
        capped = amounts[name] >= caps[name] * (1 - 1e-12)
        rows.append(
            PlanRow(
                source=name,
                available_sequences=sizes[name],
                weight=wanted[name],
                share=count / total if total else 0.0,
                sequences=count,
                epochs=epochs,
                next_epoch_value=math.exp(-max(0.0, epochs - 1) / R_STAR_D),
                bound_by=(
                    "nothing to give"
                    if not sizes[name]
                    else "epoch cap"
                    if capped
                    else "weight"
                    if weights
                    else weighting
                ),
            )
        )
    return rows


def _amounts(
    weights: Mapping[str, float] | None,
    weighting: Weighting,
    alpha: float,
    sizes: Mapping[str, int],
    caps: Mapping[str, float],
    total: int,
) -> tuple[dict[str, float], dict[str, float]]:
    """The share that each source is asked for, and the sequences that it gives under its cap."""
    if weights is None and weighting == "unimax":
        amounts = unimax(sizes, total, caps)
        whole = sum(amounts.values())
        return {name: each / whole if whole else 0.0 for name, each in amounts.items()}, amounts
    wanted = {name: weights[name] for name in sizes} if weights else by_temperature(sizes, alpha)
    return wanted, cap_epochs(wanted, caps, total)
