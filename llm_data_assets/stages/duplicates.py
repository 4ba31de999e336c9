"""document_signatures of every source -> duplicates: who repeats whom, verified."""

import tempfile
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from llm_data_assets.config.workspace import Workspace, make_home
from llm_data_assets.dedup.choose import find_duplicates
from llm_data_assets.engine.run import InOrder, in_threads, side_by_side
from llm_data_assets.lake.schemas import DOCUMENT_SIGNATURES, DUPLICATES
from llm_data_assets.lake.shard_files import ShardFile
from llm_data_assets.stages.checks import DUPLICATE_SHARE, KEPT_IS_KEPT
from llm_data_assets.stages.duplicate_audit import (
    MEANING_CONFIRMED,
    PAIRS_MISSED,
    REMOVALS_CONFIRMED,
)
from llm_data_assets.stages.prune import remove_dropped_sources
from llm_data_assets.stages.semantic import meaning_of, semantic_settings
from llm_data_assets.stages.shards import task_key
from llm_data_assets.stages.signed import (
    Signed,
    bands_and_rows,
    exact_by,
    keys_of,
    open_signed,
    shingle_reader,
)
from llm_data_assets.stages.stage import Context, Outcome, Stage

CODE_VERSION = "4"


def run(context: Context) -> Outcome:
    """Compare all documents of all sources and choose, in the total order, which stay."""
    remove_dropped_sources(context.workspace, context.lake)
    dedup = context.workspace.pipeline.model.dedup
    engine, home = context.workspace.pipeline.model.engine, context.workspace.home
    make_home(home)
    with (
        tempfile.TemporaryFile(dir=home) as for_keys,
        side_by_side(engine, home) as in_order,
        in_threads(engine) as threads,
    ):
        bands, rows = bands_and_rows(context.workspace)
        signed = open_signed(context, in_order)
        keys = keys_of(context, in_order, signed, for_keys, bands, rows)
        found = find_duplicates(
            signed.documents,
            list(keys),
            shingle_reader(context, signed),
            threshold=dedup.threshold,
            exact_by=exact_by(context.workspace),
            meaning=meaning_of(context, signed) if dedup.semantic else None,
            max_cosine=dedup.semantic.max_cosine if dedup.semantic else 1.0,
            in_order=in_order,
            in_threads=threads,
        )
        return _write(context, signed, found, threads)


def _write(context: Context, signed: Signed, found: pa.Table, threads: InOrder) -> Outcome:
    """A file for each shard of raw_corpus that loses documents: who reads that needs no other."""
    starts = [shard.start for shard in signed.shards]
    shard_of = np.searchsorted(starts, found["row"].to_numpy(), side="right") - 1
    found = found.append_column("shard", pa.array(shard_of))
    found = found.sort_by([("shard", "ascending"), ("doc_id", "ascending")])
    bounds = np.searchsorted(found["shard"].to_numpy(), np.arange(len(starts) + 1))
    files: dict[str, list[ShardFile]] = {source: [] for source in context.workspace.sources}

    def write(at: int) -> tuple[str, ShardFile]:
        source, _, raw, _ = signed.shards[at]
        mine = found.slice(bounds[at], bounds[at + 1] - bounds[at])
        mine = mine.select(DUPLICATES.schema.names).combine_chunks()
        partition = {"source": source}
        return source, context.lake.write_shard(
            DUPLICATES, partition, raw.shard, _key(mine), [mine]
        )

    for source, file in threads(write, np.flatnonzero(np.diff(bounds)).tolist()):
        files[source].append(file)
    for source, written_of in files.items():
        context.lake.replace_partition(DUPLICATES, {"source": source}, written_of)
    methods = pc.value_counts(found["method"]).to_pylist()
    across = pc.sum(pc.not_equal(found["source"], found["kept_source"])).as_py()
    return Outcome(
        files=[each for written_of in files.values() for each in written_of],
        docs_in=signed.documents.num_rows,
        docs=signed.documents.num_rows - found.num_rows,
        n_bytes=0,
        drops={each["values"]: each["counts"] for each in methods},
        figures={"across_sources": int(across or 0)},
    )


def _key(rows: pa.Table) -> str:
    """Of what the rows say: they come from all sources at once, and most change nothing here."""
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, rows.schema) as writer:
        writer.write_table(rows)
    return task_key(CODE_VERSION, xxhash.xxh3_128_hexdigest(stream.getvalue()))


def _settings(workspace: Workspace) -> list[Any]:
    return [
        workspace.pipeline.model.dedup.model_dump(exclude={"repeats", "semantic"}),
        {name: source.priority for name, source in workspace.catalog.model.sources.items()},
        semantic_settings(workspace),
    ]


STAGE = Stage(
    name=DUPLICATES.name,
    description="""One row a removed document: the kept document it repeats, their true similarity,
and the method (`exact`, `near`, or `url`, `key` and `semantic` where the pipeline asks for them,
the last with a cosine in place of the similarity). A document
goes only if a document that stays, before it in the total order (priority of the source, quality,
then id), is really that similar: band hits are verified by exact Jaccard over the shingles.""",
    table=DUPLICATES,
    partitioning="none",
    upstream=(DOCUMENT_SIGNATURES.name,),
    code_version=CODE_VERSION,
    settings=lambda workspace, partition: _settings(workspace),
    run=run,
    checks=(DUPLICATE_SHARE, KEPT_IS_KEPT, REMOVALS_CONFIRMED, MEANING_CONFIRMED, PAIRS_MISSED),
)
