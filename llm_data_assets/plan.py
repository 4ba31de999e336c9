"""`llm-data plan`: options to a report, as JSON for programs and lines for people."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.mixing.recipe import plan_recipe, sources_of
from llm_data_assets.mixing.replay import SHARES
from llm_data_assets.planning.budget import Given, answer, remarks, vocabulary
from llm_data_assets.planning.continual import continual_advice
from llm_data_assets.planning.fitting import (
    bootstrap,
    fit_isoflop,
    fit_parametric,
    without_outliers,
)
from llm_data_assets.planning.gap import gaps
from llm_data_assets.planning.laws import STANDARD
from llm_data_assets.planning.quantities import flops_of_hours, parse_quantity, readable
from llm_data_assets.stages.inventory import tokens_of_sources


def given_of(quantities: dict[str, str | None], device: str | None, utilisation: float) -> Given:
    """The budget of the options, by option name, units read.

    Raises:
        ConfigError: a quantity that cannot be read, or hours without a device.
    """
    read = {name: parse_quantity(name, text) for name, text in quantities.items() if text}
    flops, hours = read.get("--flops"), read.get("--gpu-hours")
    if hours is not None:
        if flops is not None:
            raise ConfigError("--gpu-hours", "", "compute was given twice", "leave out --flops")
        if device is None:
            raise ConfigError("--gpu-hours", "", "no device was named", "--device H100")
        flops = flops_of_hours(hours, device, utilisation)
    return Given(
        flops,
        read.get("--params"),
        read.get("--tokens"),
        read.get("--unique-tokens"),
        read.get("--inference-tokens", 0.0),
    )


def budget_report(given: Given, names: list[str], home: Path) -> dict[str, Any]:
    """The report of one budget: `laws`, `vocabulary`, `inventory` and `remarks`."""
    points = answer(given, names or STANDARD)
    sources = tokens_of_sources(home)
    there = sum(sources.values())
    wanted = [point.tokens for point in points.values()]
    return {
        "laws": {name: asdict(point) for name, point in points.items()},
        "vocabulary": vocabulary(given, points),
        "inventory": {
            "tokens": there,
            "sources": sources,
            "wanted_low": min(wanted),
            "wanted_high": max(wanted),
            "shortfall_low": max(0.0, min(wanted) - there),
            "shortfall_high": max(0.0, max(wanted) - there),
        },
        "remarks": remarks(given, points),
    }


def budget_lines(report: dict[str, Any]) -> list[str]:
    """What follows the table of laws."""
    words, stock = report["vocabulary"], report["inventory"]
    lines = [
        f"vocabulary for {readable(words['params'])} parameters: {words['low']:,} to "
        f"{words['high']:,} entries (IsoFLOP {words['isoflop']:,}, derivative "
        f"{words['derivative']:,}, parametric {words['parametric']:,})"
        + ("; an extrapolation from models up to 2.87B" if words["extrapolated"] else "")
    ]
    lines += report["remarks"]
    if not stock["sources"]:
        return [*lines, "inventory: no tokenized_corpus in this home. Try: `llm-data run`"]
    low, high = readable(stock["shortfall_low"]), readable(stock["shortfall_high"])
    return [
        *lines,
        f"inventory: {readable(stock['tokens'])} tokens in {len(stock['sources'])} sources; "
        + (f"short of {low} to {high}" if stock["shortfall_high"] else "enough under every law"),
    ]


def recipe_gaps(workspace: Workspace, name: str, total: float) -> list[dict[str, Any]]:
    """Each source's tokens in a run of `total` tokens under a recipe, beside those there.

    Shares are those of the recipe's own run over the inventory, caps and bounds included.

    Raises:
        ConfigError: an unknown recipe, or one that the inventory cannot serve.
    """
    recipes = workspace.pipeline.model.recipes
    if name not in recipes:
        raise ConfigError("--recipe", "", f"{name!r} is unknown", f"one of {', '.join(recipes)}")
    recipe = recipes[name]
    there = tokens_of_sources(workspace.home)
    taking_part = sources_of(recipe, recipes, workspace.sources)
    packed = {each: there.get(each, 0) // recipe.sequence_length for each in taking_part}
    if not any(packed.values()):
        raise ConfigError("--recipe", name, "its sources have no tokens", "`llm-data run`")
    try:
        phases = plan_recipe(recipe, recipes, workspace.catalog.model.sources, packed)
        counts: dict[str, int] = {}
        for row in (row for phase in phases for row in phase.rows):
            counts[row.source] = counts.get(row.source, 0) + row.sequences
        shares = {each: count / sum(counts.values()) for each, count in counts.items()}
        return [asdict(each) for each in gaps(shares, there, total, recipe.max_epochs)]
    except ValueError as error:
        problem, _, way_out = str(error).partition(". Try: ")
        raise ConfigError("--recipe", name, problem, way_out or "another recipe") from error


def readable_gaps(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The gaps with counts and shares as people read them."""
    ratios = {"source", "epochs", "next_epoch_value"}
    return [
        {
            name: readable(value)
            if name not in ratios
            else f"{value:.3g}"
            if name != "source"
            else value
            for name, value in row.items()
        }
        for row in rows
    ]


