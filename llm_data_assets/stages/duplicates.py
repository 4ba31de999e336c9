"""document_signatures of every source -> duplicates: who repeats whom, verified."""

from collections.abc import Callable

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from llm_data_assets.dedup.choose import find_duplicates
from llm_data_assets.lake.catalog import relation
from llm_data_assets.lake.schemas import DOCUMENT_SIGNATURES, DUPLICATES, RAW_CORPUS
from llm_data_assets.stages.checks import DUPLICATE_SHARE, KEPT_IS_KEPT
from llm_data_assets.stages.prune import remove_dropped_sources
from llm_data_assets.stages.shards import task_key
from llm_data_assets.stages.stage import Context, Outcome, Stage

CODE_VERSION = "1"


def run(context: Context) -> Outcome:
    """Compare all documents of all sources and choose, in the total order, which stay."""
    remove_dropped_sources(context.workspace, context.lake)
    dedup = context.workspace.pipeline.model.dedup
    documents = _documents(context)
    found = find_duplicates(
        documents,
        _text_reader(context, documents),
        ngram=dedup.ngram,
        threshold=dedup.threshold,
        bands=dedup.bands,
        rows=dedup.rows,
        scope=dedup.scope,
    )
    files = []
    for source in context.workspace.sources:
        mine = found.filter(pc.equal(found["source"], source)).sort_by("doc_id")
        key = task_key(CODE_VERSION, mine["doc_id"].to_pylist(), mine["kept_doc_id"].to_pylist())
        file = context.lake.write_shard(DUPLICATES, {"source": source}, "all", key, [mine])
        context.lake.replace_partition(DUPLICATES, {"source": source}, [file])
        files.append(file)
    methods = pc.value_counts(found["method"]).to_pylist()
    return Outcome(
        files=files,
        docs_in=documents.num_rows,
        docs=documents.num_rows - found.num_rows,
        n_bytes=0,
        drops={each["values"]: each["counts"] for each in methods},
        figures={
            "across_sources": int(
                pc.sum(pc.not_equal(found["source"], found["kept_source"])).as_py() or 0
            )
        },
    )


def _documents(context: Context) -> pa.Table:
    """Every document with what the choice needs, sorted by id: the order of arrival is gone."""
    parts = []
    for source in context.workspace.sources:
        rows = context.lake.read(DOCUMENT_SIGNATURES, {"source": source})
        priority = context.workspace.catalog.model.sources[source].priority
        rows = rows.append_column("priority", pa.array([priority] * rows.num_rows, pa.int32()))
        parts.append(rows.append_column("quality", pa.nulls(rows.num_rows, pa.float64())))
    return pa.concat_tables(parts).sort_by("doc_id")


def _text_reader(context: Context, documents: pa.Table) -> Callable[[np.ndarray], pa.Array]:
    """Texts by row number of `documents`: only candidates are ever asked for."""
    connection = duckdb.connect()
    raw = relation(context.lake, RAW_CORPUS)

    def texts(rows: np.ndarray) -> pa.Array:
        wanted = pa.table({"doc_id": documents["doc_id"].take(pa.array(rows))})
        connection.register("wanted", wanted)
        found = connection.sql(
            f"SELECT doc_id, text FROM {raw} SEMI JOIN wanted USING (doc_id)"
        ).to_arrow_table()
        place = pc.index_in(wanted["doc_id"], found["doc_id"].combine_chunks())
        return found["text"].take(place).combine_chunks()

    return texts


STAGE = Stage(
    name=DUPLICATES.name,
    description="""One row a removed document: the kept document it repeats, their true similarity,
and the method (`exact` or `near`). A document goes only if a document that stays, before it in the
total order (priority of the source, then id), is really that similar: band hits are verified by
exact Jaccard over the shingles.""",
    table=DUPLICATES,
    partitioning="none",
    upstream=(DOCUMENT_SIGNATURES.name,),
    code_version=CODE_VERSION,
    settings=lambda workspace, partition: [
        workspace.pipeline.model.dedup,
        {name: source.priority for name, source in workspace.catalog.model.sources.items()},
    ],
    run=run,
    checks=(DUPLICATE_SHARE, KEPT_IS_KEPT),
)
