"""What a stage is: a name, what it is made from, how it runs, and what must hold afterwards."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from llm_data_assets.config.catalog import Branch
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.schemas import Table
from llm_data_assets.lake.shard_files import ShardFile
from llm_data_assets.mixing.recipe import sources_of

Partitioning = Literal["none", "source", "recipe", "recipe_source"]


@dataclass(frozen=True, order=True)
class Partition:
    """One partition of a stage; a global stage has neither source nor recipe."""

    source: str | None = None
    recipe: str | None = None

    @property
    def key(self) -> str:
        """As Dagster writes it: dimensions in alphabetical order, joined by a bar."""
        return "|".join(part for part in (self.recipe, self.source) if part is not None)

    @property
    def values(self) -> dict[str, str]:
        """Partition columns and their values, as the lake wants them."""
        named = {"recipe": self.recipe, "source": self.source}
        return {name: value for name, value in named.items() if value is not None}


@dataclass(frozen=True)
class Context:
    """What a stage runs with."""

    workspace: Workspace
    lake: Lake
    partition: Partition
    progress: Callable[[int, int], None] = lambda done, total: None

    @property
    def source(self) -> str:
        assert self.partition.source is not None, "a stage without a source asked for one"
        return self.partition.source

    @property
    def recipe(self) -> str:
        assert self.partition.recipe is not None, "a stage without a recipe asked for one"
        return self.partition.recipe


@dataclass(frozen=True)
class Outcome:
    """What a stage did: the files of its own table, and the figures that go with them.

    `docs_in`, `docs` and `drops` obey docs_in = docs + sum(drops). `figures` are shown beside
    them in the asset's metadata.
    """

    files: Sequence[ShardFile]
    docs_in: int
    docs: int
    n_bytes: int
    tokens: int | None = None
    drops: Mapping[str, int] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CheckResult:
    """What a check saw: the value, the bound in words, and rows that fail."""

    passed: bool
    observed: float
    expected: str
    samples: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Check:
    """Something that must hold after a stage; a failed blocking check stops what comes after."""

    name: str
    description: str
    evaluate: Callable[[Context], CheckResult]
    blocking: bool = False


@dataclass(frozen=True)
class Stage:
    """One asset of the graph, without Dagster."""

    name: str
    description: str
    table: Table
    partitioning: Partitioning
    upstream: tuple[str, ...]
    # Bumped when the same inputs and settings would give another output.
    code_version: str
    # The part of the configuration that changes the output.
    settings: Callable[[Workspace, Partition], Any]
    run: Callable[[Context], Outcome]
    # Version of each input, by name; None means every upstream table's matching partitions.
    inputs: Callable[[Context], Mapping[str, str]] | None = None
    checks: tuple[Check, ...] = ()
    # Whose sources it reads; None is for every branch.
    branch: Branch | None = "text"

    def partitions(self, workspace: Workspace) -> list[Partition]:
        """Every partition of the stage under a workspace, in a fixed order."""
        sources = self.sources(workspace)
        if self.partitioning == "source":
            return [Partition(source=source) for source in sources]
        if not sources:
            return []
        if self.partitioning == "none":
            return [Partition()]
        if self.partitioning == "recipe":
            return [Partition(recipe=recipe) for recipe in workspace.recipes]
        return [
            Partition(recipe=recipe, source=source)
            for recipe in workspace.recipes
            for source in recipe_sources(workspace, recipe)
        ]

    def sources(self, workspace: Workspace) -> list[str]:
        """The sources of the stage's branch, sorted."""
        return workspace.sources_of(self.branch) if self.branch else workspace.all_sources


def recipe_sources(workspace: Workspace, recipe: str) -> list[str]:
    """The sources that take part in a recipe, sorted."""
    recipes = workspace.pipeline.model.recipes
    return sources_of(recipes[recipe], recipes, workspace.sources)
