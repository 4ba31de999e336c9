"""Partitions: a source, a recipe, or both; all static, all from the workspace."""

import dagster as dg

from llm_data_assets.config.workspace import Workspace
from llm_data_assets.stages.stage import Partition, Partitioning, Stage

SOURCE, RECIPE = "source", "recipe"


def partitions_of(stage: Stage, workspace: Workspace) -> dg.PartitionsDefinition | None:
    """Dagster's partitions for a stage; None for a global one."""
    sources = dg.StaticPartitionsDefinition(stage.sources(workspace))
    recipes = dg.StaticPartitionsDefinition(workspace.recipes)
    return {
        "none": None,
        "source": sources,
        "recipe": recipes,
        "recipe_source": dg.MultiPartitionsDefinition({RECIPE: recipes, SOURCE: sources}),
    }[stage.partitioning]


def mapping_between(upstream: Partitioning, downstream: Partitioning) -> dg.PartitionMapping | None:
    """How a downstream partition finds its upstream ones; None is Dagster's own rule."""
    if downstream == "recipe_source" and upstream in ("source", "recipe"):
        return dg.MultiToSingleDimensionPartitionMapping(upstream)
    if upstream == "recipe_source" and downstream in ("source", "recipe"):
        return dg.MultiToSingleDimensionPartitionMapping(downstream)
    if upstream != "none" and upstream != downstream:
        return dg.AllPartitionMapping()
    return None


def to_partition(stage: Stage, key: str | None) -> Partition:
    """Dagster's partition key as the stage knows it."""
    if stage.partitioning == "none" or key is None:
        return Partition()
    if stage.partitioning == "source":
        return Partition(source=key)
    if stage.partitioning == "recipe":
        return Partition(recipe=key)
    recipe, source = key.split("|")
    return Partition(recipe=recipe, source=source)


def dagster_key(partition: Partition) -> str | None:
    """A stage's partition as Dagster's key; None for a global stage."""
    if partition.recipe and partition.source:
        return dg.MultiPartitionKey({RECIPE: partition.recipe, SOURCE: partition.source})
    return partition.key or None
