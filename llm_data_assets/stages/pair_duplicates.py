"""raw_pairs of every source -> pair_duplicates: who repeats whom."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from llm_data_assets.lake.media_tables import PAIR_DUPLICATES, RAW_PAIRS
from llm_data_assets.media.repeats import METHODS, find_repeats
from llm_data_assets.stages.prune import remove_dropped_sources
from llm_data_assets.stages.repeats import (
    partners_stay,
    priorities,
    total_order,
    write_repeats,
)
from llm_data_assets.stages.stage import Context, Outcome, Stage

CODE_VERSION = "1"
_COLUMNS = ["doc_id", "source", "kind", "url", "phash", "caption", "width", "height"]


def run(context: Context) -> Outcome:
    """Compare all pairs of all sources and choose, in the total order, which stay."""
    remove_dropped_sources(context.workspace, context.lake)
    settings = context.workspace.pipeline.model.media.dedup
    rows = context.lake.read(RAW_PAIRS, None, _COLUMNS)
    partner, similarity, method = find_repeats(
        rows,
        total_order(context, rows, _pixels(rows)),
        url=settings.url,
        phash_bits=settings.phash_bits,
        captions_of=settings.captions_of,
    )
    methods = [METHODS.get(int(each), "") for each in method]
    sources = STAGE.sources(context.workspace)
    return write_repeats(
        context, PAIR_DUPLICATES, sources, rows, partner, similarity, methods, CODE_VERSION
    )


def _pixels(rows: pa.Table) -> np.ndarray:
    """float64[n], -inf where a side is not known or not above 0."""
    width, height = (
        pc.fill_null(rows[name], 0).to_numpy().astype(np.float64) for name in ("width", "height")
    )
    return np.where((width > 0) & (height > 0), width * height, -np.inf)


STAGE = Stage(
    name=PAIR_DUPLICATES.name,
    description="""One row a removed pair: the kept one it repeats, how similar, and by which
method: `url` (one address), `phash` (perceptual hashes that differ in few bits) or `caption` (equal
up to case, layout and punctuation). It goes only if one that stays, before it in the total order
(priority of the source, the larger picture, then id), is really that similar.""",
    table=PAIR_DUPLICATES,
    partitioning="none",
    upstream=(RAW_PAIRS.name,),
    code_version=CODE_VERSION,
    branch="media",
    settings=lambda workspace, partition: [
        workspace.pipeline.model.media.dedup.model_dump(),
        priorities(workspace, "media"),
    ],
    run=run,
    checks=(partners_stay(PAIR_DUPLICATES, "pair"),),
)
