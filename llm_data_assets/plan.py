"""`llm-data plan`: options to a report, as JSON for programs and lines for people."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.planning.budget import Given, answer, remarks, vocabulary
from llm_data_assets.planning.fitting import (
    bootstrap,
    fit_isoflop,
    fit_parametric,
    without_outliers,
)
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
