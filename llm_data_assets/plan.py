"""`llm-data plan`: options to a report, as JSON for programs and lines for people."""

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import yaml

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.pipeline import Pipeline
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.catalog import quote, rows
from llm_data_assets.lake.models import load_models
from llm_data_assets.mixing.replay import SHARES
from llm_data_assets.planning.budget import Given, answer, remarks, vocabulary
from llm_data_assets.planning.continual import continual_advice
from llm_data_assets.planning.laws import STANDARD
from llm_data_assets.planning.pictures import fit_pictures, residual_cloud
from llm_data_assets.planning.quantities import readable
from llm_data_assets.stages.inventory import tokens_of_sources
from llm_data_assets.stages.scaling_fit import surface_of


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


def known_tables() -> dict[str, list[dict[str, Any]]]:
    """Published data sets, models and their numbers, from the SQL models of these names."""
    names = ("known_datasets", "known_models", "known_numbers")
    models = load_models()
    with duckdb.connect() as connection:
        for name in reversed(names):  # the first two read the third
            connection.execute(f"CREATE VIEW {quote(name)} AS {models[name]}")
        return {name: rows(connection, f"FROM {quote(name)}") for name in names}


def readable_known(tables: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """`known_tables` for people: a row a set or model, its numbers with their marks in one cell."""
    numbers: dict[str, list[str]] = {}
    for row in tables["known_numbers"]:
        said = f"{row['quantity']} {readable(row['value'])}, {row['mark']}"
        numbers.setdefault(row["name"], []).append(said + (f": {row['of']}" if row["of"] else ""))
    return {
        name: [
            {
                "name": row["name"],
                "numbers": "\n".join(numbers.get(row["name"], [])),
                **({"licence": row["licence"]} if "licence" in row else {}),
                "note": row["correction"],
            }
            for row in tables[name]
        ]
        for name in ("known_datasets", "known_models")
    }


def readable_gaps(rows: list[dict[str, Any]]) -> list[dict[str, str]]:
    """The gaps with counts and shares as people read them; an estimate has its interval."""
    return [
        {
            "source": row["source"],
            "wanted": readable(row["wanted"]),
            "there": readable(row["there"])
            if row["basis"] == "tokenized"
            else f"~{readable(row['there_low'])}-{readable(row['there_high'])}",
            "epochs": f"{row['epochs']:.3g}",
            "effective": readable(row["effective"]),
            "next_epoch": f"{row['next_epoch_value']:.3g}",
            "shortfall": readable(row["shortfall"]),
        }
        for row in rows
    ]


def gap_lines(rows: list[dict[str, Any]]) -> list[str]:
    """Which sources to add to, most wanted first, and where an estimate stands in for tokens."""
    short = sorted((row for row in rows if row["shortfall"] > 0), key=lambda row: -row["shortfall"])
    lines = [
        f"add {readable(row['shortfall'])} tokens of the kind of {row['source']}" for row in short
    ] or ["every source has enough"]
    return lines + [
        f"{row['source']} is not tokenized yet: {row['basis']}"
        for row in rows
        if row["basis"] != "tokenized"
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


def continual_recipe(
    workspace: Workspace, base: str, new: list[str], advice: dict[str, Any], shift: str
) -> str:
    """A recipe to paste into pipeline.yaml: the new sources, and the base recipe's replayed.

    Raises:
        ConfigError: an unknown recipe or source, or no new source.
    """
    model = workspace.pipeline.model
    if base not in model.recipes:
        raise ConfigError(
            "--recipe", "", f"{base!r} is unknown", f"one of {', '.join(model.recipes)}"
        )
    if not new:
        raise ConfigError(
            "--new-source", "", "no source of new text was named", "--new-source NAME"
        )
    for name in new:
        if name not in workspace.sources:
            raise ConfigError(
                "--new-source", "", f"{name!r} is unknown", f"one of {', '.join(workspace.sources)}"
            )
    settings = {
        "sources": sorted(new),
        "total_tokens": advice["new_tokens"],
        "sequence_length": model.recipes[base].sequence_length,
        "replay": {"recipe": base, "share": shift, "how": "add"},
    }
    Pipeline.model_validate({"recipes": {base: {}, f"{base}_continued": settings}})
    notes = (
        f"# {readable(advice['new_tokens'])} new and {readable(advice['replay_tokens'])} replayed",
        f"# learning rate: up to {advice['max_learning_rate']:g} over "
        f"{readable(advice['warm_up_tokens'])} tokens, then by cosine to "
        f"{advice['min_learning_rate']:g} over {readable(advice['decay_tokens'])}",
        f"# ({advice['source']})",
    )
    text = yaml.safe_dump({f"{base}_continued": settings}, sort_keys=False)
    return "\n".join(["recipes:", *(f"  {each}" for each in (*notes, *text.splitlines()))])


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


def write_fit(report: dict[str, Any], folder: Path) -> list[Path]:
    """constants.csv, residuals.csv and the pictures of a report by `fit_report`."""
    found = report["parametric"]
    values = {name: found[name] for name in ("A", "B", "E", "alpha", "beta", "a", "objective")}
    # Intervals of A, B and E are those of their logarithms.
    values |= {f"ln_{name}": math.log(found[name]) for name in ("A", "B", "E")}
    constants = [{"name": name, "value": value} for name, value in values.items()]
    constants += [
        {"name": f"all_runs_{name}", "value": report["all_runs"][name]}
        for name in ("A", "B", "E", "alpha", "beta", "objective")
    ]
    constants += [
        {"name": f"isoflop_{name}", "value": value}
        for name, value in report["isoflop"].get("frontier", {}).items()
    ]
    intervals = [{"name": name, **each} for name, each in found["intervals"].items()]
    table = pl.DataFrame(constants, schema={"name": pl.String, "value": pl.Float64})
    if intervals:
        table = table.join(pl.DataFrame(intervals), on="name", how="left", maintain_order="left")
    residuals = pl.DataFrame(report["residuals"]).rename({"value": "log_residual"})
    pictures = fit_pictures(surface_of(report), report["residuals"])
    return _write(folder, table, residuals, pictures)


def write_vocabulary_fit(report: dict[str, Any], folder: Path) -> list[Path]:
    """The same of a vocabulary law, whose residuals are of its best runs in order of compute."""
    constants = {name: value for name, value in report.items() if name != "residuals"}
    r2 = constants.pop("r2")
    constants |= {f"r2_{name}": value for name, value in zip(("n_v", "v", "h"), r2, strict=True)}
    table = pl.DataFrame({"name": list(constants), "value": list(constants.values())})
    columns = ["non_vocab_parameters", "vocab_parameters", "num_characters"]
    residuals = pl.DataFrame(report["residuals"], schema=columns, orient="row")
    order = range(1, len(residuals) + 1)
    pictures = {
        f"residuals_{name}": residual_cloud(order, residuals[name].to_list(), "run, by compute")
        for name in columns
    }
    return _write(folder, table, residuals, pictures)


def _write(
    folder: Path, constants: pl.DataFrame, residuals: pl.DataFrame, pictures: dict[str, str]
) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    constants.write_csv(folder / "constants.csv")
    residuals.write_csv(folder / "residuals.csv")
    for name, picture in pictures.items():
        (folder / f"{name}.svg").write_text(picture, encoding="utf-8")
    names = ("constants.csv", "residuals.csv", *(f"{name}.svg" for name in pictures))
    return [folder / name for name in names]
