"""The one Definitions object that Dagster loads."""

import dagster as dg

from llm_data_assets.config.workspace import Workspace, keep_private, open_workspace
from llm_data_assets.defs.automation import nightly_schedules
from llm_data_assets.defs.failure_hook import failure_sensor
from llm_data_assets.defs.models import Warehouse, model_assets
from llm_data_assets.defs.report import card_assets, report_asset
from llm_data_assets.defs.sources import new_files_sensor, source_files_asset
from llm_data_assets.defs.stage_assets import stage_asset
from llm_data_assets.stages.graph import STAGES


def build_definitions(workspace: Workspace, *, models: bool = True) -> dg.Definitions:
    """Assets, checks, jobs, schedules, sensors and resources of a workspace.

    Without `models`, the SQL models are left out: reading them takes as long as a stage.
    """
    return dg.Definitions(
        assets=[
            source_files_asset(workspace),
            *(stage_asset(stage, workspace) for stage in STAGES.values()),
            *(model_assets(workspace) if models else ()),
            report_asset(workspace),
            *card_assets(workspace),
        ],
        schedules=nightly_schedules(workspace),
        sensors=[
            new_files_sensor(workspace),
            failure_sensor(workspace),
            dg.AutomationConditionSensorDefinition(
                "carry_changes",
                target=dg.AssetSelection.all(),
                default_status=dg.DefaultSensorStatus.STOPPED,
            ),
        ],
        resources={
            "warehouse": Warehouse(database=str(workspace.home / "warehouse.duckdb")),
            **_engine(workspace),
        },
        # A process a step would cost more than most steps do.
        executor=dg.in_process_executor,
    )


def _engine(workspace: Workspace) -> dict[str, dg.ConfigurableResource]:
    """The cluster, where the pipeline asks for one."""
    if workspace.pipeline.model.engine.kind != "ray":
        return {}
    try:
        from llm_data_assets.defs.ray import ray_resource
    except ImportError as error:
        raise workspace.pipeline.error(
            ("engine", "kind"),
            "Ray or dagster-ray is not installed",
            "pip install 'llm_data_assets[ray]', or kind: local",
        ) from error
    return {"ray": ray_resource(workspace.pipeline.model.engine)}


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions of the workspace that the environment names."""
    keep_private()
    return build_definitions(open_workspace())
