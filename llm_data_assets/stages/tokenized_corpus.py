"""filtered_corpus + tokenizer -> tokenized_corpus: ids with document boundaries."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from llm_data_assets.lake.schemas import FILTERED_CORPUS, TOKENIZED_CORPUS, TOKENIZER
from llm_data_assets.lake.shard_files import ShardFile
from llm_data_assets.stages.checks import TOKENIZED_CONSERVATION
from llm_data_assets.stages.run_checks import BYTES_PER_TOKEN, IDS_IN_VOCABULARY, UNKNOWN_SHARE
from llm_data_assets.stages.shards import Task, batches, make_shards, task_key
from llm_data_assets.stages.stage import Context, Outcome, Stage
from llm_data_assets.stages.tally import tally
from llm_data_assets.stages.tokenizer import open_row
from llm_data_assets.tokens.words import count_words

CODE_VERSION = "2"


def run(context: Context) -> Outcome:
    """Encode the documents of each shard that changed."""
    partition = context.partition.values
    (model,) = context.lake.shards(TOKENIZER, {})
    tasks = [
        Task(
            lake=context.lake,
            partition=partition,
            shard=file.shard,
            key=task_key(CODE_VERSION, file.content, model.content),
            inputs={FILTERED_CORPUS.name: (file,), TOKENIZER.name: (model,)},
            settings={},
        )
        for file in context.lake.shards(FILTERED_CORPUS, partition)
    ]
    came_in = tally(context, FILTERED_CORPUS, partition, total="n_bytes")
    outputs = {STAGE.name: (TOKENIZED_CORPUS, partition)}
    files = make_shards(context, encode_shard, tasks, outputs, came_in.total)[STAGE.name]
    context.lake.replace_partition(TOKENIZED_CORPUS, partition, files)
    made = tally(context, TOKENIZED_CORPUS, partition, total="n_tokens")
    return Outcome(
        files=files,
        docs_in=came_in.rows,
        docs=made.rows,
        n_bytes=came_in.total,
        tokens=made.total,
        figures={"bytes_per_token": came_in.total / made.total if made.total else 0.0},
    )


def encode_shard(task: Task) -> dict[str, ShardFile]:
    """Encode one shard."""
    return {TOKENIZED_CORPUS.name: task.write(TOKENIZED_CORPUS, _encoded(task))}


def _encoded(task: Task) -> Iterator[pa.Table]:
    (filtered,), (tokenizer,) = task.inputs[FILTERED_CORPUS.name], task.inputs[TOKENIZER.name]
    opened = open_row(task.lake.read_shard(TOKENIZER, {}, tokenizer).to_pylist()[0])
    columns = ["doc_id", "text", "n_bytes"]
    for rows in batches(task.lake, FILTERED_CORPUS, task.partition, filtered, columns):
        texts = rows["text"].combine_chunks()
        encoded = opened.encode(texts, add_eos=True)
        lengths = pa.array(encoded.lengths, pa.int32())
        offsets = pa.concat_arrays(
            [pa.array([0], pa.int64()), pc.cumulative_sum(lengths.cast(pa.int64()))]
        )
        ids = pa.array(encoded.tokens.astype("int32", copy=False))
        tokens = pa.ListArray.from_arrays(offsets.cast(pa.int32()), ids)
        yield pa.table(
            {
                "doc_id": rows["doc_id"],
                "tokens": tokens,
                "n_tokens": lengths,
                "n_bytes": rows["n_bytes"],
                "n_words": count_words(texts),
                "n_unknown": _count(tokens, opened.unknown),
            }
        )


def _count(tokens: pa.ListArray, wanted: int) -> pa.Array:
    """How often an id stands in each list."""
    hits = pc.cast(pc.equal(tokens.values, wanted), pa.int32())
    before = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(hits)])
    return pc.subtract(before.take(tokens.offsets[1:]), before.take(tokens.offsets[:-1]))


STAGE = Stage(
    name=TOKENIZED_CORPUS.name,
    description="""Token ids of every document of `filtered_corpus`, with document boundaries: the
inventory that mixtures and plans draw on.""",
    table=TOKENIZED_CORPUS,
    partitioning="source",
    upstream=(FILTERED_CORPUS.name, TOKENIZER.name),
    code_version=CODE_VERSION,
    settings=lambda workspace, partition: None,
    run=run,
    checks=(TOKENIZED_CONSERVATION, UNKNOWN_SHARE, IDS_IN_VOCABULARY, BYTES_PER_TOKEN),
)
