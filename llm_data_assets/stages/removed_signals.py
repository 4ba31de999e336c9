"""duplicates -> removed_signals: what deduplication took, measured as what stays is.

Global deduplication is not always better: FineWeb's removed part trained better models than what
was kept (Penedo et al. 2024, section 3.4). The model `removed_against_kept` puts both side by side.
"""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from llm_data_assets.lake.schemas import DUPLICATES, RAW_CORPUS, SIGNAL_MODELS, Table
from llm_data_assets.lake.shard_files import ShardFile
from llm_data_assets.stages.draw_ids import draw
from llm_data_assets.stages.quality_signals import CODE_VERSION as MEASURED_BY
from llm_data_assets.stages.quality_signals import (
    QUALITY_SIGNALS,
    measured_settings,
    models_of,
    signals_of,
)
from llm_data_assets.stages.shards import BATCH_BYTES, Task, batches, make_shards, task_key
from llm_data_assets.stages.signal_models import trained_models
from llm_data_assets.stages.stage import Context, Outcome, Stage
from llm_data_assets.stages.versions import data_version

CODE_VERSION = "3"
# Removed documents measured of a source: a mean is then known to a thirtieth of its spread, for
# about half a second of work.
SAMPLE = 1_000

REMOVED_SIGNALS = Table(
    "removed_signals",
    f"Signals of documents that deduplication removed: all, or {SAMPLE:,} of a source drawn by a "
    "hash of their ids.",
    QUALITY_SIGNALS.partition_by,
    QUALITY_SIGNALS.schema,
)


def run(context: Context) -> Outcome:
    """Measure the drawn documents in each shard that holds some."""
    partition = context.partition.values
    gone = context.lake.read(DUPLICATES, partition, ["doc_id"])["doc_id"]
    drawn = gone.take(draw(gone, SAMPLE)).combine_chunks()
    settings = measured_settings(context.workspace, context.partition)
    models = trained_models(context)
    contents = [model.content for model in models]
    tasks, n_bytes, n_read = [], 0, 0
    for raw in context.lake.shards(RAW_CORPUS, partition):
        rows = context.lake.read_shard(RAW_CORPUS, partition, raw, ["doc_id", "n_bytes"])
        mine = rows.filter(pc.is_in(rows["doc_id"], drawn))
        ids = tuple(mine["doc_id"].to_pylist())
        n_bytes += pc.sum(mine["n_bytes"]).as_py() or 0
        n_read += pc.sum(rows["n_bytes"]).as_py() if ids else 0
        key = task_key(CODE_VERSION, MEASURED_BY, settings, contents, raw.content, ids)
        inputs = {RAW_CORPUS.name: (raw,), SIGNAL_MODELS.name: models}
        of_task = settings | {"doc_ids": ids}
        tasks.append(Task(context.lake, partition, raw.shard, key, inputs, of_task))
    outputs = {STAGE.name: (REMOVED_SIGNALS, partition)}
    files = make_shards(context, measure_removed, tasks, outputs, n_read)[STAGE.name]
    context.lake.replace_partition(REMOVED_SIGNALS, partition, files)
    return Outcome(
        files=files,
        docs_in=len(drawn),
        docs=len(drawn),
        n_bytes=n_bytes,
        figures={"removed": len(gone)},
    )


def measure_removed(task: Task) -> dict[str, ShardFile]:
    """Measure the drawn documents of one shard."""
    return {REMOVED_SIGNALS.name: task.write(REMOVED_SIGNALS, _measured(task))}


def _measured(task: Task) -> Iterator[pa.Table]:
    if not task.settings["doc_ids"]:
        return
    models = models_of(task)
    for rows in _drawn(task):
        yield signals_of(rows, task, models)


def _drawn(task: Task) -> Iterator[pa.Table]:
    """The drawn documents, of which a row group holds few, as many at a time as one would."""
    (raw,) = task.inputs[RAW_CORPUS.name]
    drawn = pa.array(task.settings["doc_ids"])
    held: list[pa.Table] = []
    n_bytes = 0
    for rows in batches(task.lake, RAW_CORPUS, task.partition, raw, ["doc_id", "text"]):
        held.append(rows.filter(pc.is_in(rows["doc_id"], drawn)))
        n_bytes += held[-1].nbytes
        if n_bytes >= BATCH_BYTES:
            yield pa.concat_tables(held)
            held, n_bytes = [], 0
    if held:
        yield pa.concat_tables(held)


STAGE = Stage(
    name=REMOVED_SIGNALS.name,
    description="""What was measured of documents that deduplication removed, to be set beside what
stays. All of them, or a sample of each source drawn by a hash of the ids.""",
    table=REMOVED_SIGNALS,
    partitioning="source",
    upstream=(RAW_CORPUS.name, DUPLICATES.name, SIGNAL_MODELS.name),
    code_version=f"{CODE_VERSION} {MEASURED_BY}",
    settings=measured_settings,
    run=run,
    # Of `duplicates` only this source's rows matter.
    inputs=lambda context: (
        {
            table.name: data_version(context.lake, table, context.partition.values)
            for table in (RAW_CORPUS, DUPLICATES)
        }
        | {SIGNAL_MODELS.name: data_version(context.lake, SIGNAL_MODELS, {})}
    ),
)
