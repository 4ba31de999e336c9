"""raw_instructions without repeats -> deduped_instructions: the names that stay."""

import pyarrow as pa
import pyarrow.compute as pc

from llm_data_assets.lake.delta import ShardFile
from llm_data_assets.lake.instruction_tables import (
    DEDUPED_INSTRUCTIONS,
    INSTRUCTION_DUPLICATES,
    RAW_INSTRUCTIONS,
)
from llm_data_assets.lake.schemas import VERDICTS
from llm_data_assets.stages.checks import conservation
from llm_data_assets.stages.shards import Task, make_shards, task_key
from llm_data_assets.stages.stage import Context, Outcome, Stage
from llm_data_assets.stages.versions import data_version

CODE_VERSION = "1"


def run(context: Context) -> Outcome:
    """Keep the dialogues of each shard that `instruction_duplicates` does not name."""
    partition = context.partition.values
    repeats = context.lake.shards(INSTRUCTION_DUPLICATES, partition)
    settings = context.workspace.pipeline.model.instructions.dedup.model_dump()
    tasks = [
        Task(
            lake=context.lake,
            partition=partition,
            shard=file.shard,
            key=task_key(CODE_VERSION, file.content, [each.content for each in repeats], settings),
            inputs={RAW_INSTRUCTIONS.name: (file,), INSTRUCTION_DUPLICATES.name: tuple(repeats)},
            settings=settings,
        )
        for file in context.lake.shards(RAW_INSTRUCTIONS, partition)
    ]
    verdicts = {**partition, "stage": STAGE.name}
    outputs = {STAGE.name: (DEDUPED_INSTRUCTIONS, partition), VERDICTS.name: (VERDICTS, verdicts)}
    made = make_shards(context, dedupe_shard, tasks, outputs, 0)
    context.lake.replace_partition(VERDICTS, verdicts, made[VERDICTS.name])
    context.lake.replace_partition(DEDUPED_INSTRUCTIONS, partition, made[STAGE.name])
    kept = context.lake.read(DEDUPED_INSTRUCTIONS, partition, ["n_bytes"])
    gone = context.lake.read(VERDICTS, verdicts, ["reason"])
    return Outcome(
        files=made[STAGE.name],
        docs_in=kept.num_rows + gone.num_rows,
        docs=kept.num_rows,
        n_bytes=pc.sum(kept["n_bytes"]).as_py() or 0,
        drops={
            each["values"]: each["counts"] for each in pc.value_counts(gone["reason"]).to_pylist()
        },
    )


def dedupe_shard(task: Task) -> dict[str, ShardFile]:
    """Split one shard into the names that stay and the verdicts on the rest."""
    (raw,) = task.inputs[RAW_INSTRUCTIONS.name]
    rows = task.lake.read_shard(RAW_INSTRUCTIONS, task.partition, raw, ["doc_id", "n_bytes"])
    gone = pa.concat_tables(
        [
            INSTRUCTION_DUPLICATES.schema.empty_table(),
            *(
                task.lake.read_shard(INSTRUCTION_DUPLICATES, task.partition, file)
                for file in task.inputs[INSTRUCTION_DUPLICATES.name]
            ),
        ]
    )
    ids = rows["doc_id"].combine_chunks()
    mine = gone.filter(pc.is_in(gone["doc_id"], ids))
    thresholds = [task.settings.get(method, 1.0) for method in mine["method"].to_pylist()]
    verdicts = pa.table(
        {
            "doc_id": mine["doc_id"],
            "kept": pa.repeat(pa.scalar(False), mine.num_rows),
            "reason": mine["method"],
            "position": pa.repeat(pa.scalar(0, pa.int16()), mine.num_rows),
            "value": mine["similarity"],
            "threshold": pa.array(thresholds, pa.float64()),
            "detail": mine["kept_doc_id"],
        }
    )
    stays = rows.filter(pc.invert(pc.is_in(ids, gone["doc_id"].combine_chunks())))
    return {
        STAGE.name: task.write(DEDUPED_INSTRUCTIONS, [stays]),
        VERDICTS.name: task.write(VERDICTS, [verdicts], stage=STAGE.name),
    }


STAGE = Stage(
    name=DEDUPED_INSTRUCTIONS.name,
    description="""The dialogues that repeat no other, by name. Each removed one stands in
`verdicts` with the one it repeats and how similar the two are.""",
    table=DEDUPED_INSTRUCTIONS,
    partitioning="source",
    upstream=(RAW_INSTRUCTIONS.name, INSTRUCTION_DUPLICATES.name),
    code_version=CODE_VERSION,
    branch="instructions",
    settings=lambda workspace, partition: workspace.pipeline.model.instructions.dedup.model_dump(),
    run=run,
    # Only this source's rows of instruction_duplicates matter.
    inputs=lambda context: {
        table.name: data_version(context.lake, table, context.partition.values)
        for table in (RAW_INSTRUCTIONS, INSTRUCTION_DUPLICATES)
    },
    checks=(conservation(RAW_INSTRUCTIONS, DEDUPED_INSTRUCTIONS),),
)
