"""document_signatures of every source -> duplicates: who repeats whom, verified."""

import tempfile
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from llm_data_assets.config.workspace import Workspace, make_home
from llm_data_assets.dedup.choose import find_duplicates
from llm_data_assets.engine.run import side_by_side
from llm_data_assets.lake.schemas import DOCUMENT_SIGNATURES, DUPLICATES
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
    open_signed,
    shingle_reader,
)
from llm_data_assets.stages.stage import Context, Outcome, Stage

CODE_VERSION = "3"


def run(context: Context) -> Outcome:
    """Compare all documents of all sources and choose, in the total order, which stay."""
    remove_dropped_sources(context.workspace, context.lake)
    dedup = context.workspace.pipeline.model.dedup
    make_home(context.workspace.home)
    with (
        tempfile.TemporaryFile(dir=context.workspace.home) as for_keys,
        side_by_side(context.workspace.pipeline.model.engine, context.workspace.home) as in_order,
    ):
        bands, rows = bands_and_rows(context.workspace)
        signed = open_signed(context, in_order, for_keys, bands, rows)
        found = find_duplicates(
            signed.documents,
            list(signed.keys),
            shingle_reader(context, signed),
            threshold=dedup.threshold,
            exact_by=exact_by(context.workspace),
            meaning=meaning_of(context, signed) if dedup.semantic else None,
            max_cosine=dedup.semantic.max_cosine if dedup.semantic else 1.0,
            in_order=in_order,
        )
        return _write(context, signed, found)


def _write(context: Context, signed: Signed, found: pa.Table) -> Outcome:
    files = []
    for source in context.workspace.sources:
        mine = found.filter(pc.equal(found["source"], source)).sort_by("doc_id")
        columns = [mine[name].to_pylist() for name in DUPLICATES.schema.names]
        key = task_key(CODE_VERSION, columns)
        file = context.lake.write_shard(DUPLICATES, {"source": source}, "all", key, [mine])
        context.lake.replace_partition(DUPLICATES, {"source": source}, [file])
        files.append(file)
    methods = pc.value_counts(found["method"]).to_pylist()
    across = pc.sum(pc.not_equal(found["source"], found["kept_source"])).as_py()
    return Outcome(
        files=files,
        docs_in=signed.documents.num_rows,
        docs=signed.documents.num_rows - found.num_rows,
        n_bytes=0,
        drops={each["values"]: each["counts"] for each in methods},
        figures={"across_sources": int(across or 0)},
    )


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
