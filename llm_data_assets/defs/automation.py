"""The nightly jobs, off until they are switched on."""

from collections.abc import Iterator

import dagster as dg

from llm_data_assets.config.catalog import Branch
from llm_data_assets.config.workspace import Workspace

NIGHTLY = "nightly_ingest"

# What reads the files of each branch. Signatures are made as the texts come in, so both are asked.
_READ: dict[Branch, list[str]] = {
    "text": ["raw_corpus", "document_signatures"],
    "instructions": ["raw_instructions"],
    "media": ["raw_pairs"],
}


def nightly_schedules(workspace: Workspace) -> list[dg.ScheduleDefinition]:
    """A schedule for each branch that has sources: a job's assets share their partitions."""
    return [_nightly(workspace, branch) for branch in _READ if workspace.sources_of(branch)]


def _nightly(workspace: Workspace, branch: Branch) -> dg.ScheduleDefinition:
    """Reads every source of a branch again, one run a source; automation carries changes on."""
    job = dg.define_asset_job(
        NIGHTLY if branch == "text" else f"{NIGHTLY}_{branch}",
        selection=dg.AssetSelection.assets(*_READ[branch]),
        description=f"Read every source of {branch} again; unchanged files cost nothing.",
    )
    settings = workspace.pipeline.model.schedule

    @dg.schedule(
        name=job.name,
        job=job,
        cron_schedule=settings.cron,
        execution_timezone=settings.timezone,
        default_status=dg.DefaultScheduleStatus.STOPPED,
    )
    def nightly(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        day = context.scheduled_execution_time.date().isoformat()
        for source in workspace.sources_of(branch):
            yield dg.RunRequest(run_key=f"{day} {source}", partition_key=source)

    return nightly
