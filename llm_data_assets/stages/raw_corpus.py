"""source_files -> raw_corpus: bytes in, documents and rejects out."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import xxhash

from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.delta import ShardFile
from llm_data_assets.lake.schemas import EDITS, RAW_CORPUS, REJECTS
from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.formats import read_documents
from llm_data_assets.stages.checks import (
    NO_EMPTY_RAW,
    NOT_EMPTY,
    RAW_SCHEMA,
    REJECT_SHARE,
    UNIQUE_IDS,
)
from llm_data_assets.stages.edit_rows import edit_rows
from llm_data_assets.stages.repeated_ids import without_repeated_ids
from llm_data_assets.stages.shards import BATCH_BYTES, Task, make_shards, task_key
from llm_data_assets.stages.source_files import files_of, files_version
from llm_data_assets.stages.stage import Context, Outcome, Partition, Stage
from llm_data_assets.text.repair import repair

CODE_VERSION = "1"
_FIRST_BYTES = 80


def run(context: Context) -> Outcome:
    """Read every file of the source that is not already in a finished shard."""
    files = files_of(context.workspace, context.source)
    shard_bytes = int(context.workspace.pipeline.model.engine.shard_mb * (1 << 20))
    declared = _declared(context.workspace, context.partition)
    tasks = [
        Task(
            lake=context.lake,
            partition=context.partition.values,
            shard=shard,
            key=task_key(CODE_VERSION, declared, [(file.uri, file.checksum) for file in group]),
            inputs={},
            settings={"files": group, "source": context.source, **declared},
        )
        for shard, group in group_files(files, shard_bytes).items()
    ]
    edits = {**context.partition.values, "stage": STAGE.name}
    outputs = {
        RAW_CORPUS.name: (RAW_CORPUS, context.partition.values),
        REJECTS.name: (REJECTS, context.partition.values),
        EDITS.name: (EDITS, edits),
    }
    made = make_shards(context, read_shard, tasks, outputs, sum(file.size for file in files))
    made = without_repeated_ids(context, made)
    context.lake.replace_partition(REJECTS, context.partition.values, made[REJECTS.name])
    context.lake.replace_partition(EDITS, edits, made[EDITS.name])
    context.lake.replace_partition(RAW_CORPUS, context.partition.values, made[RAW_CORPUS.name])
    return _outcome(context, made[RAW_CORPUS.name], len(files))


def group_files(files: Sequence[SourceFile], shard_bytes: int) -> dict[str, list[SourceFile]]:
    """Cut the files, in order of uri, into shards of about `shard_bytes` of input.

    A large file is a shard of its own. Between small files the cuts follow a hash of the uri, so
    that adding or removing a file moves no other file to another shard. A shard is named by its
    first file.
    """
    small = [file.size for file in files if file.size < shard_bytes // 2]
    mean = max(1, sum(small) // max(1, len(small)))
    files_per_shard = 1 << max(0, round(shard_bytes / mean).bit_length() - 1)
    groups: dict[str, list[SourceFile]] = {}
    current: list[SourceFile] = []
    for file in files:
        name = xxhash.xxh3_64(file.uri.encode()).intdigest()
        large = file.size >= shard_bytes // 2
        if large or not current or name % files_per_shard == 0:
            current = groups.setdefault(f"{name:016x}", [])
        current.append(file)
        if large:
            current = []
    return groups


def read_shard(task: Task) -> dict[str, ShardFile]:
    """Read one group of files into documents, rejects and the edits made to them."""
    rejects: list[dict[str, Any]] = []
    edits: list[dict[str, Any]] = []
    # Reading fills the other two lists, so the documents are written first.
    documents = task.write(RAW_CORPUS, _documents(task.settings, rejects, edits))
    edited = pa.Table.from_pylist(edits, EDITS.schema)
    return {
        RAW_CORPUS.name: documents,
        REJECTS.name: task.write(REJECTS, [pa.Table.from_pylist(rejects, REJECTS.schema)]),
        EDITS.name: task.write(EDITS, [edited], stage=STAGE.name),
    }


def _documents(
    settings: Mapping[str, Any], rejects: list[dict[str, Any]], edits: list[dict[str, Any]]
) -> Iterator[pa.Table]:
    rows: list[dict[str, Any]] = []
    held = 0
    for file in settings["files"]:
        for record in read_documents(settings["format"], file, settings["options"]):
            if isinstance(record, Document):
                text, made = repair(record.text)
                if text.strip():
                    row = _row(settings, file, record, text)
                    edits += edit_rows(row["doc_id"], record.text, text, made)
                    rows.append(row)
                    held += row["n_bytes"]
                else:
                    record = Reject(record.offset, "empty text", record.text.encode()[:80])
            if isinstance(record, Reject):
                rejects.append(
                    {
                        "file": file.uri,
                        "offset": record.offset,
                        "error": record.error,
                        "first_bytes": record.first_bytes[:_FIRST_BYTES],
                    }
                )
            if held >= BATCH_BYTES:
                yield pa.Table.from_pylist(rows, RAW_CORPUS.schema)
                rows, held = [], 0
    yield pa.Table.from_pylist(rows, RAW_CORPUS.schema)


def _row(
    settings: Mapping[str, Any], file: SourceFile, document: Document, text: str
) -> dict[str, Any]:
    native = document.native_id
    place = native or f"{xxhash.xxh3_64(file.uri.encode()).hexdigest()}-{document.offset}"
    return {
        "doc_id": f"{settings['source']}/{place}",
        "text": text,
        "origin": {"file": file.uri, "offset": document.offset, "native_id": native},
        "url": document.url,
        "title": document.title,
        "language": document.language or settings["language"],
        "license": document.license or settings["license"],
        "created_at": document.created_at,
        "n_bytes": len(text.encode()),
        "meta": json.dumps(document.meta, ensure_ascii=False, sort_keys=True, default=str),
    }


def _outcome(context: Context, files: list[ShardFile], n_files: int) -> Outcome:
    rows = context.lake.read(RAW_CORPUS, context.partition.values, ["n_bytes"])
    rejects = context.lake.read(REJECTS, context.partition.values, ["error"])
    reasons = rejects["error"].to_pylist()
    drops: dict[str, int] = {}
    for reason in sorted(error.split(":", 1)[0] for error in reasons):
        drops[reason] = drops.get(reason, 0) + 1
    return Outcome(
        files=files,
        docs_in=rows.num_rows + len(reasons),
        docs=rows.num_rows,
        n_bytes=sum(rows["n_bytes"].to_pylist()),
        drops=drops,
        figures={"files": n_files},
    )


def _declared(workspace: Workspace, partition: Partition) -> dict[str, Any]:
    """What the catalog says of a source that changes how it is read."""
    assert partition.source is not None
    source = workspace.catalog.model.sources[partition.source]
    return source.model_dump(mode="json", include={"format", "options", "license", "language"})


STAGE = Stage(
    name=RAW_CORPUS.name,
    description="""Documents as their publisher shipped them: one row a document, text decoded,
repaired and NFC-normalised, with the file and offset it came from. What cannot be read stands in
`rejects` with the reason and its first bytes; every repair stands in `edits`.""",
    table=RAW_CORPUS,
    partitioning="source",
    upstream=(),
    code_version=CODE_VERSION,
    settings=_declared,
    run=run,
    inputs=lambda context: {"source_files": files_version(context.workspace, context.source)},
    checks=(RAW_SCHEMA, NOT_EMPTY, REJECT_SHARE, UNIQUE_IDS, NO_EMPTY_RAW),
)