def continual(given: Given, shift: str) -> dict[str, Any]:
    """Advice for --tokens of new text.

    Raises:
        ConfigError: an unknown shift, or no tokens.
    """
    if shift not in SHARES:
        raise ConfigError("--continual", "", f"{shift!r} is unknown", f"one of {', '.join(SHARES)}")
    if given.tokens is None:
        raise ConfigError("--continual", "", "no new tokens were given", "--tokens 100B")
    return asdict(continual_advice(round(given.tokens), shift))


# Names of a column of runs; the last are those of the published points.
_COLUMNS = {
    "params": ("params", "n", "model size"),
    "tokens": ("tokens", "d"),
    "flops": ("flops", "c", "training flop"),
    "loss": ("loss",),
}


def fit_report(runs: Path, drop_highest: int | None, samples: int) -> dict[str, Any]:
    """Both fits of a CSV of runs: constants with intervals, residuals, and what was left out.

    Raises:
        ConfigError: no such file or column, or runs that cannot be fitted.
    """
    data = _read_runs(runs)
    keep = without_outliers(data["loss"], drop_highest)
    kept = {name: values[keep] for name, values in data.items()}
    three = kept["params"], kept["tokens"], kept["loss"]
    try:
        found = fit_parametric(*three)
        every = fit_parametric(data["params"], data["tokens"], data["loss"])
    except ValueError as error:
        problem, _, way_out = str(error).partition(". Try: ")
        raise ConfigError("--fit", str(runs), problem, way_out) from error
    intervals = bootstrap(*three, found.surface, samples=samples) if samples else {}
    try:
        parabolas = fit_isoflop(kept["params"], kept["flops"], kept["loss"])
        isoflop: dict[str, Any] = asdict(parabolas)
    except ValueError as error:
        isoflop = {"problem": str(error)}
    return {
        "parametric": {
            **asdict(found.surface),
            "a": found.surface.exponent,
            "objective": found.objective,
            "runs": found.runs,
            "left_out": int((~keep).sum()),
            "residuals": found.residuals.tolist(),
            "intervals": {
                name: {"standard_error": each[0], "low": each[1], "high": each[2]}
                for name, each in intervals.items()
            },
        },
        "all_runs": {**asdict(every.surface), "objective": every.objective, "runs": every.runs},
        "isoflop": isoflop,
    }


def _read_runs(runs: Path) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
    if not runs.is_file():
        raise ConfigError("--fit", str(runs), "is no file", "a CSV with params, tokens and loss")
    try:
        frame = pl.read_csv(runs)
        by_name = {name.strip().lower(): name for name in frame.columns}
        data = {
            column: frame[by_name[name]].cast(pl.Float64).drop_nulls().to_numpy()
            for column, names in _COLUMNS.items()
            for name in names
            if name in by_name
        }
    except pl.exceptions.PolarsError as error:
        raise ConfigError("--fit", str(runs), str(error), "numbers in every row") from error
    if not {"params", "loss"} <= data.keys() or not {"tokens", "flops"} & data.keys():
        raise ConfigError(
            "--fit", str(runs), f"has columns {', '.join(frame.columns)}",
            "name them params, tokens (or flops) and loss",
        )  # fmt: skip
    if len({len(values) for values in data.values()}) > 1:
        raise ConfigError("--fit", str(runs), "has empty cells", "a number in every row")
    if "tokens" not in data:
        data["tokens"] = data["flops"] / (6 * data["params"])
    data.setdefault("flops", 6 * data["params"] * data["tokens"])
    return data


def fit_lines(report: dict[str, Any]) -> list[str]:
    """The fit for people."""
    found, every, parabolas = report["parametric"], report["all_runs"], report["isoflop"]
    names = ("A", "B", "E", "alpha", "beta", "a")
    lines = [
        f"L = E + A/N^alpha + B/D^beta on {found['runs']} runs, {found['left_out']} highest losses "
        f"left out (--drop-highest changes that); objective {found['objective']:.6g}",
        "  ".join(f"{name}={found[name]:.6g}" for name in names),
        f"with all {every['runs']} runs: "
        + "  ".join(f"{name}={every[name]:.6g}" for name in names[:-1]),
    ]
    lines += [
        f"{name}: standard error {each['standard_error']:.3g}, 95 % of resamples within "
        f"{each['low']:.5g} to {each['high']:.5g}"
        for name, each in found["intervals"].items()
    ]
    if "problem" in parabolas:
        return [*lines, f"IsoFLOP: {parabolas['problem']}"]
    front = parabolas["frontier"]
    return [
        *lines,
        f"IsoFLOP over {len(parabolas['budgets'])} budgets: N = {front['n']:.4g}·C^{front['a']:.4f}"
        f", D = {front['d']:.4g}·C^{front['b']:.4f}",
        *(f"refused: {each}" for each in parabolas["refused"]),
    ]
