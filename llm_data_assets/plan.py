"""`llm-data plan`: options to a report, as JSON for programs and lines for people."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.planning.budget import Given, answer, remarks, vocabulary
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
