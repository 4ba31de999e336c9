"""mixed_corpus -> training_export: the files a trainer opens."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from llm_data_assets.lake.schemas import (
    MIXED_CORPUS,
    MIXTURE_PLAN,
    SEQUENCES,
    TOKENIZED_CORPUS,
    TOKENIZER,
    TRAINING_EXPORT,
)
from llm_data_assets.stages.checks import EXPORT_COMPLETE
from llm_data_assets.stages.shards import task_key
from llm_data_assets.stages.stage import Context, Outcome, Stage, recipe_sources
from llm_data_assets.stages.versions import data_version
from llm_data_assets.tokens import megatron, parquet

CODE_VERSION = "1"
_SEQUENCES_AT_ONCE = 4_096


def run(context: Context) -> Outcome:
    """Write the run's sequences in order, in every format the recipe names."""
    recipe = context.workspace.pipeline.model.recipes[context.recipe]
    folder = context.workspace.home / "exports" / context.recipe
    tokenizer = context.lake.read(TOKENIZER, {}, ["tokenizer", "vocab_size"]).to_pylist()[0]
    run_order = _run_order(context)
    rows = []
    for form in recipe.formats:
        if form == "megatron":
            prefix = folder / "megatron" / "corpus"
            made = megatron.write(
                prefix,
                (ids for batch in _batches(context, run_order) for ids, _ in batch.sequences),
                vocab_size=tokenizer["vocab_size"],
            )
            paths = [prefix.with_name("corpus.bin"), prefix.with_name("corpus.idx")]
        else:
            path = folder / "parquet" / "corpus.parquet"
            made = parquet.write(path, (_as_table(b) for b in _batches(context, run_order)))
            paths = [path]
        rows += [_file_row(context, path, form, made) for path in paths]
    _write_manifest(context, folder / "manifest.json", rows, tokenizer["tokenizer"])
    table = pa.Table.from_pylist(rows, TRAINING_EXPORT.schema)
    key = task_key(CODE_VERSION, rows)
    file = context.lake.write_shard(TRAINING_EXPORT, context.partition.values, "all", key, [table])
    context.lake.replace_partition(TRAINING_EXPORT, context.partition.values, [file])
    tokens = max((row["tokens"] for row in rows), default=0)
    documents = _documents(context)
    return Outcome(
        files=[file],
        docs_in=documents,
        docs=documents,
        n_bytes=sum(row["n_bytes"] for row in rows),
        tokens=tokens,
        figures={"files": len(rows), "folder": str(folder)},
    )


@dataclass(frozen=True)
class _Batch:
    """Some consecutive positions of the run and the ids that stand there."""

    rows: pa.Table
    sequences: list[tuple[np.ndarray, np.ndarray]]


def _run_order(context: Context) -> pa.Table:
    """Every position of the run with its source, sequence and epoch, in order."""
    rows = context.lake.read(MIXED_CORPUS, {"recipe": context.recipe})
    return rows.sort_by("position")


def _batches(context: Context, run_order: pa.Table) -> Iterator[_Batch]:
    sources = {
        source: _TokenReader(context, source)
        for source in recipe_sources(context.workspace, context.recipe)
    }
    for start in range(0, run_order.num_rows, _SEQUENCES_AT_ONCE):
        rows = run_order.slice(start, _SEQUENCES_AT_ONCE)
        sequences = [
            sources[source].sequence(number)
            for source, number in zip(
                rows["source"].to_pylist(), rows["sequence"].to_pylist(), strict=True
            )
        ]
        yield _Batch(rows, sequences)


