"""deduped_corpus -> repeated_spans: passages that stood in the source before, to be cut out."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from llm_data_assets.dedup.repeats import later_copies, parts
from llm_data_assets.dedup.substrings import repeated_substrings
from llm_data_assets.lake.schemas import DEDUPED_CORPUS, RAW_CORPUS, REPEATED_SPANS
from llm_data_assets.lake.shard_files import ShardFile
from llm_data_assets.stages.quality_signals import kept_documents
from llm_data_assets.stages.shards import Task, task_key
from llm_data_assets.stages.stage import Context, Outcome, Stage
from llm_data_assets.stages.tally import tally

CODE_VERSION = "1"
_PARTS = {"lines": "line", "paragraphs": "paragraph", "sentences": "sentences"}


def run(context: Context) -> Outcome:
    """Compare the parts of all surviving documents of the source, in the order of their ids.

    One changed document may change which copy is the first, so the source is looked at whole;
    shards whose spans stay the same keep their files' content.
    """
    partition = context.partition.values
    settings = context.workspace.pipeline.model.dedup.repeats.model_dump()
    kept = tally(context, DEDUPED_CORPUS, partition, total="n_bytes")
    files: list[ShardFile] = []
    rows: list[dict[str, Any]] = []
    if any(settings[name] for name in (*_PARTS, "substring_bytes", "substring_words")):
        files, rows = _find(context, settings)
    context.lake.replace_partition(REPEATED_SPANS, partition, files)
    return Outcome(
        files=files,
        docs_in=kept.rows,
        docs=kept.rows,
        n_bytes=kept.total,
        figures={
            "documents with repeats": len({row["doc_id"] for row in rows}),
            "characters repeated": sum(row["length"] for row in rows),
        },
    )


def _find(
    context: Context, settings: dict[str, Any]
) -> tuple[list[ShardFile], list[dict[str, Any]]]:
    partition = context.partition.values
    raw = {file.shard: file for file in context.lake.shards(RAW_CORPUS, partition)}
    kept = context.lake.shards(DEDUPED_CORPUS, partition)
    contents = [(raw[file.shard].content, file.content) for file in kept]
    names: list[str] = []
    shard_of: list[str] = []
    texts: list[str] = []
    for file in kept:
        inputs = {RAW_CORPUS.name: (raw[file.shard],), DEDUPED_CORPUS.name: (file,)}
        task = Task(context.lake, partition, file.shard, "", inputs, {})
        for documents in kept_documents(task, ["doc_id", "text"]):
            names += documents["doc_id"].to_pylist()
            texts += documents["text"].to_pylist()
            shard_of += [file.shard] * documents.num_rows
    order = sorted(range(len(names)), key=names.__getitem__)
    found = list(_rows([names[i] for i in order], [texts[i] for i in order], settings))
    shards = dict(zip(names, shard_of, strict=True))
    files = []
    for file in kept:
        mine = [row for row in found if shards[row["doc_id"]] == file.shard]
        key = task_key(CODE_VERSION, settings, contents)
        rows = pa.Table.from_pylist(mine, REPEATED_SPANS.schema)
        files.append(context.lake.write_shard(REPEATED_SPANS, partition, file.shard, key, [rows]))
    return files, found


def _rows(names: list[str], texts: list[str], settings: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Rows of repeated_spans for documents in their order."""
    for setting, kind in _PARTS.items():
        if settings[setting]:
            yield from _part_rows(names, texts, kind, settings["min_characters"])
    for setting, option in (("substring_bytes", "min_bytes"), ("substring_words", "min_words")):
        if settings[setting]:
            spans = repeated_substrings(texts, **{option: settings[setting]})
            for name, each in zip(names, spans, strict=True):
                for start, end in each:
                    yield _row(name, "substring", start, end, None, None)


def _part_rows(
    names: list[str], texts: list[str], kind: Any, min_characters: int
) -> Iterator[dict[str, Any]]:
    places, keys = [], []
    for document, text in enumerate(texts):
        for part in parts(text, kind, min_characters):
            places.append((document, part.start, part.end))
            keys.append(part.key)
    found = later_copies(np.array(keys, np.uint64))
    for at, first, times in zip(*(each.tolist() for each in found), strict=True):
        document, start, end = places[at]
        if kind != "sentences":  # the line breaks after it go with it
            while texts[document][end : end + 1] == "\n":
                end += 1
        yield _row(names[document], kind, start, end, times, names[places[first][0]])


def _row(
    doc_id: str, kind: str, start: int, end: int, copies: int | None, first: str | None
) -> dict[str, Any]:
    return {
        "doc_id": doc_id,
        "kind": f"repeated_{kind}",
        "start": start,
        "length": end - start,
        "copies": copies,
        "first_doc_id": first,
    }


STAGE = Stage(
    name=REPEATED_SPANS.name,
    description="""Lines, paragraphs, runs of three sentences and substrings of surviving documents
that stood in their source before (by the order of ids), as `dedup.repeats` asks for them; nothing
where it asks for none. filtered_corpus cuts them out, on record.""",
    table=REPEATED_SPANS,
    partitioning="source",
    upstream=(RAW_CORPUS.name, DEDUPED_CORPUS.name),
    code_version=CODE_VERSION,
    settings=lambda workspace, partition: workspace.pipeline.model.dedup.repeats,
    run=run,
)
