"""`llm-data plan | fit-mixture`: budgets, laws and mixtures, from the command line."""

from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.markup import escape

from llm_data_assets.cli_output import AsJson, fail, out, print_json, print_rows, print_tables
from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import open_workspace
from llm_data_assets.planning.budget import Given, given_of

plan_app = typer.Typer()


@plan_app.command()
def fit_mixture(
    runs: Annotated[Path, typer.Argument(help="CSV: a row a run, its shares and its losses.")],
    target: Annotated[str, typer.Option(help="The column that is to be low.")],
    domain: Annotated[list[str], typer.Option(help="A column of shares; repeatable.")],
    as_json: AsJson = False,
) -> None:
    """Weights for a recipe from one's own proxy runs, by regression (RegMix)."""
    import polars as pl

    from llm_data_assets.mixing import regmix

    frame = pl.read_csv(runs)
    for name in (*domain, target):
        if name not in frame.columns:
            raise ConfigError(str(runs), name, "is no column", f"one of {', '.join(frame.columns)}")
    try:
        numbers = frame.select(pl.col(*domain, target).cast(pl.Float64)).to_numpy()
        found = regmix.fit_mixture(numbers[:, :-1], numbers[:, -1])
    except (ValueError, pl.exceptions.PolarsError) as error:
        fail(f"{runs}: {error}", code=1)
    weights = {name: round(float(w), 4) for name, w in zip(domain, found.weights, strict=True)}
    if as_json:
        print_json({"weights": weights, "predicted": found.predicted, "spearman": found.spearman})
        return
    out.print(f"# {target}: predicted {found.predicted:.4g}; held-out runs are ranked at "
              f"{found.spearman:.3f} (Spearman)", highlight=False)  # fmt: skip
    out.print(yaml.safe_dump({"weights": weights}, sort_keys=False), highlight=False)


@plan_app.command()
def plan(
    flops: Annotated[str | None, typer.Option(help="Training compute, as 5.76e23.")] = None,
    params: Annotated[str | None, typer.Option(help="Parameters, as 70B.")] = None,
    tokens: Annotated[str | None, typer.Option(help="Training tokens, as 1.4T.")] = None,
    gpu_hours: Annotated[str | None, typer.Option(help="Hours of --device, as 1.3M.")] = None,
    device: Annotated[str | None, typer.Option(help="A100, H100 ...")] = None,
    utilisation: Annotated[float, typer.Option(help="Part of the peak.")] = 0.4,
    unique_tokens: Annotated[str | None, typer.Option(help="Distinct tokens there are.")] = None,
    inference_tokens: Annotated[str | None, typer.Option(help="Tokens to be served.")] = None,
    law: Annotated[list[str] | None, typer.Option(help="Only this law; repeatable.")] = None,
    recipe: Annotated[str | None, typer.Option(help="Share the tokens out by it.")] = None,
    continual: Annotated[
        str | None, typer.Option(help="weak or strong: --tokens of new text for a trained model.")
    ] = None,
    new_source: Annotated[
        list[str] | None, typer.Option(help="Of new text, for --continual with --recipe.")
    ] = None,
    known: Annotated[bool, typer.Option("--known", help="Published data sets, models.")] = False,
    fit: Annotated[Path | None, typer.Option(help="CSV of runs to fit a law to.")] = None,
    drop_highest: Annotated[
        int | None, typer.Option(min=0, help="Highest losses left out of the fit; 2 % if unset.")
    ] = None,
    resamples: Annotated[int, typer.Option(min=0, help="Resamples behind the intervals.")] = 200,
    to: Annotated[
        Path | None, typer.Option("--out", help="Folder for the fit's tables and pictures.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What a budget buys under every scaling law, beside the tokens that there are."""
    from llm_data_assets import plan as planned
    from llm_data_assets.config.workspace import home_folder
    from llm_data_assets.stages.data_gap import recipe_gaps

    if known:
        tables = planned.known_tables()
        print_tables(tables if as_json else planned.readable_known(tables), as_json)
        return
    if fit is not None:
        _print_fit(fit, drop_highest, resamples, to, as_json)
        return
    if to is not None:
        raise ConfigError("--out", str(to), "is for a fit alone", "--fit runs.csv, or --json")
    asked = {
        "--flops": flops, "--params": params, "--tokens": tokens, "--gpu-hours": gpu_hours,
        "--unique-tokens": unique_tokens, "--inference-tokens": inference_tokens,
    }  # fmt: skip
    given = given_of(asked, device, utilisation)
    if continual is not None:
        _print_continual(given, continual, recipe, new_source or [], as_json)
        return
    report = planned.budget_report(given, law or [], home_folder())
    if recipe is not None:
        wanted = report["laws"][next(iter(law or ["chinchilla_1"]))]["tokens"]
        report["recipe"] = recipe_gaps(open_workspace(), recipe, wanted)
    if as_json:
        print_json(report)
    else:
        _print_budget(report)


def _print_fit(
    runs: Path, drop_highest: int | None, resamples: int, to: Path | None, as_json: bool
) -> None:
    """A law fitted to runs: of the vocabulary where the file has one, else of loss."""
    from llm_data_assets import plan as planned
    from llm_data_assets.stages.scaling_fit import fit_report, vocabulary_report

    words = vocabulary_report(runs)
    if words is not None:
        if to:
            planned.write_vocabulary_fit(words, to)
        shown = {name: value for name, value in words.items() if name != "residuals"}
        if as_json:
            print_json({"vocabulary": words})
        else:
            print_rows(["constant", "value"], list(shown.items()), False)
        return
    fitted = fit_report(runs, drop_highest, resamples)
    if to:
        planned.write_fit(fitted, to)
    if as_json:
        print_json(fitted)
    else:
        _print_lines(planned.fit_lines(fitted))


def _print_continual(
    given: Given, shift: str, recipe: str | None, new_sources: list[str], as_json: bool
) -> None:
    """Advice for new text of a trained model, or the recipe that follows it, to paste."""
    from llm_data_assets import plan as planned

    advice = planned.continual(given, shift)
    block = recipe and planned.continual_recipe(
        open_workspace(), recipe, new_sources, advice, shift
    )
    if as_json:
        print_json(advice)
    elif block:
        print(block)
    else:
        print_rows(["advice", "value"], list(advice.items()), False)


def _print_budget(report: dict[str, Any]) -> None:
    from llm_data_assets import plan as planned
    from llm_data_assets.planning.quantities import readable

    rows = [
        (name, readable(point["params"]), readable(point["tokens"]), f"{point['flops']:.3g}",
         f"{point['tokens'] / point['params']:.3g}", f"{point['loss']:.4f}")
        for name, point in report["laws"].items()
    ]  # fmt: skip
    print_rows(["law", "params", "tokens", "flops", "tokens/param", "loss"], rows, False)
    if "recipe" in report:
        print_tables({"recipe": planned.readable_gaps(report["recipe"])}, False)
        _print_lines(planned.gap_lines(report["recipe"]))
    _print_lines(planned.budget_lines(report))


def _print_lines(lines: list[str]) -> None:
    for line in lines:
        out.print(escape(line), highlight=False, soft_wrap=True)
