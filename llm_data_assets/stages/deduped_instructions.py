"""raw_instructions without repeats -> deduped_instructions: the names that stay."""

from llm_data_assets.lake.instruction_tables import (
    DEDUPED_INSTRUCTIONS,
    INSTRUCTION_DUPLICATES,
    RAW_INSTRUCTIONS,
)
from llm_data_assets.stages.checks import conservation
from llm_data_assets.stages.repeats import keep_others, own_versions
from llm_data_assets.stages.stage import Context, Outcome, Stage

CODE_VERSION = "1"


def run(context: Context) -> Outcome:
    """Keep the dialogues of each shard that `instruction_duplicates` does not name."""
    return keep_others(
        context,
        RAW_INSTRUCTIONS,
        INSTRUCTION_DUPLICATES,
        DEDUPED_INSTRUCTIONS,
        context.workspace.pipeline.model.instructions.dedup.model_dump(),
        CODE_VERSION,
    )


STAGE = Stage(
    name=DEDUPED_INSTRUCTIONS.name,
    description="""The dialogues that repeat no other, by name. Each removed one stands in
`verdicts` with the one it repeats and how similar the two are.""",
    table=DEDUPED_INSTRUCTIONS,
    partitioning="source",
    upstream=(RAW_INSTRUCTIONS.name, INSTRUCTION_DUPLICATES.name),
    code_version=CODE_VERSION,
    branch="instructions",
    settings=lambda workspace, partition: workspace.pipeline.model.instructions.dedup.model_dump(),
    run=run,
    inputs=own_versions(RAW_INSTRUCTIONS, INSTRUCTION_DUPLICATES),
    checks=(conservation(RAW_INSTRUCTIONS, DEDUPED_INSTRUCTIONS),),
)
