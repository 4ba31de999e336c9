"""budget_plan + mixture_plan -> data_gap: what a recipe lacks, and whether its run may go out."""

from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from llm_data_assets.config.audit import append_audit
from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.pipeline import VALIDATION
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.schemas import BUDGET_PLAN, DATA_GAP, MIXTURE_PLAN, TOKENIZED_CORPUS
from llm_data_assets.mixing.recipe import plan_recipe, sources_of
from llm_data_assets.planning.estimate import Estimate
from llm_data_assets.planning.gap import gaps
from llm_data_assets.planning.pictures import epoch_values, wanted_and_there
from llm_data_assets.planning.quantities import readable
from llm_data_assets.stages import mixture_plan
from llm_data_assets.stages.inventory import tokens_of_sources
from llm_data_assets.stages.shards import task_key
from llm_data_assets.stages.source_sample import estimate_source
from llm_data_assets.stages.stage import Check, CheckResult, Context, Outcome, Partition, Stage

CODE_VERSION = "1"


def run(context: Context) -> Outcome:
    """Hold the inventory against the tokens of the plan's law."""
    wanted = _wanted(context.lake)
    rows = [] if wanted is None else recipe_gaps(context.workspace, context.recipe, wanted[1])
    table = pa.Table.from_pylist(rows, DATA_GAP.schema)
    key = task_key(CODE_VERSION, rows)
    file = context.lake.write_shard(DATA_GAP, context.partition.values, "all", key, [table])
    context.lake.replace_partition(DATA_GAP, context.partition.values, [file])
    figures: dict[str, Any] = {
        f"shortfall {row['source']}": readable(row["shortfall"]) for row in rows
    }
    if rows:
        figures |= {"wanted and there": wanted_and_there(rows), "next pass": epoch_values(rows)}
    return Outcome([file], 0, 0, 0, figures=figures)


