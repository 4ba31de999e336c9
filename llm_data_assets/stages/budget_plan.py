"""scaling_fit + the pipeline's `plan` -> budget_plan: the budget under every law."""

from dataclasses import asdict
from typing import Any

import pyarrow as pa

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.schemas import BUDGET_PLAN, SCALING_FIT
from llm_data_assets.planning.budget import Given, answer, given_of, remarks, vocabulary
from llm_data_assets.planning.laws import STANDARD, Surface
from llm_data_assets.planning.pictures import budget_dots, loss_curves
from llm_data_assets.stages.shards import task_key
from llm_data_assets.stages.stage import Context, Outcome, Stage

CODE_VERSION = "1"
_FIELDS = ("flops", "gpu_hours", "params", "tokens", "inference_tokens")


def run(context: Context) -> Outcome:
    """Every standard law's answer, the chosen one's, and that of one's own fit."""
    plan = context.workspace.pipeline.model.plan
    given = planned_budget(context.workspace)
    own = _own_surface(context.lake)
    rows, said = [], []
    if given is not None:
        if plan.law == "own" and own is None:
            raise context.workspace.pipeline.error(
                ("plan", "law"), "'own' needs a law that was fitted", "name the CSV in plan.runs"
            )
        names = dict.fromkeys([*STANDARD, *(["own"] if own else []), plan.law])
        try:
            points = answer(given, list(names), own)
        except ConfigError as error:
            raise _located(context.workspace, error) from error
        rows = [
            {"law": name, **asdict(point), "chosen": name == plan.law}
            for name, point in points.items()
        ]
        said = remarks(given, points)
    table = pa.Table.from_pylist(rows, BUDGET_PLAN.schema)
    key = task_key(CODE_VERSION, rows)
    file = context.lake.write_shard(BUDGET_PLAN, {}, "all", key, [table])
    context.lake.replace_partition(BUDGET_PLAN, {}, [file])
    figures = {"remarks": "; ".join(said) or "no budget in `plan`"}
    if rows:
        figures["budget"] = budget_dots(rows)
    if own and rows:
        flops = max(row["flops"] for row in rows)
        figures["isoflop"] = loss_curves(own.loss, own.frontier(), [flops / 100, flops / 10, flops])
    return Outcome([file], 0, 0, 0, figures=figures)


def planned_budget(workspace: Workspace) -> Given | None:
    """The budget of the pipeline's `plan`, or None where it names none.

    Raises:
        ConfigError: a quantity that cannot be read; the message names the pipeline's line.
    """
    plan = workspace.pipeline.model.plan
    asked = {
        f"--{field.replace('_', '-')}": f"{value}"
        for field in _FIELDS
        if (value := getattr(plan, field)) is not None
    }
    if not asked.keys() - {"--inference-tokens"}:
        return None
    try:
        return given_of(asked, plan.device, plan.utilisation)
    except ConfigError as error:
        raise _located(workspace, error) from error


def planned_vocabulary(workspace: Workspace) -> dict[str, Any] | None:
    """The vocabulary laws' range for the model of the pipeline's `plan`; None without a budget.

    Raises:
        ConfigError: a budget that cannot be read; the message names the pipeline's line.
    """
    given = planned_budget(workspace)
    if given is None:
        return None
    try:
        return vocabulary(given, answer(given, ("chinchilla_1",)))
    except ConfigError as error:
        raise _located(workspace, error) from error


def budget_settings(workspace: Workspace) -> dict[str, Any]:
    """The part of `plan` that says what the budget is."""
    return workspace.pipeline.model.plan.model_dump(
        include={*_FIELDS, "device", "utilisation", "law"}
    )


def _located(workspace: Workspace, error: ConfigError) -> ConfigError:
    """An error of the command's options, at the field of the pipeline that says the same."""
    field = error.where.removeprefix("--").replace("-", "_")
    way_out = error.way_out
    for each in (*_FIELDS, "device"):
        way_out = way_out.replace(f"--{each.replace('_', '-')} ", f"{each}: ")
    path = ("plan",) if field == "plan" else ("plan", field)
    return workspace.pipeline.error(path, error.problem, way_out.replace("--", ""))


def _own_surface(lake: Lake) -> Surface | None:
    rows = lake.read(SCALING_FIT).to_pylist()
    found = {
        row["name"]: row["value"]
        for row in rows
        if (row["fit"], row["kind"]) == ("parametric", "constant")
    }
    names = ("A", "B", "E", "alpha", "beta")
    return Surface(*(found[name] for name in names)) if found else None


STAGE = Stage(
    name=BUDGET_PLAN.name,
    description="""Parameters, tokens, compute and loss that the pipeline's `plan` means under
every scaling law, and which law the corpus is held against.""",
    table=BUDGET_PLAN,
    partitioning="none",
    upstream=(SCALING_FIT.name,),
    code_version=CODE_VERSION,
    settings=lambda workspace, partition: budget_settings(workspace),
    run=run,
)
