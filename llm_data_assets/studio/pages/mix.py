"""Mixture and budget: what each source gives, how often, and what a further pass is worth."""

from collections.abc import Mapping
from typing import Any

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.studio.charts import curve
from llm_data_assets.studio.reader import Reader, where

_MOST_EPOCHS = 20  # of the repetition curve


def page(reader: Reader, query: Mapping[str, str]) -> dict[str, Any]:
    """The plan of `recipe`, and a budget of `params` parameters beside the tokens there are."""
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
        """SELECT coalesce(license, 'unknown') AS license, count(*) AS docs,
       sum(n_bytes)::BIGINT AS bytes
FROM filtered_corpus GROUP BY 1 ORDER BY bytes DESC""",
        fill="llm-data run --to filtered_corpus",
    )
    available = sum({row["source"]: row["available_tokens"] for row in plan.rows}.values())
    most = min(max((row["epochs"] or 0 for row in plan.rows), default=0), _MOST_EPOCHS)
    worth = [(e / 4, effective_tokens(e / 4, 1.0)) for e in range(0, 4 * _MOST_EPOCHS + 1)]
    return {
        "panels": [plan, licences],
        "recipe": recipe,
        "recipes": recipes,
        "available": available,
        "repetition": curve(
            worth,
            second=[(0, 0), (_MOST_EPOCHS, _MOST_EPOCHS)],
            dots=[(most, effective_tokens(most, 1.0), f"most repeated here: {most:.3g}")],
            across="passes over the same text",
        ),
        **_budget(query, available),
    }  # fmt: skip


def _budget(query: Mapping[str, str], available: int) -> dict[str, Any]:
    """What each law asks for a model of so many parameters, beside what there is."""
    from llm_data_assets.planning.budget import Given, answer
    from llm_data_assets.planning.laws import STANDARD
    from llm_data_assets.planning.quantities import parse_quantity, readable

    try:
        params = parse_quantity("--params", query.get("params") or "125M")
        points = answer(Given(params=params, unique=float(available) or None), STANDARD)
    except (ValueError, OverflowError, ConfigError) as error:
        return {"params": query.get("params", ""), "laws": [], "budget_problem": str(error)}
    laws = [
        {"law": name, "tokens wanted": round(point.tokens), "loss": point.loss,
         "tokens here": available, "epochs needed": point.tokens / max(available, 1)}
        for name, point in points.items()
    ]  # fmt: skip
    return {"params": readable(params), "laws": laws, "budget_problem": ""}
