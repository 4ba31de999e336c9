"""deduped_corpus -> quality_signals: measure once, decide later."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.schemas import DEDUPED_CORPUS, RAW_CORPUS, SIGNAL_MODELS, quality_signals
from llm_data_assets.lake.shard_files import ShardFile
from llm_data_assets.stages.checks import language_share, measured_conservation
from llm_data_assets.stages.drift import drift_checks, store_drift
from llm_data_assets.stages.filter_rules import signals_asked_for
from llm_data_assets.stages.shards import Task, batches, make_shards, task_key
from llm_data_assets.stages.signal_models import open_models, trained_models, word_lists
from llm_data_assets.stages.stage import Context, Outcome, Partition, Stage
from llm_data_assets.stages.tally import tally
from llm_data_assets.text.language import detect
from llm_data_assets.text.optional_signals import OPTIONAL, Models, measure_optional
from llm_data_assets.text.signals import SIGNALS, groups_for, measure

CODE_VERSION = "7"
QUALITY_SIGNALS = quality_signals(
    pa.schema(
        [
            pa.field("language", pa.string(), metadata={"description": "Detected language"}),
            *(
                pa.field(each.name, each.dtype, metadata={"description": each.description})
                for each in (*SIGNALS, *OPTIONAL)
            ),
        ]
    )
)


def run(context: Context) -> Outcome:
    """Measure the documents of each shard that changed."""
    partition = context.partition.values
    raw = {file.shard: file for file in context.lake.shards(RAW_CORPUS, partition)}
    settings = measured_settings(context.workspace, context.partition)
    models = trained_models(context)
    contents = [model.content for model in models]
    tasks = [
        Task(
            lake=context.lake,
            partition=partition,
            shard=kept.shard,
            key=task_key(CODE_VERSION, settings, contents, raw[kept.shard].content, kept.content),
            inputs={
                RAW_CORPUS.name: (raw[kept.shard],),
                DEDUPED_CORPUS.name: (kept,),
                SIGNAL_MODELS.name: models,
            },
            settings=settings,
        )
        for kept in context.lake.shards(DEDUPED_CORPUS, partition)
    ]
    came_in = tally(context, DEDUPED_CORPUS, partition, total="n_bytes")
    outputs = {STAGE.name: (QUALITY_SIGNALS, partition)}
    files = make_shards(context, measure_shard, tasks, outputs, came_in.total)[STAGE.name]
    context.lake.replace_partition(QUALITY_SIGNALS, partition, files)
    store_drift(context, QUALITY_SIGNALS)
    return Outcome(files, docs_in=came_in.rows, docs=came_in.rows, n_bytes=came_in.total)


def measure_shard(task: Task) -> dict[str, ShardFile]:
    """Measure the kept documents of one shard."""
    return {QUALITY_SIGNALS.name: task.write(QUALITY_SIGNALS, _measured(task))}


def _measured(task: Task) -> Iterator[pa.Table]:
    models = models_of(task)
    for rows in kept_documents(task, ["doc_id", "text"]):
        yield signals_of(rows, task, models)


def measured_settings(workspace: Workspace, partition: Partition) -> dict[str, Any]:
    """What is measured: a signal that nothing asks for costs nothing, and is null."""
    asked = signals_asked_for(workspace)
    return {
        "groups": groups_for(asked, general=workspace.pipeline.model.signals.general),
        "optional": sorted(asked.intersection(each.name for each in OPTIONAL)),
        "words": word_lists(workspace),
    }


def models_of(task: Task) -> Models:
    """The models that a task with `measured_settings` and files of `signal_models` measures by."""
    return open_models(task.lake, task.inputs[SIGNAL_MODELS.name], task.settings["words"])


def signals_of(rows: pa.Table, task: Task, models: Models) -> pa.Table:
    """Rows of quality_signals for documents with the columns doc_id and text."""
    texts = rows["text"].combine_chunks()
    languages, scores = detect(texts)
    wanted = task.settings["groups"]
    signals = measure(texts, languages, language_scores=scores, wanted=wanted)
    optional = measure_optional(texts, languages, task.settings["optional"], models)
    columns = {"doc_id": rows["doc_id"], "language": languages}
    for measured in (signals, optional):
        columns |= dict(zip(measured.schema.names, measured.columns, strict=True))
    return pa.table(columns)


def kept_documents(task: Task, columns: list[str]) -> Iterator[pa.Table]:
    """Rows of the task's raw shard that its deduped shard names, a batch at a time."""
    (raw,) = task.inputs[RAW_CORPUS.name]
    (kept,) = task.inputs[DEDUPED_CORPUS.name]
    names = task.lake.read_shard(DEDUPED_CORPUS, task.partition, kept, ["doc_id"])
    stays = names["doc_id"].combine_chunks()
    for rows in batches(task.lake, RAW_CORPUS, task.partition, raw, columns):
        yield rows.filter(pc.is_in(rows["doc_id"], stays))


STAGE = Stage(
    name=QUALITY_SIGNALS.name,
    description="""What was measured of each surviving document: one column a signal, named as in
RedPajama-v2 where it has a name. No threshold appears here: the rules of `pipeline.yaml` are
predicates over these columns. A toolkit's own counts are null unless a rule or `signals.also`
asks for them, and so are all others with `signals: {general: false}`.""",
    table=QUALITY_SIGNALS,
    partitioning="source",
    upstream=(RAW_CORPUS.name, DEDUPED_CORPUS.name, SIGNAL_MODELS.name),
    code_version=CODE_VERSION,
    settings=measured_settings,
    run=run,
    checks=(
        measured_conservation(QUALITY_SIGNALS),
        language_share(QUALITY_SIGNALS),
        *drift_checks(QUALITY_SIGNALS),
    ),
)