def recipe_gaps(workspace: Workspace, name: str, total: float) -> list[dict[str, Any]]:
    """Each source's tokens in a run of `total` tokens under a recipe, beside those there.

    Shares are those of the recipe's own run over the inventory, caps and bounds included. Tokens
    of sources that have no partition in tokenized_corpus are estimated from a sample.

    Raises:
        ConfigError: an unknown recipe, or one that the inventory cannot serve.
    """
    recipes = workspace.pipeline.model.recipes
    if name not in recipes:
        raise ConfigError("--recipe", "", f"{name!r} is unknown", f"one of {', '.join(recipes)}")
    recipe = recipes[name]
    taking_part = sources_of(recipe, recipes, workspace.sources)
    there = tokens_of_sources(workspace.home)
    estimates = _estimates(workspace, [each for each in taking_part if each not in there])
    there |= {source: each.tokens for source, each in estimates.items()}
    packed = {each: there.get(each, 0) // recipe.sequence_length for each in taking_part}
    if not any(packed.values()):
        raise ConfigError("--recipe", name, "its sources have no tokens", "`llm-data run`")
    try:
        phases = plan_recipe(recipe, recipes, workspace.catalog.model.sources, packed)
        counts: dict[str, int] = {}
        for row in (row for phase in phases for row in phase.rows):
            counts[row.source] = counts.get(row.source, 0) + row.sequences
        shares = {each: count / sum(counts.values()) for each, count in counts.items()}
        found = gaps(shares, there, total, recipe.max_epochs)
    except ValueError as error:
        problem, _, way_out = str(error).partition(". Try: ")
        raise ConfigError("--recipe", name, problem, way_out or "another recipe") from error
    known = Estimate(0, 0, 0, "tokenized")
    rows = []
    for each in found:
        basis = estimates.get(each.source, known)
        low, high = (basis.low, basis.high) if each.source in estimates else (each.there,) * 2
        rows.append(
            {
                **asdict(each),
                "there_low": float(low),
                "there_high": float(high),
                "basis": basis.basis,
            }
        )
    return rows


def _estimates(workspace: Workspace, missing: list[str]) -> dict[str, Estimate]:
    """By source that has no partition in tokenized_corpus; nothing for one that left no token."""
    lake = Lake(workspace.home / "lake")
    missing = [each for each in missing if not lake.shards(TOKENIZED_CORPUS, {"source": each})]
    if not missing:
        return {}
    read = lake.read(TOKENIZED_CORPUS, columns=["n_bytes", "n_tokens"])
    tokens = pc.sum(read["n_tokens"]).as_py()
    bytes_per_token = pc.sum(read["n_bytes"]).as_py() / tokens if tokens else None
    found = {}
    for source in missing:
        try:
            found[source] = estimate_source(workspace, source, bytes_per_token)
        except ConfigError:
            raise
        except ValueError as error:
            problem, _, way_out = str(error).partition(". Try: ")
            raise ConfigError("--recipe", source, problem, way_out) from error
    return found


@dataclass(frozen=True)
class Verdict:
    """A recipe's run beside the plan: what is wrong with it, and why it may go out anyway."""

    law: str
    wanted_tokens: float
    run_tokens: int
    problems: tuple[str, ...]
    override: str | None


def verdict_of(context: Context) -> Verdict | None:
    """The plan's verdict on the recipe's run in mixture_plan; None without budget or run."""
    wanted = _wanted(context.lake)
    columns = ["phase", "source", "sequences", "epochs"]
    rows = context.lake.read(MIXTURE_PLAN, {"recipe": context.recipe}, columns).to_pylist()
    if wanted is None or not rows:
        return None
    settings = context.workspace.pipeline.model.plan
    law, tokens = wanted
    rows = [row for row in rows if row["phase"] != VALIDATION]
    length = context.workspace.pipeline.model.recipes[context.recipe].sequence_length
    run_tokens = length * sum(row["sequences"] for row in rows)
    problems = []
    if run_tokens < settings.min_token_share * tokens:
        problems.append(
            f"undertrained: the run has {readable(run_tokens)} tokens, "
            f"{run_tokens / tokens:.3g} of the {readable(tokens)} of {law} "
            f"(plan.min_token_share is {settings.min_token_share:g})"
        )
    epochs: dict[str, float] = {}
    for row in rows:
        epochs[row["source"]] = max(epochs.get(row["source"], 0.0), row["epochs"])
    problems += [
        f"over-repeated: {source} is read {passes:.3g} times (plan.max_epochs is "
        f"{settings.max_epochs:g})"
        for source, passes in sorted(epochs.items())
        if passes > settings.max_epochs
    ]
    return Verdict(law, tokens, run_tokens, tuple(problems), settings.override.get(context.recipe))


def refuse_unplanned(context: Context) -> None:
    """Stop an export that the plan refuses; put it down if a reason lets it out.

    Raises:
        ConfigError: the run is undertrained or over-repeated, and no reason overrides that.
    """
    found = verdict_of(context)
    if not found or not found.problems:
        return
    if not found.override:
        raise context.workspace.pipeline.error(
            ("plan",),
            f"the run of {context.recipe!r} may not go out: {'; '.join(found.problems)}",
            f"add sources that data_gap names, or override: {{{context.recipe}: the reason}}",
        )
    told = {"recipe": context.recipe, "reason": found.override, "problems": list(found.problems)}
    append_audit(context.workspace.audit, "override", told)


def _wanted(lake: Lake) -> tuple[str, float] | None:
    rows = [row for row in lake.read(BUDGET_PLAN).to_pylist() if row["chosen"]]
    return (rows[0]["law"], rows[0]["tokens"]) if rows else None


def _plan_allows(context: Context) -> CheckResult:
    found = verdict_of(context)
    if found is None:
        return CheckResult(True, 0, "no budget to hold the run against")
    expected = "a run of the tokens planned, without a source over-repeated"
    samples: list[dict[str, str]] = [{"problem": each} for each in found.problems]
    if found.problems and found.override:
        expected = f"overridden: {found.override}"
        samples.append({"override": found.override})
    passed = not found.problems or bool(found.override)
    return CheckResult(passed, len(found.problems), expected, samples)


PLAN_ALLOWS = Check(
    "plan_allows_export",
    """The recipe's run has the tokens that the plan wants and repeats no source beyond bound, or a
reason in `plan.override` lets it out.""".replace("\n", " "),
    _plan_allows,
    True,
)


def _settings(workspace: Workspace, partition: Partition) -> object:
    plan = workspace.pipeline.model.plan
    override = plan.override.get(partition.recipe or "")
    return [
        mixture_plan.STAGE.settings(workspace, partition),
        plan.min_token_share,
        plan.max_epochs,
        override,
    ]


STAGE = Stage(
    name=DATA_GAP.name,
    description="""Tokens that the budget wants of each source of a recipe against tokens there:
passes, what they are worth, and what to add. Its check keeps a run that the plan refuses from
being exported.""",
    table=DATA_GAP,
    partitioning="recipe",
    upstream=(BUDGET_PLAN.name, MIXTURE_PLAN.name),
    code_version=CODE_VERSION,
    settings=_settings,
    run=run,
    checks=(PLAN_ALLOWS,),
)
