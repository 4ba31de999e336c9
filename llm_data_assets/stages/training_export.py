"""mixed_corpus -> training_export: the files a trainer opens."""

import pyarrow.compute as pc

from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.schemas import (
    BUDGET_PLAN,
    DATA_GAP,
    MIXED_CORPUS,
    SEQUENCES,
    TOKENIZED_CORPUS,
    TOKENIZER,
    TRAINING_EXPORT,
)
from llm_data_assets.stages.export_files import CODE_VERSION, export_folder, export_run
from llm_data_assets.stages.run_checks import EXPORT_CHECKSUMS, EXPORT_COMPLETE
from llm_data_assets.stages.stage import Context, Outcome, Partition, Stage, recipe_sources
from llm_data_assets.stages.versions import data_version


def run(context: Context) -> Outcome:
    """Write the run's sequences in order, in every format the recipe names."""
    recipe = context.workspace.pipeline.model.recipes[context.recipe]
    folder, home = export_folder(context), context.workspace.home
    files = export_run(context, recipe.formats, folder, base=home)
    context.lake.replace_partition(TRAINING_EXPORT, context.partition.values, files)
    rows = context.lake.read(TRAINING_EXPORT, context.partition.values)
    shards = rows.group_by(["format", "first_position"]).aggregate([("tokens", "max")])
    documents = _documents(context)
    return Outcome(
        files=files,
        docs_in=documents,
        docs=documents,
        n_bytes=pc.sum(rows["n_bytes"]).as_py() or 0,
        tokens=(pc.sum(shards["tokens_max"]).as_py() or 0) // len(recipe.formats),
        figures={"files": rows.num_rows, "folder": str(folder)},
    )


def _documents(context: Context) -> int:
    """Documents that have a token in the run."""
    used = context.lake.read(MIXED_CORPUS, {"recipe": context.recipe}, ["source", "sequence"])
    spans = context.lake.read(
        SEQUENCES, {"recipe": context.recipe}, ["source", "sequence", "doc_id"]
    )
    joined = spans.join(
        used.group_by(["source", "sequence"]).aggregate([]),
        ["source", "sequence"],
        join_type="inner",
    )
    return int(pc.count_distinct(joined["doc_id"]).as_py())


def _inputs(context: Context) -> dict[str, str]:
    versions = {
        "tokenizer": data_version(context.lake, TOKENIZER, {}),
        "budget": data_version(context.lake, BUDGET_PLAN, {}),
    }
    for source in recipe_sources(context.workspace, context.recipe):
        both = {"recipe": context.recipe, "source": source}
        versions[f"mixed {source}"] = data_version(context.lake, MIXED_CORPUS, both)
        versions[f"sequences {source}"] = data_version(context.lake, SEQUENCES, both)
        versions[f"tokens {source}"] = data_version(
            context.lake, TOKENIZED_CORPUS, {"source": source}
        )
    return versions


def _settings(workspace: Workspace, partition: Partition) -> object:
    recipe = workspace.pipeline.model.recipes[partition.recipe or ""]
    plan = workspace.pipeline.model.plan
    return [
        recipe.model_dump(include={"formats", "export_shard_mb"}),
        [plan.min_token_share, plan.max_epochs, plan.override.get(partition.recipe or "")],
    ]


STAGE = Stage(
    name=TRAINING_EXPORT.name,
    description="""The files a trainer opens, in the formats the recipe names, under
`exports/<recipe>` in the home, sharded, with checksums and a manifest of what they were made
from; an export without its manifest is not finished.""",
    table=TRAINING_EXPORT,
    partitioning="recipe",
    upstream=(MIXED_CORPUS.name, DATA_GAP.name),
    code_version=CODE_VERSION,
    settings=_settings,
    run=run,
    inputs=_inputs,
    checks=(EXPORT_COMPLETE, EXPORT_CHECKSUMS),
)