class _TokenReader:
    """The tokens of one source, and where the spans of each sequence lie in them."""

    def __init__(self, context: Context, source: str) -> None:
        documents = context.lake.read(
            TOKENIZED_CORPUS, {"source": source}, ["doc_id", "tokens"]
        ).combine_chunks()
        lists = documents["tokens"].combine_chunks()
        self._ids = lists.values.to_numpy() if len(documents) else np.empty(0, np.int32)
        offsets = lists.offsets.to_numpy() if len(documents) else np.zeros(1, np.int64)
        partition = {"recipe": context.recipe, "source": source}
        spans = context.lake.read(SEQUENCES, partition).sort_by(
            [("sequence", "ascending"), ("doc_id", "ascending"), ("start", "ascending")]
        )
        row = pc.index_in(spans["doc_id"], documents["doc_id"].combine_chunks()).to_numpy()
        self._start = offsets[row] + spans["start"].to_numpy()
        self._length = spans["length"].to_numpy()
        numbers = spans["sequence"].to_numpy()
        self._first = np.searchsorted(numbers, np.arange(numbers[-1] + 2 if len(numbers) else 1))

    def sequence(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Ids of one sequence, and for each the number of its document within the sequence."""
        spans = range(self._first[number], self._first[number + 1])
        ids = [self._ids[self._start[i] : self._start[i] + self._length[i]] for i in spans]
        segments = np.repeat(np.arange(len(ids), dtype=np.int32), [len(each) for each in ids])
        return np.concatenate(ids), segments


def _as_table(batch: _Batch) -> pa.Table:
    return pa.table(
        {
            "position": batch.rows["position"],
            "source": batch.rows["source"],
            "sequence": batch.rows["sequence"],
            "epoch": batch.rows["epoch"],
            "input_ids": pa.array([ids for ids, _ in batch.sequences], pa.list_(pa.int32())),
            "segment_ids": pa.array([each for _, each in batch.sequences], pa.list_(pa.int32())),
        }
    )


def _file_row(context: Context, path: Path, form: str, made: dict[str, int]) -> dict[str, Any]:
    with path.open("rb") as stream:
        checksum = hashlib.file_digest(stream, xxhash.xxh3_128).hexdigest()
    return {
        "file": path.relative_to(context.workspace.home).as_posix(),
        "format": form,
        "n_bytes": path.stat().st_size,
        "checksum": checksum,
        "sequences": made["sequences"],
        "tokens": made["tokens"],
    }


def _write_manifest(
    context: Context, path: Path, rows: list[dict[str, Any]], tokenizer: str
) -> None:
    """What the files were made from, for whoever opens them without the lake."""
    plan = context.lake.read(MIXTURE_PLAN, {"recipe": context.recipe}).sort_by("source")
    recipe = context.workspace.pipeline.model.recipes[context.recipe]
    manifest = {
        "recipe": context.recipe,
        "settings": recipe.model_dump(mode="json"),
        "tokenizer": tokenizer,
        "sources": {
            row["source"]: {
                "share": row["share"],
                "sequences": row["sequences"],
                "epochs": row["epochs"],
                "version": data_version(context.lake, TOKENIZED_CORPUS, {"source": row["source"]}),
            }
            for row in plan.to_pylist()
        },
        "files": rows,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".tmp")
    beside.write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    beside.replace(path)


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
    versions = {"tokenizer": data_version(context.lake, TOKENIZER, {})}
    for source in recipe_sources(context.workspace, context.recipe):
        both = {"recipe": context.recipe, "source": source}
        versions[f"mixed {source}"] = data_version(context.lake, MIXED_CORPUS, both)
        versions[f"sequences {source}"] = data_version(context.lake, SEQUENCES, both)
        versions[f"tokens {source}"] = data_version(
            context.lake, TOKENIZED_CORPUS, {"source": source}
        )
    return versions


STAGE = Stage(
    name=TRAINING_EXPORT.name,
    description="""The files a trainer opens, in the formats the recipe names, under
`exports/<recipe>` in the home, with checksums and a manifest of what they were made from.""",
    table=TRAINING_EXPORT,
    partitioning="recipe",
    upstream=(MIXED_CORPUS.name,),
    code_version=CODE_VERSION,
    settings=lambda workspace, partition: (
        workspace.pipeline.model.recipes[partition.recipe or ""].formats
    ),
    run=run,
    inputs=_inputs,
    checks=(EXPORT_COMPLETE,),
)
