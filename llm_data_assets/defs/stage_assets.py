"""A stage as a Dagster asset: partitions, descriptions, metadata, data version, checks."""

import base64
import json
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from html import escape
from typing import Any

import dagster as dg
import pyarrow as pa

from llm_data_assets.config.digest import digest
from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.defs.partitions import mapping_between, partitions_of, to_partition
from llm_data_assets.defs.studio_links import check_link, river, studio_link
from llm_data_assets.engine.errors import WorkerDiedError
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.schemas import Table
from llm_data_assets.lake.storage import StorageError
from llm_data_assets.stages.checks import samples_json
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import Materialised, lake_of, materialise, severity_of
from llm_data_assets.stages.stage import CheckResult, Stage

SOURCE_FILES = dg.AssetKey("source_files")
OWNER = "team:data"
_LOG_SECONDS = 10
# What may be gone a moment later; a full disk, a missing file or a wrong setting are not.
_PASSING = (WorkerDiedError, StorageError, ConnectionError, TimeoutError)
GROUPS = {
    "raw_corpus": "ingest",
    "document_signatures": "dedup",
    "duplicates": "dedup",
    "deduped_corpus": "dedup",
    "quality_signals": "filter",
    "removed_signals": "dedup",
    "repeated_spans": "dedup",
    "evaluation_sets": "filter",
    "signal_models": "filter",
    "contamination": "filter",
    "filtered_corpus": "filter",
    "tokenizer": "tokenize",
    "tokenized_corpus": "tokenize",
    "tokenizer_report": "tokenize",
    "mixture_plan": "mix",
    "mixed_corpus": "mix",
    "scaling_fit": "plan",
    "budget_plan": "plan",
    "data_gap": "plan",
    "training_export": "mix",
    "raw_instructions": "instructions",
    "instruction_duplicates": "instructions",
    "deduped_instructions": "instructions",
    "scored_instructions": "instructions",
    "selected_instructions": "instructions",
    "instruction_mix": "instructions",
    "raw_pairs": "media",
    "pair_duplicates": "media",
    "deduped_pairs": "media",
    "pair_signals": "media",
    "filtered_pairs": "media",
}
# A change is carried on only where an input's content changed, and only once the checks that
# block upstream have passed.
CARRY_CHANGES = (
    dg.AutomationCondition.eager().replace(
        "any_deps_updated",
        dg.AutomationCondition.any_deps_match(dg.AutomationCondition.data_version_changed()),
    )
    & dg.AutomationCondition.all_deps_blocking_checks_passed()
)


