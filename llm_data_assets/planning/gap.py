"""Tokens wanted under a recipe against tokens there, source by source."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from llm_data_assets.mixing.plan import R_STAR_D
from llm_data_assets.planning.laws import effective_tokens


@dataclass(frozen=True)
class Gap:
    """One source of a run: tokens wanted and there, passes, what they are worth, what is missing.

    `shortfall` is the fresh text to add so that the source keeps to the cap on epochs.
    """

    source: str
    wanted: float
    there: int
    epochs: float
    effective: float
    next_epoch_value: float
    shortfall: float


def gaps(
    shares: Mapping[str, float], there: Mapping[str, int], total: float, max_epochs: float
) -> list[Gap]:
    """Each source's part of a run of `total` tokens, by its share.

    Args:
        shares: part of the run of each source, summing to 1.
        there: distinct tokens of each source.

    Raises:
        ValueError: a source with a share has no tokens.
    """
    rows = []
    for source in sorted(shares):
        wanted, have = shares[source] * total, there.get(source, 0)
        if wanted and not have:
            raise ValueError(
                f"{source!r} has a share of the recipe and no tokens. Try: `llm-data run --source "
                f"{source}`, or take it out of the recipe"
            )
        epochs = wanted / have if have else 0.0
        rows.append(
            Gap(
                source,
                wanted,
                have,
                epochs,
                effective_tokens(wanted, have) if have else 0.0,
                math.exp(-max(0.0, epochs - 1) / R_STAR_D),
                max(0.0, wanted / max_epochs - have),
            )
        )
    return rows
