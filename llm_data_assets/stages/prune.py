"""Sources that the catalog no longer names leave every table."""

from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.schemas import CHECKS, DRIFT, STAGE_STATS, TABLES
from llm_data_assets.stages.quality_signals import QUALITY_SIGNALS
from llm_data_assets.stages.removed_signals import REMOVED_SIGNALS
from llm_data_assets.stages.stage import recipe_sources


def remove_dropped_sources(workspace: Workspace, lake: Lake) -> list[str]:
    """Empty the partitions of sources and recipes that are gone; returns what was removed.

    Older versions of the tables still hold them. Statistics and check results are history and
    stay.
    """
    removed = []
    for table in (*TABLES.values(), QUALITY_SIGNALS, REMOVED_SIGNALS):
        if table in (STAGE_STATS, CHECKS, DRIFT):
            continue
        for partition in lake.partitions(table):
            if not _still_there(workspace, partition):
                lake.replace_partition(table, partition, [])
                removed.append(f"{table.name} {' '.join(partition.values())}")
    return removed


def _still_there(workspace: Workspace, partition: dict[str, str]) -> bool:
    recipe, source = partition.get("recipe"), partition.get("source")
    if recipe is not None and recipe not in workspace.recipes:
        return False
    if source is None:
        return True
    return source in (recipe_sources(workspace, recipe) if recipe else workspace.sources)
