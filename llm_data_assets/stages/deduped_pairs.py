"""raw_pairs without repeats -> deduped_pairs: the names that stay."""

from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.media_tables import DEDUPED_PAIRS, PAIR_DUPLICATES, RAW_PAIRS
from llm_data_assets.media.kernels import HASH_BITS
from llm_data_assets.stages.checks import conservation
from llm_data_assets.stages.repeats import keep_others, own_versions
from llm_data_assets.stages.stage import Context, Outcome, Stage

CODE_VERSION = "1"


def run(context: Context) -> Outcome:
    """Keep the pairs of each shard that `pair_duplicates` does not name."""
    bounds = _bounds(context.workspace)
    return keep_others(context, RAW_PAIRS, PAIR_DUPLICATES, DEDUPED_PAIRS, bounds, CODE_VERSION)


def _bounds(workspace: Workspace) -> dict[str, float]:
    """The share of bits from which a perceptual hash is a repeat."""
    bits = workspace.pipeline.model.media.dedup.phash_bits
    return {"phash": 1 - (bits or 0) / HASH_BITS}


STAGE = Stage(
    name=DEDUPED_PAIRS.name,
    description="""The pairs that repeat no other, by name. Each removed one stands in `verdicts`
with the one it repeats and how similar the two are.""",
    table=DEDUPED_PAIRS,
    partitioning="source",
    upstream=(RAW_PAIRS.name, PAIR_DUPLICATES.name),
    code_version=CODE_VERSION,
    branch="media",
    settings=lambda workspace, partition: _bounds(workspace),
    run=run,
    inputs=own_versions(RAW_PAIRS, PAIR_DUPLICATES),
    checks=(conservation(RAW_PAIRS, DEDUPED_PAIRS),),
)
