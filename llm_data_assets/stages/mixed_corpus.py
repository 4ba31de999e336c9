"""mixture_plan -> mixed_corpus: which sequence of a source stands at which position of the run."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from llm_data_assets.config.pipeline import VALIDATION
from llm_data_assets.lake.schemas import MIXED_CORPUS, MIXTURE_PLAN, SEQUENCES
from llm_data_assets.mixing.order import source_positions
from llm_data_assets.stages.run_checks import SHARE_AS_PLANNED
from llm_data_assets.stages.shards import task_key
from llm_data_assets.stages.stage import Context, Outcome, Stage

CODE_VERSION = "2"
SCHEMA = MIXED_CORPUS.schema


def run(context: Context) -> Outcome:
    """Compute this source's positions from the plan and the seed; no token is touched."""
    recipe = context.workspace.pipeline.model.recipes[context.recipe]
    rows = context.lake.read(MIXTURE_PLAN, {"recipe": context.recipe}).to_pylist()
    table = pa.concat_tables([SCHEMA.empty_table(), *_phases(context.source, rows, recipe.seed)])
    key = task_key(CODE_VERSION, rows, recipe.seed)
    file = context.lake.write_shard(MIXED_CORPUS, context.partition.values, "all", key, [table])
    context.lake.replace_partition(MIXED_CORPUS, context.partition.values, [file])
    spans = context.lake.read(SEQUENCES, context.partition.values, ["sequence", "doc_id", "length"])
    used = spans.filter(pc.is_in(spans["sequence"], table["sequence"].combine_chunks()))
    docs_in, docs = (
        pc.count_distinct(spans["doc_id"]).as_py(),
        pc.count_distinct(used["doc_id"]).as_py(),
    )
    return Outcome(
        files=[file],
        docs_in=docs_in,
        docs=docs,
        n_bytes=0,
        tokens=_tokens(table, spans),
        drops={"not sampled by the mixture": docs_in - docs} if docs_in > docs else {},
        figures={"sequences": table.num_rows},
    )


def _phases(source: str, rows: list[dict[str, Any]], seed: int) -> Iterator[pa.Table]:
    """The source's positions in each phase of the run, in order; its passes go on across them."""
    taken = {True: 0, False: 0}  # of the sequences for training, and of those held out
    for first in sorted({row["first_position"] for row in rows}):
        phase = {row["source"]: row for row in rows if row["first_position"] == first}
        if source not in phase:
            continue
        mine = phase[source]
        for_training = mine["phase"] != VALIDATION
        order = source_positions(
            source,
            {name: row["sequences"] for name, row in phase.items()},
            {name: row["available_sequences"] for name, row in phase.items()},
            seed=seed,
            taken=taken[for_training],
            first_position=first,
        )
        taken[for_training] += mine["sequences"]
        sequence = order.sequence + mine["first_sequence"]
        yield pa.table([order.position, sequence, order.epoch], schema=SCHEMA)


def _tokens(order: pa.Table, spans: pa.Table) -> int:
    """Tokens of the run that this source gives, every epoch counted."""
    per_sequence = spans.group_by("sequence").aggregate([("length", "sum")])
    visits = order.group_by("sequence").aggregate([("position", "count")])
    joined = visits.join(per_sequence, "sequence")
    return pc.sum(pc.multiply(joined["position_count"], joined["length_sum"])).as_py() or 0


STAGE = Stage(
    name=MIXED_CORPUS.name,
    description="""The order of the run: at which position each packed sequence of the source
stands, and in which pass. An index; changing a weight rewrites it and no token.""",
    table=MIXED_CORPUS,
    partitioning="recipe_source",
    upstream=(MIXTURE_PLAN.name,),
    code_version=CODE_VERSION,
    settings=lambda workspace, partition: (
        workspace.pipeline.model.recipes[partition.recipe or ""].seed
    ),
    run=run,
    checks=(SHARE_AS_PLANNED,),
)
