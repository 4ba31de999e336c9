"""raw_corpus -> document_signatures: what duplicates are found by."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from llm_data_assets.config.workspace import Workspace
from llm_data_assets.dedup.exact import value_hashes
from llm_data_assets.dedup.minhash import signed
from llm_data_assets.lake.schemas import DOCUMENT_SIGNATURES, RAW_CORPUS
from llm_data_assets.lake.shard_files import ShardFile
from llm_data_assets.stages.checks import SIGNED_CONSERVATION
from llm_data_assets.stages.shards import Task, batches, make_shards, task_key
from llm_data_assets.stages.stage import Context, Outcome, Partition, Stage
from llm_data_assets.stages.tally import tally

CODE_VERSION = "2"


def run(context: Context) -> Outcome:
    """Sign every document of every shard of raw_corpus that changed."""
    settings = signing_settings(context.workspace, context.source)
    raw = context.lake.shards(RAW_CORPUS, context.partition.values)
    tasks = [
        Task(
            lake=context.lake,
            partition=context.partition.values,
            shard=file.shard,
            key=key_of(settings, file),
            inputs={RAW_CORPUS.name: (file,)},
            settings=settings,
        )
        for file in raw
    ]
    read = tally(context, RAW_CORPUS, context.partition.values, total="n_bytes")
    outputs = {STAGE.name: (DOCUMENT_SIGNATURES, context.partition.values)}
    files = make_shards(context, sign_shard, tasks, outputs, read.total)[STAGE.name]
    context.lake.replace_partition(DOCUMENT_SIGNATURES, context.partition.values, files)
    return Outcome(files=files, docs_in=read.rows, docs=read.rows, n_bytes=read.total)


def signing_settings(workspace: Workspace, source: str) -> dict[str, Any]:
    """The settings of `dedup` that change the signatures of one source."""
    dedup = workspace.pipeline.model.dedup
    return {
        **dedup.shingling_of(source),
        **dedup.model_dump(include={"num_perm", "seed", "same_url", "same_key", "quality"}),
    }


def key_of(settings: dict[str, Any], raw: ShardFile) -> str:
    """The key of the signatures of one shard of raw_corpus."""
    return task_key(CODE_VERSION, settings, raw.content)


def made_with(settings: dict[str, Any]) -> str:
    """The settings as words: signatures of other words do not compare."""
    return ", ".join(f"{name} {value}" for name, value in sorted(settings.items()))


def sign_shard(task: Task) -> dict[str, ShardFile]:
    """Sign the documents of one shard."""
    return {DOCUMENT_SIGNATURES.name: task.write(DOCUMENT_SIGNATURES, _signed(task))}


def _signed(task: Task) -> Iterator[pa.Table]:
    settings = dict(task.settings)
    signing = {name: settings[name] for name in ("num_perm", "seed", "ngram", "unit", "normalised")}
    (raw,) = task.inputs[RAW_CORPUS.name]
    columns = ["doc_id", "text", *_columns(settings)]
    for rows in batches(task.lake, RAW_CORPUS, task.partition, raw, columns):
        values, counts, hashes = signed(rows["text"].combine_chunks(), **signing)
        url = "url" if settings["same_url"] else None
        yield pa.table(
            {
                "doc_id": rows["doc_id"],
                "text_hash": hashes,
                "url": value_hashes(_field(rows, url)),
                "key": value_hashes(_field(rows, settings["same_key"])),
                "quality": _numbers(_field(rows, settings["quality"])),
                "n_shingles": pa.array(counts, pa.int32()),
                "signature": _as_binary(values),
                "made_with": pa.repeat(made_with(settings), rows.num_rows),
            }
        )


def _columns(settings: dict[str, Any]) -> list[str]:
    """The columns of raw_corpus that hold the fields asked for."""
    fields = {settings["same_key"], settings["quality"], "url" if settings["same_url"] else None}
    fields.discard(None)
    columns = {{"native_id": "origin"}.get(each, each.split(".")[0]) for each in fields}
    return sorted(columns)


def _field(rows: pa.Table, field: str | None) -> pa.Array:
    """A field of each document as text, null where it has none."""
    if field is None:
        return pa.nulls(rows.num_rows, pa.string())
    if field == "native_id":
        return pa.array([each["native_id"] for each in rows["origin"].to_pylist()], pa.string())
    if not field.startswith("meta."):
        return rows[field].combine_chunks().cast(pa.string())
    name = field.removeprefix("meta.")
    found = (json.loads(meta or "{}").get(name) for meta in rows["meta"].to_pylist())
    return pa.array([None if each is None else str(each) for each in found], pa.string())


def _numbers(values: pa.Array) -> pa.Array:
    """Numbers, or dates as seconds; null where a value is neither."""
    return pa.array([_number(value) for value in values.to_pylist()], pa.float64())


def _number(value: str | None) -> float | None:
    for read in (float, lambda text: datetime.fromisoformat(text).timestamp()):
        try:
            number = read(value or "")
        except ValueError:
            continue
        return number if np.isfinite(number) else None
    return None


def _as_binary(values: np.ndarray) -> pa.Array:
    """uint32[n, num_perm] as n binary values, little-endian."""
    width = values.shape[1] * 4
    data = pa.py_buffer(np.ascontiguousarray(values, dtype="<u4").tobytes())
    fixed = pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(values), [None, data])
    return fixed.cast(pa.binary())


def _settings(workspace: Workspace, partition: Partition) -> dict[str, Any]:
    assert partition.source is not None
    return signing_settings(workspace, partition.source)


STAGE = Stage(
    name=DOCUMENT_SIGNATURES.name,
    description="""What duplicates are found by, one narrow row a document: the hash of the
normalised text, its MinHash signature, and how many distinct shingles it has; hashes of its address
and of its key, and what quality is read from, where the pipeline names them.""",
    table=DOCUMENT_SIGNATURES,
    partitioning="source",
    upstream=(RAW_CORPUS.name,),
    code_version=CODE_VERSION,
    settings=_settings,
    run=run,
    checks=(SIGNED_CONSERVATION,),
)