def stage_asset(stage: Stage, workspace: Workspace) -> dg.AssetsDefinition:
    """The Dagster asset of a stage; its checks run in the same step."""
    partitions = partitions_of(stage, workspace)

    @dg.asset(
        name=stage.name,
        description=stage.description.replace("\n", " "),
        group_name=GROUPS[stage.name],
        kinds={"deltalake", "python"},
        owners=[OWNER],
        tags={"partitioned_by": stage.partitioning},
        partitions_def=partitions,
        deps=_deps(stage),
        code_version=_code_version(stage, workspace),
        metadata=_static_metadata(stage.table, lake_of(workspace)),
        automation_condition=CARRY_CHANGES,
        retry_policy=_retries(workspace),
        required_resource_keys=_resources(workspace),
        freshness_policy=_freshness(stage, workspace),
        check_specs=[
            dg.AssetCheckSpec(
                check.name,
                asset=stage.name,
                description=check.description,
                blocking=check.blocking,
                partitions_def=partitions,
            )
            for check in stage.checks
        ],
    )
    def asset(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        partition = to_partition(stage, context.partition_key if partitions else None)
        try:
            done = materialise(
                stage,
                partition,
                workspace,
                run_id=context.run.run_id,
                progress=_logged(context),
            )
        except (ConfigError, ValueError, OSError, WorkerDiedError) as error:
            raise dg.Failure(
                f"{stage.name} {partition.key}: {error}",
                allow_retries=isinstance(error, _PASSING),
            ) from error
        return dg.MaterializeResult(
            metadata={**_metadata(done), **studio_link(stage.name, partition.source)},
            data_version=dg.DataVersion(done.data_version),
            check_results=[
                _check_result(stage.name, check.name, severity_of(check), done.checks[check.name])
                for check in stage.checks
            ],
        )

    return asset


def _resources(workspace: Workspace) -> set[str]:
    """A stage on a cluster starts once its run is attached to it."""
    return {"ray"} if workspace.pipeline.model.engine.kind == "ray" else set()


def _retries(workspace: Workspace) -> dg.RetryPolicy:
    settings = workspace.pipeline.model.automation
    return dg.RetryPolicy(settings.retries, settings.retry_seconds, dg.Backoff.EXPONENTIAL)


def _freshness(stage: Stage, workspace: Workspace) -> dg.FreshnessPolicy | None:
    """Only of what reads the sources: what comes after is not made again where nothing changed."""
    hours = workspace.pipeline.model.automation.fresh_hours
    if hours is None or stage.upstream or stage.partitioning != "source":
        return None
    return dg.FreshnessPolicy.time_window(timedelta(hours=hours))


def _logged(context: dg.AssetExecutionContext) -> Callable[[int, int], None]:
    """Progress as a line in the run's log, every ten seconds."""
    started = told = time.monotonic()

    def log(done: int, total: int) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= _LOG_SECONDS:
            told = now
            rate = done / 1e6 / (now - started)
            left = (total - done) / 1e6 / rate if rate else 0.0
            context.log.info(
                f"{done / 1e6:,.0f} of {total / 1e6:,.0f} MB, {rate:,.0f} MB/s, {left:,.0f} s left"
            )

    return log


def column_schema(schema: pa.Schema) -> dg.TableSchema:
    """Columns with their types and descriptions, as Dagster's catalogue shows them."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                field.name,
                str(field.type),
                # Dagster's pages take it for Markdown, in which <source> is a tag without a name.
                description=escape(
                    (field.metadata or {}).get(b"description", b"").decode(), quote=False
                )
                or None,
            )
            for field in schema
        ]
    )


def _deps(stage: Stage) -> list[dg.AssetDep]:
    deps = [
        dg.AssetDep(
            name,
            partition_mapping=mapping_between(STAGES[name].partitioning, stage.partitioning),
        )
        for name in stage.upstream
    ]
    return deps if stage.upstream or stage.partitioning == "none" else [dg.AssetDep(SOURCE_FILES)]


def _code_version(stage: Stage, workspace: Workspace) -> str:
    """Changes with the code and with the settings, so that the UI shows what is stale.

    A source's own declaration is part of the version of its files, since a code version belongs
    to all partitions at once.
    """
    if not stage.upstream:
        return stage.code_version
    settings = [stage.settings(workspace, each) for each in stage.partitions(workspace)]
    return f"{stage.code_version}-{digest(settings)[:8]}"


def _static_metadata(table: Table, lake: Lake) -> Mapping[str, Any]:
    return {
        "dagster/column_schema": column_schema(table.full_schema),
        "dagster/table_name": table.name,
        "dagster/uri": lake.address(table),
        "query": dg.MetadataValue.md(f'`llm-data query "SELECT * FROM {table.name} LIMIT 10"`'),
        **studio_link(table.name),
    }


def _metadata(done: Materialised) -> dict[str, Any]:
    outcome = done.outcome
    metadata: dict[str, Any] = {
        "dagster/row_count": outcome.docs,
        "documents in": outcome.docs_in,
        "documents": outcome.docs,
        "bytes": outcome.n_bytes,
        "seconds": round(done.seconds, 3),
        **{name: _shown(value) for name, value in outcome.figures.items()},
    }
    if outcome.tokens is not None:
        metadata["tokens"] = outcome.tokens
    if outcome.drops:
        metadata["drops"] = dg.MetadataValue.md(_bars(outcome.drops))
        metadata["river"] = river(outcome.docs_in, outcome.drops)
    return metadata


def _shown(figure: Any) -> Any:
    """A figure as it is; an SVG as a picture behind the UI's [Show Markdown]."""
    if not (isinstance(figure, str) and figure.startswith("<svg")):
        return figure
    encoded = base64.b64encode(figure.encode()).decode()
    return dg.MetadataValue.md(f"![](data:image/svg+xml;base64,{encoded})")


def _bars(drops: Mapping[str, int]) -> str:
    """Drop reasons as a small table with bars, commonest first: it shows inline in the UI."""
    most = max(drops.values())
    ordered = sorted(drops.items(), key=lambda item: (-item[1], item[0]))
    rows = [f"| {name} | {n} | {'█' * max(1, round(12 * n / most))} |" for name, n in ordered]
    return "\n".join(["| reason | documents | |", "|---|---:|---|", *rows])


def _check_result(asset: str, name: str, severity: str, result: CheckResult) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=name,
        passed=result.passed,
        severity=dg.AssetCheckSeverity(severity),
        description=f"observed {result.observed:g}, expected {result.expected}",
        metadata={
            "observed": float(result.observed),
            "expected": result.expected,
            "samples": dg.MetadataValue.json(json.loads(samples_json(result))),
            **check_link(asset),
        },
    )
