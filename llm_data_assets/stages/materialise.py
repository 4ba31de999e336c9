"""Materialising one partition of one stage: run, commit, check, account, publish."""

import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from llm_data_assets.config.workspace import Workspace, make_home
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.instruction_tables import INSTRUCTION_TABLES
from llm_data_assets.lake.media_tables import MEDIA_TABLES
from llm_data_assets.lake.schemas import CHECKS, STAGE_STATS, TABLES
from llm_data_assets.stages.beside import tables_of
from llm_data_assets.stages.checks import samples_json
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.pair_signals import PAIR_SIGNALS
from llm_data_assets.stages.publication import publish_catalog
from llm_data_assets.stages.quality_signals import QUALITY_SIGNALS
from llm_data_assets.stages.removed_signals import REMOVED_SIGNALS
from llm_data_assets.stages.scored_instructions import SCORED_INSTRUCTIONS
from llm_data_assets.stages.stage import Check, CheckResult, Context, Outcome, Partition, Stage
from llm_data_assets.stages.versions import (
    config_hash,
    data_version,
    input_version,
    made_name,
    next_time,
    noted_settings,
)

ALL_TABLES = (
    *TABLES.values(),
    QUALITY_SIGNALS,
    REMOVED_SIGNALS,
    *INSTRUCTION_TABLES,
    SCORED_INSTRUCTIONS,
    *MEDIA_TABLES,
    PAIR_SIGNALS,
)


@dataclass(frozen=True)
class Materialised:
    """What a materialisation did, with the version of what it wrote and what its checks saw."""

    outcome: Outcome
    data_version: str
    checks: Mapping[str, CheckResult]
    seconds: float

    def blocked_by(self, stage: Stage) -> list[Check]:
        """The blocking checks that failed."""
        return [
            check for check in stage.checks if check.blocking and not self.checks[check.name].passed
        ]


def lake_of(workspace: Workspace) -> Lake:
    """The tables of a workspace."""
    return Lake(workspace.home / "lake")


def materialise(
    stage: Stage,
    partition: Partition,
    workspace: Workspace,
    *,
    run_id: str | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Materialised:
    """Make one partition what its inputs and settings say, and account for it.

    The row in `stage_stats` comes last: a partition without it is made again by the next run,
    from the shards that are there.
    """
    make_home(workspace.home)
    context = Context(workspace, lake_of(workspace), partition, progress)
    run_id = run_id or uuid.uuid4().hex
    made_from = input_version(stage, context, STAGES)
    started = time.monotonic()
    outcome = stage.run(context)
    seconds = time.monotonic() - started
    results = {check.name: check.evaluate(context) for check in stage.checks}
    version = data_version(context.lake, stage.table, partition.values)
    done = Materialised(outcome, version, results, seconds)
    _append_checks(context, stage, results, run_id)
    if not done.blocked_by(stage):
        _append_stats(context, stage, done, made_from, run_id)
    publish_catalog(workspace)
    return done


def _append_checks(
    context: Context, stage: Stage, results: Mapping[str, CheckResult], run_id: str
) -> None:
    if not results:
        return
    now = datetime.now(UTC)
    rows = [
        {
            "partition": context.partition.key,
            "check": check.name,
            "run_id": run_id,
            "ts": now,
            "severity": severity_of(check),
            "blocking": check.blocking,
            "passed": results[check.name].passed,
            "observed": float(results[check.name].observed),
            "expected": results[check.name].expected,
            "samples": samples_json(results[check.name]),
        }
        for check in stage.checks
    ]
    context.lake.append(CHECKS, {"asset": stage.name}, pa.Table.from_pylist(rows, CHECKS.schema))


def severity_of(check: Check) -> str:
    """ERROR for what stops the flow, WARN for the rest."""
    return "ERROR" if check.blocking else "WARN"


def _append_stats(
    context: Context, stage: Stage, done: Materialised, made_from: str, run_id: str
) -> None:
    row = {
        "partition": context.partition.key,
        "source": context.partition.source,
        "recipe": context.partition.recipe,
        "run_id": run_id,
        "seconds": done.seconds,
        "docs_in": done.outcome.docs_in,
        "docs": done.outcome.docs,
        "bytes": done.outcome.n_bytes,
        "tokens": done.outcome.tokens,
        "config_hash": config_hash(stage, context),
        "settings": noted_settings(stage, context),
        "input_version": made_from,
        "data_version": done.data_version,
    }
    append_stats(context, stage, row)


def append_stats(context: Context, stage: Stage, row: Mapping[str, Any]) -> None:
    """Add the newest row of a partition; the commit notes which versions its tables have now."""
    lake = context.lake
    versions = {table.name: lake.version(table) for table in tables_of(stage)}
    ts = next_time(lake, stage, context.partition)
    whole = {**row, "ts": ts, "table_version": versions[stage.table.name]}
    rows = pa.Table.from_pylist([whole], STAGE_STATS.schema)
    note = {
        "made": made_name(stage.name, context.partition.key, ts),
        "tables": json.dumps(versions),
    }
    lake.append(STAGE_STATS, {"stage": stage.name}, rows, note)
