"""source_files: the files behind each source, observed; and the sensor that notices new ones."""

import dagster as dg

from llm_data_assets.config.digest import digest
from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.defs.stage_assets import OWNER, SOURCE_FILES
from llm_data_assets.defs.studio_links import studio_link
from llm_data_assets.stages.source_files import files_version

SENSOR_SECONDS = 60


def observed_version(workspace: Workspace, source: str) -> str:
    """Version of a source's files and of what the catalog says of them."""
    declared = workspace.catalog.model.sources[source]
    return digest(files_version(workspace, source), declared)


def source_files_asset(workspace: Workspace) -> dg.AssetsDefinition:
    """The external asset that everything starts from."""

    @dg.observable_source_asset(
        name=SOURCE_FILES.path[-1],
        description="The files behind each source, as the catalog names them. Observed, never "
        "made: the version is a digest of every file's uri, size and checksum.",
        group_name="ingest",
        partitions_def=dg.StaticPartitionsDefinition(workspace.all_sources),
        metadata={"catalog": str(workspace.catalog.path), **studio_link("source_files")},
        tags={"owner": OWNER.split(":")[1]},
    )
    def source_files(context: dg.OpExecutionContext) -> dg.DataVersionsByPartition:
        return dg.DataVersionsByPartition(
            {source: observed_version(workspace, source) for source in workspace.all_sources}
        )

    return source_files  # type: ignore[return-value]  # Dagster types it as a SourceAsset


def new_files_sensor(workspace: Workspace) -> dg.SensorDefinition:
    """Reports a new version of `source_files` when a file was added, changed or removed.

    Automation conditions carry it on from there, if they are switched on.
    """

    @dg.sensor(
        name="new_source_files",
        description="Notices files that were added, changed or removed behind a source.",
        minimum_interval_seconds=SENSOR_SECONDS,
        default_status=dg.DefaultSensorStatus.STOPPED,
    )
    def new_source_files(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        events = []
        problems = _not_loaded(workspace)
        for source in workspace.all_sources:
            try:
                if event := observe(context.instance, workspace, source):
                    events.append(event)
            except ConfigError as error:
                problems.append(str(error))
        for problem in problems:
            context.log.warning(problem)
        if problems and not events:
            return dg.SkipReason("; ".join(problems))
        return dg.SensorResult(asset_events=events)

    return new_source_files


def _not_loaded(workspace: Workspace) -> list[str]:
    """What the catalog names by now and Dagster does not know: its partitions are fixed."""
    try:
        now = open_workspace(workspace.home, workspace.catalog.path, workspace.pipeline.path)
    except ConfigError as error:
        return [str(error)]
    new = sorted(set(now.all_sources) - set(workspace.all_sources))
    gone = sorted(set(workspace.all_sources) - set(now.all_sources))
    said = [f"new: {', '.join(new)}"] * bool(new) + [f"gone: {', '.join(gone)}"] * bool(gone)
    if not said:
        return []
    return [f"{now.catalog.path} has changed ({'; '.join(said)}). Try: reload the code location"]


def observe(
    instance: dg.DagsterInstance, workspace: Workspace, source: str
) -> dg.AssetObservation | None:
    """The observation of a source whose files changed since the last one; None if none did."""
    version = observed_version(workspace, source)
    records = instance.fetch_observations(
        dg.AssetRecordsFilter(asset_key=SOURCE_FILES, asset_partitions=[source]), limit=1
    ).records
    last = records[0].asset_observation if records else None
    if last is not None and last.tags.get("dagster/data_version") == version:
        return None
    return dg.AssetObservation(
        SOURCE_FILES, partition=source, tags={"dagster/data_version": version}
    )
