"""Materialising what is not fresh, through Dagster, in this process: `llm-data run`.

Stages that follow one another inside a source share a run, so that a source costs four runs and
not eight.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial

import dagster as dg

from llm_data_assets import __version__
from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import GIVES, Workspace
from llm_data_assets.definitions import build_definitions
from llm_data_assets.defs.failure_hook import COMMAND, tell
from llm_data_assets.defs.partitions import dagster_key
from llm_data_assets.defs.report import REPORT
from llm_data_assets.defs.sources import observe
from llm_data_assets.lake.catalog import connect
from llm_data_assets.lake.models import load_models
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import lake_of
from llm_data_assets.stages.prune import remove_dropped_sources
from llm_data_assets.stages.publication import publish_seldom
from llm_data_assets.stages.stage import Context, Partition, Stage
from llm_data_assets.stages.versions import data_version, is_fresh
from llm_data_assets.studio.cards.write import CARDS

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class Step:
    """Some stages of one partition that run together."""

    stages: tuple[str, ...]
    partition: Partition

    @property
    def label(self) -> str:
        return f"{self.partition.key or 'all sources'}: {' > '.join(self.stages)}"


@dataclass
class Report:
    """What a run did: steps that ran, how many partitions were fresh, failures in words."""

    ran: list[Step] = field(default_factory=list)
    fresh: int = 0
    failures: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def run(
    workspace: Workspace,
    instance: dg.DagsterInstance,
    *,
    sources: Sequence[str] = (),
    to: str | None = None,
    on_step: Callable[[Step, int, int], None] = lambda step, number, total: None,
) -> Report:
    """Materialise every stage partition that is not fresh, up to the stage `to`.

    A failed source does not stop the others; what needs its result is not made.

    Args:
        sources: only these, where a stage is partitioned by source; all if empty.
        on_step: called before each step with its number and how many there may be.
    """
    report = Report()
    lake_of(workspace).sweep()
    removed = remove_dropped_sources(workspace, lake_of(workspace))
    for branch, what in GIVES.items():
        report.warnings += [
            f"{source} gives {what}: it left raw_corpus. "
            "Try: `branch: text` in its entry of the catalog, to train on it as text"
            for source in workspace.sources_of(branch)
            if f"raw_corpus {source}" in removed
        ]
    broken: set[str] = set()
    for source in workspace.all_sources:
        try:
            if event := observe(instance, workspace, source):
                instance.report_runless_asset_event(event)
        except ConfigError as error:
            report.failures.append(str(error))
            broken.add(source)
    job = build_definitions(workspace, models=to is None).resolve_implicit_global_asset_job_def()
    steps = _steps(workspace, sources, to)
    with publish_seldom(workspace):
        _run_steps(workspace, instance, job, steps, report, broken, on_step)
    if report.ran and not report.failures and to is None:
        with publish_seldom(workspace):
            _build_models(job, instance, report)
        if not report.failures:
            _write_cards(job, instance, workspace, report)
    if report.failures and (problem := tell(workspace, report.failures, {"command": "run"})):
        report.warnings.append(problem)
    return report


def _run_steps(
    workspace: Workspace,
    instance: dg.DagsterInstance,
    job: dg.JobDefinition,
    steps: Sequence[Step],
    report: Report,
    broken: set[str],
    on_step: Callable[[Step, int, int], None],
) -> None:
    """Run what is stale, but for sources that are `broken`, to which those are added that fail."""
    part_of = lru_cache(partial(_part, job))
    for number, step in enumerate(steps, start=1):
        if broken and step.partition.source is None and STAGES[step.stages[0]].upstream:
            break  # what reads all sources cannot go on without one of them
        if step.partition.source in broken:
            continue
        stale = _stale(step, workspace, instance)
        report.fresh += len(step.stages) - len(stale)
        if not stale:
            continue
        todo = Step(stale, step.partition)
        on_step(todo, number, len(steps))
        result = part_of(stale).execute_in_process(
            instance=instance,
            asset_selection=[dg.AssetKey(name) for name in stale],
            partition_key=dagster_key(step.partition),
            run_config=_QUIET,
            raise_on_error=False,
            tags=_tags(step.partition),
        )
        report.ran.append(todo)
        report.warnings += _failed_checks(result, step.partition, dg.AssetCheckSeverity.WARN)
        if not result.success:
            report.failures += _messages(result, step.partition)
            broken.add(step.partition.source or "")


def _part(job: dg.JobDefinition, names: tuple[str, ...]) -> dg.JobDefinition:
    """The job without all else: Dagster writes down a job that it runs a part of, for each run."""
    return job.get_subset(asset_selection=frozenset(map(dg.AssetKey, names)))


def _steps(workspace: Workspace, sources: Sequence[str], to: str | None) -> list[Step]:
    """Consecutive stages with the same partitions, grouped; one step a partition."""
    names = list(STAGES)
    wanted = names[: names.index(to) + 1] if to else names
    groups: list[list[Stage]] = []
    for name in wanted:
        stage = STAGES[name]
        last = groups[-1][0] if groups else None
        if last and (last.partitioning, last.branch) == (stage.partitioning, stage.branch):
            groups[-1].append(stage)
        else:
            groups.append([stage])
    return [
        Step(tuple(stage.name for stage in group), partition)
        for group in groups
        for partition in group[0].partitions(workspace)
        if not sources or partition.source is None or partition.source in sources
    ]


def _stale(step: Step, workspace: Workspace, instance: dg.DagsterInstance) -> tuple[str, ...]:
    """The first stage that is not fresh and all after it: their inputs may change."""
    context = Context(workspace, lake_of(workspace), step.partition)
    for place, name in enumerate(step.stages):
        stage = STAGES[name]
        if not is_fresh(stage, context, STAGES) or not _dagster_knows(stage, context, instance):
            return step.stages[place:]
    return ()


def _dagster_knows(stage: Stage, context: Context, instance: dg.DagsterInstance) -> bool:
    """Whether the newest materialisation in Dagster's storage is the one in the lake."""
    key = dagster_key(context.partition)
    records = instance.fetch_materializations(
        dg.AssetRecordsFilter(
            asset_key=dg.AssetKey(stage.name), asset_partitions=[key] if key else None
        ),
        limit=1,
    ).records
    event = records[0].asset_materialization if records else None
    if event is None:
        return False
    version = data_version(context.lake, stage.table, context.partition.values)
    return (event.tags or {}).get("dagster/data_version") == version


