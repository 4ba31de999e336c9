"""Sources that the catalog no longer names leave every table."""

import pyarrow as pa

from llm_data_assets.config.catalog import Branch
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.instruction_tables import INSTRUCTION_TABLES, scored_instructions
from llm_data_assets.lake.media_tables import MEDIA_TABLES, pair_signals
from llm_data_assets.lake.schemas import HISTORY, REJECTS, TABLES
from llm_data_assets.stages.quality_signals import QUALITY_SIGNALS
from llm_data_assets.stages.removed_signals import REMOVED_SIGNALS
from llm_data_assets.stages.stage import recipe_sources

# By name and place; their columns do not matter here.
SCORED = scored_instructions(pa.schema([]))
_OF_PAIRS = (*MEDIA_TABLES, pair_signals(pa.schema([])))
_BRANCHES: dict[str, Branch] = {
    **{table.name: "instructions" for table in (*INSTRUCTION_TABLES, SCORED)},
    **{table.name: "media" for table in _OF_PAIRS},
}


def remove_dropped_sources(workspace: Workspace, lake: Lake) -> list[str]:
    """Empty the partitions of sources and recipes that are gone; returns what was removed.

    Older versions of the tables still hold them. Statistics and check results are history and
    stay.
    """
    removed = []
    beside_text = (*INSTRUCTION_TABLES, SCORED, *_OF_PAIRS)
    for table in (*TABLES.values(), QUALITY_SIGNALS, REMOVED_SIGNALS, *beside_text):
        if table in HISTORY:
            continue
        for partition in lake.partitions(table):
            stage = partition.get("stage", table.name)
            # What all branches fill (rejects) stays with a source of any.
            branch = None if table is REJECTS else _BRANCHES.get(stage, "text")
            if not _still_there(workspace, partition, branch):
                lake.replace_partition(table, partition, [])
                removed.append(f"{table.name} {' '.join(partition.values())}")
    return removed


def _still_there(workspace: Workspace, partition: dict[str, str], branch: Branch | None) -> bool:
    recipe, source = partition.get("recipe"), partition.get("source")
    if recipe is not None and recipe not in workspace.recipes:
        return False
    if source is None:
        return True
    if recipe:
        return source in recipe_sources(workspace, recipe)
    return source in (workspace.sources_of(branch) if branch else workspace.all_sources)
