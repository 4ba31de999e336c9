"""A restored version, as Dagster is told of it: a materialisation without a run."""

import dagster as dg

from llm_data_assets.config.workspace import Workspace
from llm_data_assets.defs.instance import open_instance
from llm_data_assets.defs.partitions import dagster_key
from llm_data_assets.stages.stage import Partition, Stage


def report_restored(workspace: Workspace, stage: Stage, partition: Partition, content: str) -> None:
    """Record that the partition holds `content` now; what reads it shows as stale."""
    with open_instance(workspace.home) as instance:
        instance.report_runless_asset_event(
            dg.AssetMaterialization(
                stage.name,
                partition=dagster_key(partition),
                description="an older version, restored",
                tags={"dagster/data_version": content},
            )
        )
