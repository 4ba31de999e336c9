"""A CSV of one's own runs -> scaling_fit: laws fitted to them."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from llm_data_assets.config.digest import file_checksum
from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.schemas import SCALING_FIT
from llm_data_assets.planning.fitting import (
    bootstrap,
    fit_isoflop,
    fit_parametric,
    without_outliers,
)
from llm_data_assets.planning.laws import Surface
from llm_data_assets.planning.pictures import fit_pictures
from llm_data_assets.stages.shards import task_key
from llm_data_assets.stages.stage import Context, Outcome, Partition, Stage

CODE_VERSION = "1"


def run(context: Context) -> Outcome:
    """Fit the runs that `plan.runs` names; without any, the table is empty."""
    settings = context.workspace.pipeline.model.plan
    path = _runs(context.workspace)
    rows: list[dict[str, Any]] = []
    pictures: dict[str, str] = {}
    if path is not None:
        report = fit_report(path, settings.drop_highest, settings.resamples)
        rows = _rows(report)
        pictures = fit_pictures(surface_of(report), report["residuals"])
    table = pa.Table.from_pylist(rows, SCALING_FIT.schema)
    key = task_key(CODE_VERSION, rows)
    file = context.lake.write_shard(SCALING_FIT, {}, "all", key, [table])
    context.lake.replace_partition(SCALING_FIT, {}, [file])
    constants = {
        row["name"]: row["value"]
        for row in rows
        if (row["fit"], row["kind"]) == ("parametric", "constant")
    }
    return Outcome([file], 0, 0, 0, figures={**constants, **pictures})


def surface_of(report: dict[str, Any]) -> Surface:
    """The fitted surface of a report by `fit_report`."""
    return Surface(*(report["parametric"][name] for name in ("A", "B", "E", "alpha", "beta")))


def _runs(workspace: Workspace) -> Path | None:
    name = workspace.pipeline.model.plan.runs
    return workspace.pipeline.path.parent / name if name else None


def _rows(report: dict[str, Any]) -> list[dict[str, Any]]:
    found, parabolas = report["parametric"], report["isoflop"]
    errors = dict(found["intervals"])
    rows: list[dict[str, Any]] = [
        {"fit": "parametric", "kind": "constant", "name": name, "value": found[name],
         **errors.pop(name, {})}
        for name in ("A", "B", "E", "alpha", "beta", "a", "objective")
    ]  # fmt: skip
    # Intervals of A, B and E are those of their logarithms.
    rows += [
        {"fit": "parametric", "kind": "constant", "name": name, **each,
         "value": float(np.log(found[name.removeprefix("ln_")]))}
        for name, each in errors.items()
    ]  # fmt: skip
    rows += [
        {"fit": "all_runs", "kind": "constant", "name": name, "value": report["all_runs"][name]}
        for name in ("A", "B", "E", "alpha", "beta", "objective")
    ]
    rows += [{"fit": "parametric", "kind": "residual", **each} for each in report["residuals"]]
    if "problem" in parabolas:
        return [*rows, {"fit": "isoflop", "kind": "refused", "name": parabolas["problem"]}]
    rows += [
        {"fit": "isoflop", "kind": "constant", "name": name, "value": value}
        for name, value in parabolas["frontier"].items()
    ]
    rows += [
        {"fit": "isoflop", "kind": "optimum", "flops": flops, "params": params, "tokens": tokens}
        for flops, params, tokens in parabolas["budgets"]
    ]
    rows += [{"fit": "isoflop", "kind": "refused", "name": each} for each in parabolas["refused"]]
    return rows


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
        "residuals": [
            {
                "flops": kept["flops"][i],
                "params": kept["params"][i],
                "tokens": kept["tokens"][i],
                "loss": kept["loss"][i],
                "value": residual,
            }
            for i, residual in enumerate(found.residuals.tolist())
        ],
        "all_runs": {**asdict(every.surface), "objective": every.objective, "runs": every.runs},
        "isoflop": isoflop,
    }


def _read_runs(runs: Path) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
    if not runs.is_file():
        raise ConfigError("--fit", str(runs), "is no file", "a CSV with params, tokens and loss")
    import polars as pl  # a quarter of a second of every start, for who fits

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


_VOCABULARY = ("non_vocab_parameters", "vocab_size", "num_characters", "lossu")


def vocabulary_report(runs: Path) -> dict[str, Any] | None:
    """The vocabulary law of runs over vocabularies; None where the file has no such column.

    Raises:
        ConfigError: a column is missing, or the runs cannot be fitted.
    """
    import polars as pl

    from llm_data_assets.planning.vocabulary_fit import fit_vocabulary  # SciPy, for who fits

    frame = pl.read_csv(runs) if runs.is_file() else pl.DataFrame()
    frame = frame.rename({name: name.strip().lower() for name in frame.columns})
    if "vocab_size" not in frame.columns:
        return None
    if missing := [name for name in _VOCABULARY if name not in frame.columns]:
        raise ConfigError(
            "--fit", str(runs), f"has no column {missing[0]}", f"{', '.join(_VOCABULARY)}"
        )
    try:
        found = fit_vocabulary(*(frame[name].cast(pl.Float64).to_numpy() for name in _VOCABULARY))
    except (ValueError, pl.exceptions.PolarsError) as error:
        problem, _, way_out = str(error).partition(". Try: ")
        raise ConfigError("--fit", str(runs), problem, way_out or "numbers only") from error
    return {**asdict(found), "residuals": found.residuals.tolist()}


def _settings(workspace: Workspace, partition: Partition) -> object:
    path = _runs(workspace)
    plan = workspace.pipeline.model.plan
    if path is None:
        return None
    return [file_checksum(path) if path.is_file() else None, plan.drop_highest, plan.resamples]


STAGE = Stage(
    name=SCALING_FIT.name,
    description="""Laws fitted to the runs that `plan.runs` names: the parametric surface with
bootstrap intervals and residuals, and IsoFLOP parabolas; empty where none are named.""",
    table=SCALING_FIT,
    partitioning="none",
    upstream=(),
    code_version=CODE_VERSION,
    settings=_settings,
    run=run,
)
