"""The nightly job, off until it is switched on."""

from collections.abc import Iterator

import dagster as dg

from llm_data_assets.config.workspace import Workspace

NIGHTLY = "nightly_ingest"


def nightly_schedule(workspace: Workspace) -> dg.ScheduleDefinition:
    """A job that reads every source again, one run a source; automation carries changes on."""
    job = dg.define_asset_job(
        NIGHTLY,
        selection=dg.AssetSelection.assets("raw_corpus", "document_signatures"),
        description="Read every source again; unchanged files cost nothing.",
    )
    settings = workspace.pipeline.model.schedule

    @dg.schedule(
        job=job,
        cron_schedule=settings.cron,
        execution_timezone=settings.timezone,
        default_status=dg.DefaultScheduleStatus.STOPPED,
    )
    def nightly(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        for source in workspace.sources:
            day = context.scheduled_execution_time.date().isoformat()
            yield dg.RunRequest(run_key=f"{day} {source}", partition_key=source)

    return nightly
