"""raw_instructions of every source -> instruction_duplicates: who repeats whom."""

import numpy as np
import pyarrow as pa

from llm_data_assets.instructions.dialogue import dialogue_text, question_text
from llm_data_assets.instructions.repeats import METHODS, find_repeats
from llm_data_assets.instructions.scores import own_rating
from llm_data_assets.lake.instruction_tables import INSTRUCTION_DUPLICATES, RAW_INSTRUCTIONS
from llm_data_assets.stages.prune import remove_dropped_sources
from llm_data_assets.stages.repeats import (
    partners_stay,
    priorities,
    total_order,
    write_repeats,
)
from llm_data_assets.stages.stage import Context, Outcome, Stage

CODE_VERSION = "2"
_COLUMNS = ["doc_id", "source", "kind", "system", "turns", "n_prompt", "rejected", "ratings"]


def run(context: Context) -> Outcome:
    """Compare all dialogues of all sources and choose, in the total order, which stay."""
    remove_dropped_sources(context.workspace, context.lake)
    settings = context.workspace.pipeline.model.instructions.dedup
    bounds = context.workspace.pipeline.model.instructions.rating_range
    rows = context.lake.read(RAW_INSTRUCTIONS, None, _COLUMNS)
    texts, questions, ratings = [], [], []
    for row in _dialogues(rows):
        texts.append(dialogue_text(row))
        # Pairs over one prompt are not copies of each other: only equal ones go.
        questions.append(question_text(row) if row["kind"] == "conversation" else None)
        ratings.append(own_rating(row["ratings"], bounds))
    rated = np.array([-np.inf if each is None else each for each in ratings])
    order = total_order(context, rows, rated)
    partner, similarity, method = find_repeats(
        pa.array(texts, pa.string()), questions, order, near=settings.near, rouge=settings.rouge
    )
    methods = [METHODS.get(int(each), "") for each in method]
    sources = STAGE.sources(context.workspace)
    return write_repeats(
        context, INSTRUCTION_DUPLICATES, sources, rows, partner, similarity, methods, CODE_VERSION
    )


def _dialogues(rows: pa.Table):  # type: ignore[no-untyped-def]
    for batch in rows.to_batches(max_chunksize=4096):
        yield from batch.to_pylist()


STAGE = Stage(
    name=INSTRUCTION_DUPLICATES.name,
    description="""One row a removed dialogue: the kept one it repeats, how similar, and by which
method: `exact` (the whole text), `near` (Jaccard of its shingles) or `rouge` (ROUGE-L of what is
asked). It goes only if one that stays, before it in the total order (priority of the source,
rating, then id), is really that similar.""",
    table=INSTRUCTION_DUPLICATES,
    partitioning="none",
    upstream=(RAW_INSTRUCTIONS.name,),
    code_version=CODE_VERSION,
    branch="instructions",
    settings=lambda workspace, partition: [
        workspace.pipeline.model.instructions.dedup.model_dump(),
        workspace.pipeline.model.instructions.rating_range,
        priorities(workspace, "instructions"),
    ],
    run=run,
    checks=(partners_stay(INSTRUCTION_DUPLICATES, "dialogue"),),
)