def _build_models(job: dg.JobDefinition, instance: dg.DagsterInstance, report: Report) -> None:
    """The SQL models, and the report that is read from them."""
    keys = [dg.AssetKey(name) for name in (*load_models(), REPORT)]
    result = job.execute_in_process(
        instance=instance, asset_selection=keys, run_config=_QUIET, raise_on_error=False
    )
    if result.success:
        return
    failed = {event.step_key for event in result.all_events if event.is_step_failure}
    # The tables are whole without it.
    told = report.warnings if failed == {REPORT} else report.failures
    told += _messages(result, Partition())


def _write_cards(
    job: dg.JobDefinition, instance: dg.DagsterInstance, workspace: Workspace, report: Report
) -> None:
    """The cards of every recipe that is mixed: what was taken down must not stay in an old one."""
    with connect(workspace.home) as connection:
        mixed = connection.execute("SELECT DISTINCT recipe FROM recipe_contents").fetchall()
    for recipe in workspace.recipes:
        if (recipe,) not in mixed:
            continue
        result = job.execute_in_process(
            instance=instance,
            asset_selection=[dg.AssetKey(name) for name in CARDS],
            partition_key=recipe,
            run_config=_QUIET,
            raise_on_error=False,
            tags=_tags(Partition(recipe=recipe)),
        )
        if not result.success:
            report.warnings += _messages(result, Partition(recipe=recipe))


def _tags(partition: Partition) -> dict[str, str]:
    """What a run is found by in Dagster: the command, the code, and the recipe it belongs to."""
    recipe = {"llm_data/recipe": partition.recipe} if partition.recipe else {}
    return {COMMAND: "run", "llm_data/code": __version__, **recipe}


def _messages(result: dg.ExecuteInProcessResult, partition: Partition) -> list[str]:
    """Why a run failed, in words: the checks that block, and the errors of steps."""
    messages = _failed_checks(result, partition, dg.AssetCheckSeverity.ERROR)
    for event in result.filter_events(lambda each: each.is_step_failure):
        error = event.step_failure_data.error
        if error is not None and not messages:
            cause = error.cause or error
            messages.append(f"{event.step_key} {partition.key}: {cause.message.strip()}")
    for event in result.filter_events(lambda each: each.is_resource_init_failure):
        error = event.engine_event_data.error
        if error is not None and not messages:
            messages.append(error.message.strip().split(": ", 1)[-1])
    return messages or [f"{partition.key}: the run failed; see it in `dagster dev`"]


def _failed_checks(
    result: dg.ExecuteInProcessResult, partition: Partition, severity: dg.AssetCheckSeverity
) -> list[str]:
    failed = [
        evaluation
        for evaluation in result.get_asset_check_evaluations()
        if not evaluation.passed and evaluation.severity == severity
    ]
    return [
        f"{each.asset_key.to_user_string()} {partition.key}: check {each.check_name}: "
        f"{each.description}"
        for each in failed
    ]
