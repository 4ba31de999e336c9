"""Plan: a budget under every scaling law, beside the tokens there are."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.pipeline import VALIDATION
from llm_data_assets.studio.reader import Panel, Reader, Row, where

if TYPE_CHECKING:
    from llm_data_assets.planning.budget import Point
    from llm_data_assets.planning.laws import Law, Surface

FIELDS = ("flops", "params", "tokens", "gpu_hours", "unique_tokens", "inference_tokens")
_DEFAULT = {"params": "125M"}  # GPT-2's smallest: where no plan stands in the pipeline


def page(reader: Reader, query: Mapping[str, str]) -> dict[str, Any]:
    """The budget of the query, else that of the pipeline's `plan`, under every law and `recipe`."""
    from llm_data_assets.planning.quantities import DEVICES  # SciPy: only where it is asked for

    asked = {name: query[name].strip() for name in FIELDS if query.get(name, "").strip()}
    recipes = [
        row["recipe"] for row in reader.rows("SELECT DISTINCT recipe FROM mixture ORDER BY 1")
    ]
    recipe = query.get("recipe") or (recipes[0] if recipes else "")
    planned = _of_pipeline(reader)
    own = bool(asked)
    asked = asked or {name: planned[name] for name in FIELDS if planned.get(name)} or _DEFAULT
    device = query.get("device") or planned.get("device") or "H100"
    law = query.get("law") or planned.get("law") or "chinchilla_1"
    fitted, fit_drawn = _fitted(reader)
    panels, pictures, problem, said = _answer(reader, asked, device, law, recipe, fitted)
    return {
        "panels": [*panels, _planned(reader, recipe), _verdicts(reader), fitted],
        "fit_pictures": fit_drawn, "laws": _law_names(fitted),
        "asked": asked, "own": own, "device": device, "devices": list(DEVICES), "law": law,
        "recipe": recipe, "recipes": recipes, "pictures": pictures, "problem": problem,
        "remarks": said,
    }  # fmt: skip


def _of_pipeline(reader: Reader) -> dict[str, str]:
    plan = reader.workspace.pipeline.model.plan
    names = (*FIELDS, "device", "law")
    return {name: str(value) for name in names if (value := getattr(plan, name, None)) is not None}


def _answer(
    reader: Reader, asked: Mapping[str, str], device: str, law: str, recipe: str, fitted: Panel
) -> tuple[list[Panel], dict[str, str], str, list[str]]:
    """Panels, pictures, what is wrong with the question, and what must be known beside it."""
    from llm_data_assets.planning.budget import answer, given_of, remarks
    from llm_data_assets.planning.laws import LAWS, STANDARD, Law
    from llm_data_assets.planning.pictures import budget_dots
    from llm_data_assets.planning.quantities import UTILISATION

    options = {f"--{name.replace('_', '-')}": value for name, value in asked.items()}
    command = "llm-data plan " + " ".join(f"{name} {value}" for name, value in options.items())
    if "gpu_hours" in asked:
        command += f" --device {device}"
    utilisation = reader.workspace.pipeline.model.plan.utilisation or UTILISATION
    try:
        given = given_of(options, device, utilisation)
        own = _surface(fitted)
        names = dict.fromkeys([*STANDARD, *(["own"] if own else []), law])
        points = answer(given, list(names), own)
    except (ConfigError, OverflowError, ZeroDivisionError) as error:
        return [], {}, str(error), []
    laws = [
        {"law": name, "params": round(point.params), "tokens": round(point.tokens),
         "flops": f"{point.flops:.3g}", "tokens a param": point.tokens / point.params,
         "loss": point.loss}
        for name, point in points.items()
    ]  # fmt: skip
    panels = [Panel("laws", "The budget under each law", "", laws, command=command)]
    chosen = Law("own", own.frontier(), own.loss, "") if own and law == "own" else LAWS[law]
    pictures = {
        "budget": budget_dots(laws),
        **_surfaces(chosen, points),
    }  # fmt: skip
    wanted = _gap(reader, recipe, points[law].tokens, law, command)
    return [*panels, wanted[0]], {**pictures, **wanted[1]}, "", remarks(given, points)


