"""tokenized_corpus -> mixture_plan: how many sequences each source gives, and why."""

from dataclasses import asdict

import numpy as np
import pyarrow as pa

from llm_data_assets.config.pipeline import Recipe
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.schemas import MIXTURE_PLAN, SEQUENCES, TOKENIZED_CORPUS
from llm_data_assets.mixing.recipe import PhasePlan, plan_recipe
from llm_data_assets.stages.checks import EPOCHS_WITHIN_CAP, NO_TOKEN_LOST
from llm_data_assets.stages.shards import task_key
from llm_data_assets.stages.stage import Context, Outcome, Partition, Stage, recipe_sources
from llm_data_assets.tokens.packing import pack

CODE_VERSION = "2"


def run(context: Context) -> Outcome:
    """Pack every source of the recipe into sequences, then share the run out among them."""
    recipe = context.workspace.pipeline.model.recipes[context.recipe]
    tokens: dict[str, int] = {}
    sequences: dict[str, int] = {}
    documents = 0
    for source in recipe_sources(context.workspace, context.recipe):
        packed, lengths = _pack(context, source, recipe)
        documents += len(lengths)
        tokens[source] = int(lengths.sum())
        sequences[source] = packed["sequence"][-1].as_py() + 1 if packed.num_rows else 0
    phases = plan_recipe(
        recipe,
        context.workspace.pipeline.model.recipes,
        context.workspace.catalog.model.sources,
        sequences,
    )
    table = _plan_table(phases, tokens)
    key = task_key(CODE_VERSION, table.to_pylist())
    file = context.lake.write_shard(MIXTURE_PLAN, context.partition.values, "all", key, [table])
    context.lake.replace_partition(MIXTURE_PLAN, context.partition.values, [file])
    return Outcome(
        files=[file],
        docs_in=documents,
        docs=documents,
        n_bytes=0,
        tokens=sum(tokens.values()),
        figures={
            "sequences": sum(row.sequences for phase in phases for row in phase.rows),
            # The last phase that a source stands in has its passes over the whole run.
            **{
                f"epochs {row.source}": round(row.epochs, 3)
                for phase in phases
                for row in phase.rows
            },
        },
    )


def _pack(context: Context, source: str, recipe: Recipe) -> tuple[pa.Table, np.ndarray]:
    """Pack one source's documents, in order of id, and write its sequences."""
    documents = context.lake.read(TOKENIZED_CORPUS, {"source": source}, ["doc_id", "n_tokens"])
    documents = documents.sort_by("doc_id")
    lengths = documents["n_tokens"].to_numpy()
    spans = pack(lengths, recipe.sequence_length, recipe.packing)
    packed = pa.table(
        {
            "sequence": pa.array(spans.sequence, pa.int64()),
            "doc_id": documents["doc_id"].take(pa.array(spans.document)),
            "start": pa.array(spans.start, pa.int32()),
            "length": pa.array(spans.length, pa.int32()),
        }
    )
    partition = {"recipe": context.recipe, "source": source}
    inputs = [file.content for file in context.lake.shards(TOKENIZED_CORPUS, {"source": source})]
    key = task_key(CODE_VERSION, inputs, recipe.sequence_length, recipe.packing)
    file = context.lake.find_shard(SEQUENCES, partition, "all", key) or context.lake.write_shard(
        SEQUENCES, partition, "all", key, [packed]
    )
    context.lake.replace_partition(SEQUENCES, partition, [file])
    return packed, lengths


def _plan_table(phases: list[PhasePlan], tokens: dict[str, int]) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "phase": phase.name,
                "first_position": phase.first_position,
                "available_tokens": tokens[row.source],
                **asdict(row),
            }
            for phase in phases
            for row in phase.rows
        ],
        MIXTURE_PLAN.schema,
    )


def _settings(workspace: Workspace, partition: Partition) -> object:
    assert partition.recipe is not None
    recipes = workspace.pipeline.model.recipes
    settings: list[object] = [recipe_sources(workspace, partition.recipe)]
    recipe: Recipe | None = recipes[partition.recipe]
    while recipe:  # and what it replays
        settings.append(recipe.model_dump(exclude={"formats", "seed", "export_shard_mb"}))
        if recipe.bounds:
            settings.append(
                {
                    name: [source.domain, source.language, source.license]
                    for name, source in workspace.catalog.model.sources.items()
                }
            )
        recipe = recipes[recipe.replay.recipe] if recipe.replay else None
    return settings


STAGE = Stage(
    name=MIXTURE_PLAN.name,
    description="""How many packed sequences, and so how many epochs, each source gives to the
recipe: what was asked for, what the caps allow, and which of the two decided.""",
    table=MIXTURE_PLAN,
    partitioning="recipe",
    upstream=(TOKENIZED_CORPUS.name,),
    code_version=CODE_VERSION,
    settings=_settings,
    run=run,
    checks=(EPOCHS_WITHIN_CAP, NO_TOKEN_LOST),
)
