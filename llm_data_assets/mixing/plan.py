"""The plan of a mixture: how many sequences each source gives, and what decided."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from llm_data_assets.mixing.weights import by_temperature, cap_epochs, largest_remainder


@dataclass(frozen=True)
class PlanRow:
    """What one source gives to the run. `weight` was asked for, `share` is planned."""

    source: str
    available_sequences: int
    weight: float
    share: float
    sequences: int
    epochs: float
    bound_by: str


def plan(
    available: Mapping[str, int],
    *,
    weights: Mapping[str, float] | None,
    alpha: float | None,
    max_epochs: float,
    total_sequences: int | None,
) -> list[PlanRow]:
    """Share `total_sequences` out among sources, by given weights or by temperature `alpha`.

    Without a total the run is one pass over everything there is.

    Raises:
        ValueError: a weighted source has no sequences, or the caps allow less than the total.
    """
    names = sorted(weights or available)
    for name in names:
        if weights and not available.get(name):
            raise ValueError(
                f"the recipe gives {name!r} a weight and it has no tokens. Try: remove it from "
                "`weights`, or see in `drops` why its documents left"
            )
    sizes = {name: available[name] for name in names}
    wanted = dict(weights) if weights else by_temperature(sizes, 1.0 if alpha is None else alpha)
    total = sum(sizes.values()) if total_sequences is None else total_sequences
    amounts = cap_epochs({name: wanted[name] for name in names}, sizes, total, max_epochs)
    counts = largest_remainder(amounts, total)
    rows = []
    for name in names:
        # Rounding up may pass a cap by less than one sequence.
        count = min(counts[name], math.ceil(max_epochs * sizes[name]))
        capped = amounts[name] >= max_epochs * sizes[name] * (1 - 1e-12)
        rows.append(
            PlanRow(
                source=name,
                available_sequences=sizes[name],
                weight=wanted[name],
                share=count / total if total else 0.0,
                sequences=count,
                epochs=count / sizes[name] if sizes[name] else 0.0,
                bound_by=(
                    "nothing to give"
                    if not sizes[name]
                    else "epoch cap"
                    if capped
                    else "weight"
                    if weights
                    else "temperature"
                ),
            )
        )
    return rows