def _surfaces(law: "Law", points: Mapping[str, "Point"]) -> dict[str, str]:
    from llm_data_assets.planning.pictures import loss_curves, loss_surface

    flops = points[law.name].flops
    dots = {name: (point.params, point.tokens) for name, point in points.items()}
    title = f"Lines of equal loss under {law.name}"
    return {
        "loss surface": loss_surface(title, law.loss, law.frontier, flops, dots),
        "isoflop": loss_curves(law.loss, law.frontier, [flops / 100, flops / 10, flops]),
    }


def _gap(
    reader: Reader, recipe: str, total: float, law: str, command: str
) -> tuple[Panel, dict[str, str]]:
    """What the run of `total` tokens takes of each source, by the shares of mixture_plan."""
    from llm_data_assets.planning.gap import gaps
    from llm_data_assets.planning.pictures import epoch_values, wanted_and_there

    rows = reader.rows(
        f"""SELECT source, max(available_tokens) AS there, sum(sequences)::BIGINT AS sequences
FROM (FROM mixture {where(recipe=recipe)}) WHERE phase <> '{VALIDATION}'
GROUP BY source ORDER BY source"""
    )
    recipes = reader.workspace.pipeline.model.recipes
    there = {row["source"]: row["there"] for row in rows if row["there"] and row["sequences"]}
    taken = sum(row["sequences"] for row in rows if row["source"] in there)
    found: list[Row] = []
    if taken and recipe in recipes:
        shares = {r["source"]: r["sequences"] / taken for r in rows if r["source"] in there}
        found = [vars(gap) for gap in gaps(shares, there, total, recipes[recipe].max_epochs)]
    panel = Panel(
        "wanted",
        f"Tokens wanted of each source under {recipe or 'a recipe'}",
        "",
        [{**row, "wanted": round(row["wanted"]), "effective": round(row["effective"]),
          "shortfall": round(row["shortfall"])} for row in found],
        note=f"A run of the tokens of {law}, shared out as the mixture is. Shortfall: fresh text "
        "to add so that no source is read more often than the recipe's max_epochs.",
        fill="llm-data run --to mixture_plan",
        command=f"{command} --law {law} --recipe {recipe}",
    )  # fmt: skip
    if not found:
        return panel, {}
    return panel, {"wanted and there": wanted_and_there(found), "next pass": epoch_values(found)}


def _planned(reader: Reader, recipe: str) -> Panel:
    return reader.panel(
        "planned",
        "What the pipeline's plan wants",
        f"""SELECT source, wanted, there, there_low, there_high, basis, epochs, effective, shortfall
FROM source_gap {where(recipe=recipe)} ORDER BY shortfall DESC, source""",
        note="Stored: `plan` of pipeline.yaml holds an export against it.",
        fill="llm-data run --to data_gap, with a `plan` in pipeline.yaml",
    )


def _verdicts(reader: Reader) -> Panel:
    return reader.panel(
        "verdicts",
        "May the runs go out?",
        """SELECT partition AS recipe, passed, observed AS problems, expected, samples
FROM latest_checks WHERE "check" = 'plan_allows_export' ORDER BY 1""",
        fill="llm-data run --to data_gap",
    )


def _fitted(reader: Reader) -> tuple[Panel, dict[str, str]]:
    """The constants of one's own law, and the pictures that show whether to believe it."""
    panel = reader.panel(
        "fitted",
        "One's own law",
        "SELECT fit, name, value, standard_error, low, high FROM fitted_law ORDER BY fit, name",
        note="Fitted to the runs that `plan.runs` names; low and high hold 95 % of resamples.",
        fill="llm-data run --to scaling_fit, with plan.runs in pipeline.yaml",
    )
    surface = _surface(panel)
    if surface is None:
        return panel, {}
    from llm_data_assets.planning.pictures import fit_pictures

    runs = reader.rows("SELECT flops, params, tokens, loss, log_residual AS value FROM fitted_runs")
    return panel, fit_pictures(surface, runs)


def _surface(fitted: Panel) -> "Surface | None":
    from llm_data_assets.planning.laws import Surface

    found = {row["name"]: row["value"] for row in fitted.rows if row["fit"] == "parametric"}
    return Surface(*(found[name] for name in ("A", "B", "E", "alpha", "beta"))) if found else None


def _law_names(fitted: Panel) -> list[str]:
    from llm_data_assets.planning.laws import LAWS

    return [*LAWS, *(["own"] if fitted.rows else [])]
