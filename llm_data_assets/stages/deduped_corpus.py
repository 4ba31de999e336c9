"""raw_corpus without duplicates -> deduped_corpus: the names of the documents that stay."""

import pyarrow as pa
import pyarrow.compute as pc

from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.schemas import DEDUPED_CORPUS, DUPLICATES, RAW_CORPUS, VERDICTS
from llm_data_assets.lake.shard_files import ShardFile
from llm_data_assets.stages.checks import DEDUPED_CONSERVATION
from llm_data_assets.stages.shards import Task, make_shards, task_key
from llm_data_assets.stages.stage import Context, Outcome, Stage
from llm_data_assets.stages.tally import tally
from llm_data_assets.stages.versions import data_version

CODE_VERSION = "3"
_NAME_BYTES = 64  # about what is read of a document, its name and size: nothing of its text


def run(context: Context) -> Outcome:
    """Keep the documents of each shard that `duplicates` does not name."""
    partition = context.partition.values
    duplicates = {each.shard: (each,) for each in context.lake.shards(DUPLICATES, partition)}
    thresholds = _thresholds(context.workspace)
    tasks = [
        Task(
            lake=context.lake,
            partition=partition,
            shard=file.shard,
            key=task_key(
                CODE_VERSION,
                file.content,
                [each.content for each in duplicates.get(file.shard, ())],
                thresholds,
            ),
            inputs={RAW_CORPUS.name: (file,), DUPLICATES.name: duplicates.get(file.shard, ())},
            settings=thresholds,
        )
        for file in context.lake.shards(RAW_CORPUS, partition)
    ]
    verdicts = {**partition, "stage": STAGE.name}
    outputs = {STAGE.name: (DEDUPED_CORPUS, partition), VERDICTS.name: (VERDICTS, verdicts)}
    read = tally(context, RAW_CORPUS, partition)
    made = make_shards(context, dedupe_shard, tasks, outputs, _NAME_BYTES * read.rows)
    context.lake.replace_partition(VERDICTS, verdicts, made[VERDICTS.name])
    context.lake.replace_partition(DEDUPED_CORPUS, partition, made[STAGE.name])
    kept = tally(context, DEDUPED_CORPUS, partition, total="n_bytes")
    gone = tally(context, VERDICTS, verdicts, by=["reason"])
    return Outcome(
        files=made[STAGE.name],
        docs_in=read.rows,
        docs=kept.rows,
        n_bytes=kept.total,
        drops={reason: rows for (reason,), rows in sorted(gone.by.items())},
    )


def dedupe_shard(task: Task) -> dict[str, ShardFile]:
    """Split one shard into the names that stay and the verdicts on the rest."""
    (raw,) = task.inputs[RAW_CORPUS.name]
    documents = task.lake.read_shard(RAW_CORPUS, task.partition, raw, ["doc_id", "n_bytes"])
    gone = DUPLICATES.schema.empty_table()
    for file in task.inputs[DUPLICATES.name]:  # one, or none where nothing goes
        gone = task.lake.read_shard(DUPLICATES, task.partition, file)
    leaves = pc.is_in(documents["doc_id"], gone["doc_id"].combine_chunks())
    mine = gone.filter(pc.is_in(gone["doc_id"], documents["doc_id"].combine_chunks()))
    n = mine.num_rows
    verdicts = pa.table(
        {
            "doc_id": mine["doc_id"],
            "kept": pa.repeat(pa.scalar(False), n),
            "reason": mine["method"],
            "position": pa.repeat(pa.scalar(0, pa.int16()), n),
            "value": mine["similarity"],
            # Documents of one address or key go whatever their similarity.
            "threshold": pa.array(
                [task.settings.get(method) for method in mine["method"].to_pylist()], pa.float64()
            ),
            "detail": mine["kept_doc_id"],
        }
    )

    return {
        DEDUPED_CORPUS.name: task.write(DEDUPED_CORPUS, [documents.filter(pc.invert(leaves))]),
        VERDICTS.name: task.write(VERDICTS, [verdicts], stage=DEDUPED_CORPUS.name),
    }


def _thresholds(workspace: Workspace) -> dict[str, float]:
    """The similarity from which one goes, by method."""
    dedup = workspace.pipeline.model.dedup
    found = {"exact": dedup.threshold, "near": dedup.threshold}
    return {**found, "semantic": dedup.semantic.max_cosine} if dedup.semantic else found


STAGE = Stage(
    name=DEDUPED_CORPUS.name,
    description="""The documents that survive deduplication. The table holds their names; a query
of `deduped_corpus` sees them with their text. Each removed document stands in `verdicts` with the
document it repeats and how similar the two are.""",
    table=DEDUPED_CORPUS,
    partitioning="source",
    upstream=(RAW_CORPUS.name, DUPLICATES.name),
    code_version=CODE_VERSION,
    settings=lambda workspace, partition: _thresholds(workspace),
    run=run,
    # Of `duplicates` only this source's rows matter: a change elsewhere changes nothing here.
    inputs=lambda context: {
        table.name: data_version(context.lake, table, context.partition.values)
        for table in (RAW_CORPUS, DUPLICATES)
    },
    checks=(DEDUPED_CONSERVATION,),
)
