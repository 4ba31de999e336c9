"""raw_corpus -> document_signatures: what duplicates are found by."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from llm_data_assets.dedup.exact import text_hashes
from llm_data_assets.dedup.minhash import shingle_counts, signatures
from llm_data_assets.lake.delta import ShardFile
from llm_data_assets.lake.schemas import DOCUMENT_SIGNATURES, RAW_CORPUS
from llm_data_assets.stages.checks import SIGNED_CONSERVATION
from llm_data_assets.stages.shards import Task, batches, make_shards, task_key
from llm_data_assets.stages.stage import Context, Outcome, Stage

CODE_VERSION = "1"


def run(context: Context) -> Outcome:
    """Sign every document of every shard of raw_corpus that changed."""
    dedup = context.workspace.pipeline.model.dedup
    settings = {"ngram": dedup.ngram, "num_perm": dedup.num_perm}
    raw = context.lake.shards(RAW_CORPUS, context.partition.values)
    tasks = [
        Task(
            lake=context.lake,
            partition=context.partition.values,
            shard=file.shard,
            key=task_key(CODE_VERSION, settings, file.content),
            inputs={RAW_CORPUS.name: (file,)},
            settings=settings,
        )
        for file in raw
    ]
    rows = context.lake.read(RAW_CORPUS, context.partition.values, ["n_bytes"])
    n_bytes = sum(rows["n_bytes"].to_pylist())
    outputs = {STAGE.name: (DOCUMENT_SIGNATURES, context.partition.values)}
    files = make_shards(context, sign_shard, tasks, outputs, n_bytes)[STAGE.name]
    context.lake.replace_partition(DOCUMENT_SIGNATURES, context.partition.values, files)
    return Outcome(files=files, docs_in=rows.num_rows, docs=rows.num_rows, n_bytes=n_bytes)


def sign_shard(task: Task) -> dict[str, ShardFile]:
    """Sign the documents of one shard."""
    return {DOCUMENT_SIGNATURES.name: task.write(DOCUMENT_SIGNATURES, _signed(task))}


def _signed(task: Task) -> Iterator[pa.Table]:
    ngram, num_perm = task.settings["ngram"], task.settings["num_perm"]
    (raw,) = task.inputs[RAW_CORPUS.name]
    for rows in batches(task.lake, RAW_CORPUS, task.partition, raw, ["doc_id", "text"]):
        texts = rows["text"].combine_chunks()
        values = signatures(texts, num_perm=num_perm, ngram=ngram)
        yield pa.table(
            {
                "doc_id": rows["doc_id"],
                "text_hash": text_hashes(texts).cast(pa.binary()),
                "n_shingles": pa.array(shingle_counts(texts, ngram=ngram), pa.int32()),
                "signature": _as_binary(values),
            }
        )


def _as_binary(values: np.ndarray) -> pa.Array:
    """uint32[n, num_perm] as n binary values, little-endian."""
    width = values.shape[1] * 4
    data = pa.py_buffer(np.ascontiguousarray(values, dtype="<u4").tobytes())
    fixed = pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(values), [None, data])
    return fixed.cast(pa.binary())


STAGE = Stage(
    name=DOCUMENT_SIGNATURES.name,
    description="""What duplicates are found by, one narrow row a document: the hash of the
normalised text, its MinHash signature, and how many distinct shingles it has.""",
    table=DOCUMENT_SIGNATURES,
    partitioning="source",
    upstream=(RAW_CORPUS.name,),
    code_version=CODE_VERSION,
    settings=lambda workspace, partition: workspace.pipeline.model.dedup.model_dump(
        include={"ngram", "num_perm"}
    ),
    run=run,
    checks=(SIGNED_CONSERVATION,),
)
