"""source_files -> raw_instructions: dialogues and preferences in one schema, and rejects."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from llm_data_assets.lake.instruction_tables import RAW_INSTRUCTIONS
from llm_data_assets.lake.shard_files import ShardFile
from llm_data_assets.sources.formats import read_dialogues
from llm_data_assets.stages.dialogue_rows import dialogue_row
from llm_data_assets.stages.raw_records import (
    declared,
    raw_checks,
    raw_inputs,
    read_files,
    read_source,
)
from llm_data_assets.stages.shards import Task
from llm_data_assets.stages.stage import Context, Outcome, Stage

CODE_VERSION = "2"


def run(context: Context) -> Outcome:
    """Read every group of files that no finished shard holds."""
    says = declared(context.workspace, context.partition)
    columns = ["kind", "n_repairs"]
    return read_source(context, RAW_INSTRUCTIONS, read_shard, CODE_VERSION, says, columns, _figures)


def read_shard(task: Task) -> dict[str, ShardFile]:
    """Read the files of one group."""
    return read_files(task, RAW_INSTRUCTIONS, read_dialogues, dialogue_row)


def _figures(rows: pa.Table) -> dict[str, Any]:
    return {
        "preferences": pc.sum(pc.equal(rows["kind"], "preference")).as_py() or 0,
        "repairs": pc.sum(rows["n_repairs"]).as_py() or 0,
    }


STAGE = Stage(
    name=RAW_INSTRUCTIONS.name,
    description="""Dialogues and preferences as their publisher shipped them, in one schema: system,
turns, tools, the answer that was rejected, ratings by aspect. Text is repaired and NFC-normalised.
A record without turns, an orphaned or cyclic tree, a broken line stand in `rejects`.""",
    table=RAW_INSTRUCTIONS,
    partitioning="source",
    upstream=(),
    code_version=CODE_VERSION,
    branch="instructions",
    settings=declared,
    run=run,
    inputs=raw_inputs,
    checks=raw_checks(
        RAW_INSTRUCTIONS,
        "dialogues",
        lambda workspace: workspace.pipeline.model.instructions.max_reject_share,
    ),
)
