"""Continual pre-training: some of the old mixture among the new, so that less is forgotten."""

import math
from collections.abc import Mapping
from typing import Literal

# Ibrahim et al. 2024 (arXiv 2403.08763): 5 % replay for a weak shift of distribution (web to
# better web), 25 % for a strong one (English to German), 405 M and 10 B parameters.
SHARES = {"weak": 0.05, "strong": 0.25}


def with_replay(
    new: Mapping[str, float], base: Mapping[str, float], share: float
) -> dict[str, float]:
    """New weights at 1 - `share`, and the base mixture's at `share`, in its own proportions.

    A source of both has both parts.
    """
    names = sorted({*new, *base})
    whole = sum(base.values())
    return {
        name: (1 - share) * new.get(name, 0.0)
        + (share * base.get(name, 0.0) / whole if whole else 0.0)
        for name in names
    }


def total_with_replay(total: int, share: float, how: Literal["replace", "add"]) -> int:
    """Sequences of the run: `total` when replay replaces new text, more when it is added to it.

    Added replay makes D_new / (1 - share) of D_new (Ibrahim et al. 2024, section 4).
    """
    return total if how == "replace" else math.ceil(total / (1 - share))
