"""Mixture: what each source gives, how often, and what a further pass is worth."""

from collections.abc import Mapping
from typing import Any

from llm_data_assets.studio.charts import curve
from llm_data_assets.studio.reader import Reader, where

_MOST_EPOCHS = 20  # of the repetition curve


def page(reader: Reader, query: Mapping[str, str]) -> dict[str, Any]:
    """The plan of `recipe`, and what repetition is worth."""
    from llm_data_assets.planning.laws import effective_tokens  # SciPy: only where it is asked for

    recipes = [
        row["recipe"] for row in reader.rows("SELECT DISTINCT recipe FROM mixture ORDER BY 1")
    ]
    recipe = query.get("recipe") or (recipes[0] if recipes else "")
    plan = reader.panel(
        "plan",
        "What each source gives",
        f"""SELECT phase, source, available_tokens, weight, share, sequences, epochs,
       next_epoch_value, bound_by
FROM mixture {where(recipe=recipe)} ORDER BY phase, share DESC, source""",
        note="Epochs count passes over the source up to the end of the phase. The next epoch's "
        "value is the worth of a further pass; 1 is fresh text.",
        fill="llm-data run --to mixture_plan",
    )
    licences = reader.panel(
        "licences",
        "Licences",
        """SELECT license, sum(docs)::BIGINT AS docs, sum(bytes)::BIGINT AS bytes
FROM corpus_contents GROUP BY license ORDER BY bytes DESC, license""",
        fill="llm-data run --to filtered_corpus",
    )
    most = min(max((row["epochs"] or 0 for row in plan.rows), default=0), _MOST_EPOCHS)
    repetition = reader.computed(
        "repetition",
        "What repetition is worth",
        [{"passes": e / 4, "fresh_passes": effective_tokens(e / 4, 1.0)}
         for e in range(0, 4 * _MOST_EPOCHS + 1)],
        note="Line: fresh tokens that so many passes are worth (Muennighoff et al. 2023). "
        "Dashed: if every pass were fresh.",
    )  # fmt: skip
    return {
        "panels": [plan, licences, repetition],
        "recipe": recipe,
        "recipes": recipes,
        "picture": curve(
            [(row["passes"], row["fresh_passes"]) for row in repetition.rows],
            second=[(0, 0), (_MOST_EPOCHS, _MOST_EPOCHS)],
            dots=[(most, effective_tokens(most, 1.0), f"most repeated here: {most:.3g}")],
            across="passes over the same text",
        ),
    }
