"""tokenized_corpus -> mixture_plan: how many sequences each source gives, and why."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from llm_data_assets.config.pipeline import VALIDATION, Recipe
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.schemas import (
    DOCUMENT_SIGNATURES,
    MIXTURE_PLAN,
    SEQUENCES,
    TOKENIZED_CORPUS,
)
from llm_data_assets.mixing.recipe import PhasePlan, plan_recipe
from llm_data_assets.stages.refusals import LICENSES_ALLOWED
from llm_data_assets.stages.run_checks import (
    EPOCHS_WITHIN_CAP,
    NO_TOKEN_LOST,
    SEQUENCE_LENGTHS,
    SPLITS_APART,
)
from llm_data_assets.stages.shards import task_key
from llm_data_assets.stages.stage import Context, Outcome, Partition, Stage, recipe_sources
from llm_data_assets.tokens.packing import Waste, pack, waste

CODE_VERSION = "2"


def run(context: Context) -> Outcome:
    """Pack every source of the recipe into sequences, then share the run out among them."""
    recipe = context.workspace.pipeline.model.recipes[context.recipe]
    packed = {
        source: _pack(context, source, recipe)
        for source in recipe_sources(context.workspace, context.recipe)
    }
    phases = plan_recipe(
        recipe,
        context.workspace.pipeline.model.recipes,
        context.workspace.catalog.model.sources,
        {source: train.sequences for source, (train, _) in packed.items()},
    )
    table = _plan_table(phases, packed)
    key = task_key(CODE_VERSION, table.to_pylist())
    file = context.lake.write_shard(MIXTURE_PLAN, context.partition.values, "all", key, [table])
    context.lake.replace_partition(MIXTURE_PLAN, context.partition.values, [file])
    both = [part for parts in packed.values() for part in parts]
    documents = sum(part.documents for part in both)
    return Outcome(
        files=[file],
        docs_in=documents,
        docs=documents,
        n_bytes=0,
        tokens=sum(part.tokens for part in both),
        figures={
            "sequences": sum(row.sequences for phase in phases for row in phase.rows),
            "padding": sum(part.waste.padding for part in both),
            "repeated tokens": sum(part.waste.repeated for part in both),
            "documents cut": sum(part.waste.cut_documents for part in both),
            # The last phase that a source stands in has its passes over the whole run.
            **{
                f"epochs {row.source}": round(row.epochs, 3)
                for phase in phases
                for row in phase.rows
            },
        },
    )


class _Part(NamedTuple):
    """One side of a source: what is trained on, or what is held out."""

    documents: int
    tokens: int
    sequences: int
    waste: Waste


def _pack(context: Context, source: str, recipe: Recipe) -> tuple[_Part, _Part]:
    """Pack one source's documents, in order of id, and write its sequences.

    Those of the held-out documents are numbered after the others.
    """
    documents = context.lake.read(TOKENIZED_CORPUS, {"source": source}, ["doc_id", "n_tokens"])
    documents = documents.sort_by("doc_id")
    held_out = _held_out(context, source, documents["doc_id"], recipe)
    parts: list[_Part] = []
    tables: list[pa.Table] = []
    for side in (~held_out, held_out):
        rows = documents.filter(pa.array(side))
        lengths = rows["n_tokens"].to_numpy()
        spans = pack(lengths, recipe.sequence_length, recipe.packing, overlap=recipe.overlap)
        first = parts[0].sequences if parts else 0
        tables.append(
            pa.table(
                {
                    "sequence": pa.array(spans.sequence + first, pa.int64()),
                    "doc_id": rows["doc_id"].take(pa.array(spans.document)),
                    "start": pa.array(spans.start, pa.int32()),
                    "length": pa.array(spans.length, pa.int32()),
                }
            )
        )
        lost = waste(spans, lengths, recipe.sequence_length)
        parts.append(_Part(rows.num_rows, int(lengths.sum()), spans.n_sequences, lost))
    partition = {"recipe": context.recipe, "source": source}
    inputs = [file.content for file in context.lake.shards(TOKENIZED_CORPUS, {"source": source})]
    split = [recipe.validation_share, recipe.seed, held_out.nonzero()[0].tolist()]
    cut = [recipe.sequence_length, recipe.packing, recipe.overlap]
    key = task_key(CODE_VERSION, inputs, *cut, split)
    file = context.lake.find_shard(SEQUENCES, partition, "all", key) or context.lake.write_shard(
        SEQUENCES, partition, "all", key, tables
    )
    context.lake.replace_partition(SEQUENCES, partition, [file])
    return parts[0], parts[1]


def _held_out(
    context: Context, source: str, doc_ids: pa.ChunkedArray, recipe: Recipe
) -> np.ndarray:
    """bool[n]: the documents for validation, chosen by the hash of their text.

    Documents of equal text, under the normalisation of deduplication, stand on the same side,
    also where they were kept apart by its scope.
    """
    if not recipe.validation_share:
        return np.zeros(len(doc_ids), bool)
    signed = context.lake.read(DOCUMENT_SIGNATURES, {"source": source}, ["doc_id", "text_hash"])
    row = pc.index_in(doc_ids, signed["doc_id"].combine_chunks())
    hashes = signed["text_hash"].take(row).to_pylist()
    draws = [xxhash.xxh3_64_intdigest(each, recipe.seed) / 2**64 for each in hashes]
    return np.array(draws) < recipe.validation_share


def _plan_table(phases: list[PhasePlan], packed: Mapping[str, tuple[_Part, _Part]]) -> pa.Table:
    rows: list[dict[str, Any]] = [
        {
            "phase": phase.name,
            "first_position": phase.first_position,
            "first_sequence": 0,
            "available_tokens": packed[row.source][0].tokens,
            **asdict(row),
        }
        for phase in phases
        for row in phase.rows
    ]
    held_out = {source: part for source, (_, part) in packed.items() if part.sequences}
    whole = sum(part.sequences for part in held_out.values())
    rows += [
        {
            "phase": VALIDATION,
            "first_position": sum(row.sequences for phase in phases for row in phase.rows),
            "first_sequence": packed[source][0].sequences,
            "source": source,
            "available_tokens": part.tokens,
            "available_sequences": part.sequences,
            "weight": part.sequences / whole,
            "share": part.sequences / whole,
            "sequences": part.sequences,
            "epochs": 1.0,
            "next_epoch_value": 0.0,
            "bound_by": VALIDATION,
        }
        for source, part in held_out.items()
    ]
    return pa.Table.from_pylist(rows, MIXTURE_PLAN.schema)


def _settings(workspace: Workspace, partition: Partition) -> object:
    assert partition.recipe is not None
    recipes = workspace.pipeline.model.recipes
    settings: list[object] = [recipe_sources(workspace, partition.recipe)]
    recipe: Recipe | None = recipes[partition.recipe]
    while recipe:  # and what it replays
        unseen = {"formats", "export_shard_mb"}  # and the seed, unless documents are held out
        settings.append(
            recipe.model_dump(
                mode="json",
                exclude=unseen if recipe.validation_share else {*unseen, "seed"},
            )
        )
        if recipe.bounds:
            settings.append(
                {
                    name: [source.domain, source.language, source.license, str(source.date)]
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
    checks=(EPOCHS_WITHIN_CAP, NO_TOKEN_LOST, SEQUENCE_LENGTHS, SPLITS_APART, LICENSES_ALLOWED),
)
