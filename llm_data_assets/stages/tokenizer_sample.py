"""The text a tokenizer is trained on, drawn a shard at a time: no process holds all names."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from llm_data_assets.engine.run import side_by_side
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.schemas import FILTERED_CORPUS
from llm_data_assets.lake.shard_files import ShardFile
from llm_data_assets.stages.shards import batches
from llm_data_assets.stages.stage import Context
from llm_data_assets.stages.tally import tally
from llm_data_assets.tokens.sample import fill, first_by_hash

Stratum = tuple[str, ...]  # language and domain
_NARROW = FILTERED_CORPUS.schema.empty_table().select(["doc_id", "n_bytes"])
_TEXTS = FILTERED_CORPUS.schema.empty_table().select(["doc_id", "text", "n_bytes"])


@dataclass(frozen=True)
class _Shard:
    """A shard of filtered_corpus, and how much of each language its domain is asked for."""

    lake: Lake
    source: str
    file: ShardFile
    domain: str
    seed: int
    shares: Mapping[Stratum, float]
    chosen: pa.Array | None = None


def sample(context: Context, total_bytes: int, seed: int) -> pa.Table:
    """doc_id, text and n_bytes of about `total_bytes` of filtered_corpus, in order of id.

    A language in a domain is heard by its size to the power `sample_alpha`; see
    `tokens.sample.sample_documents`, which this equals.
    """
    workspace = context.workspace
    alpha = workspace.pipeline.model.tokenizer.sample_alpha
    shares = fill(_sizes(context), total_bytes, alpha)
    shards = [
        _Shard(context.lake, source, file, _domain(context, source), seed, shares)
        for source in workspace.sources
        for file in context.lake.shards(FILTERED_CORPUS, {"source": source})
    ]
    with side_by_side(workspace.pipeline.model.engine, workspace.home) as in_order:
        drawn: dict[Stratum, list[pa.Table]] = {}
        for candidates in in_order(_candidates, shards):
            for stratum, rows in candidates.items():
                drawn.setdefault(stratum, []).append(rows)
        names = [
            first_by_hash(pa.concat_tables(tables), shares[stratum], seed)["doc_id"]
            for stratum, tables in drawn.items()
        ]
        chosen = pa.chunked_array([c for each in names for c in each.chunks], pa.string())
        wanted = [replace(each, chosen=chosen.combine_chunks()) for each in shards]
        texts = pa.concat_tables([_TEXTS, *in_order(_texts, wanted)])
    return texts.sort_by("doc_id")


def _sizes(context: Context) -> dict[Stratum, int]:
    sizes: Counter[Stratum] = Counter()
    for source in context.workspace.sources:
        rows = tally(context, FILTERED_CORPUS, {"source": source}, total="n_bytes", by=["language"])
        for (language,), n_bytes in rows.by.items():
            sizes[str(language), _domain(context, source)] += n_bytes
    return dict(sorted(sizes.items()))


def _domain(context: Context, source: str) -> str:
    return context.workspace.catalog.model.sources[source].domain


def _candidates(task: _Shard) -> dict[Stratum, pa.Table]:
    """Of each language the first documents by hash, as far as its whole share goes."""
    path = task.lake.folder(FILTERED_CORPUS, {"source": task.source}) / task.file.name
    rows = pq.ParquetFile(path).read(columns=["doc_id", "n_bytes", "language"])
    languages = pc.fill_null(rows["language"], str(None))
    return {
        (language, task.domain): first_by_hash(
            rows.filter(pc.equal(languages, language)).select(_NARROW.column_names),
            task.shares[language, task.domain],
            task.seed,
        )
        for language in pc.unique(languages).to_pylist()
    }


def _texts(task: _Shard) -> pa.Table:
    partition = {"source": task.source}
    parts = [
        rows.filter(pc.is_in(rows["doc_id"], task.chosen))
        for rows in batches(task.lake, FILTERED_CORPUS, partition, task.file, _TEXTS.column_names)
    ]
    return pa.concat_tables([_TEXTS, *parts])
