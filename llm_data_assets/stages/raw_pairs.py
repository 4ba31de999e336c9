"""source_files -> raw_pairs: pictures, films and recordings by reference, in one schema."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.media_tables import RAW_PAIRS
from llm_data_assets.lake.shard_files import ShardFile
from llm_data_assets.sources.formats import read_pairs
from llm_data_assets.sources.silence import listener
from llm_data_assets.stages.pair_rows import pair_row
from llm_data_assets.stages.raw_records import (
    declared,
    raw_checks,
    raw_inputs,
    read_files,
    read_source,
)
from llm_data_assets.stages.shards import Task
from llm_data_assets.stages.stage import Context, Outcome, Partition, Stage

CODE_VERSION = "1"
_LISTENING = ("librispeech", "librilight")  # formats whose readers decode recordings


def run(context: Context) -> Outcome:
    """Read every group of files that no finished shard holds."""
    says = _settings(context.workspace, context.partition)
    columns = ["kind", "recording_fault"]
    return read_source(context, RAW_PAIRS, read_shard, CODE_VERSION, says, columns, _figures)


def read_shard(task: Task) -> dict[str, ShardFile]:
    """Read the files of one group."""
    return read_files(task, RAW_PAIRS, read_pairs, pair_row)


def _settings(workspace: Workspace, partition: Partition) -> dict[str, Any]:
    """What the catalog says; and what listens: its arrival reads recordings again."""
    says = declared(workspace, partition)
    return {**says, "listener": listener()} if says["format"] in _LISTENING else says


def _figures(rows: pa.Table) -> dict[str, Any]:
    unheard = pc.sum(pc.not_equal(rows["recording_fault"], "none")).as_py() or 0
    of_kinds = {
        each["values"]: each["counts"] for each in pc.value_counts(rows["kind"]).to_pylist()
    }
    return {**of_kinds, "recordings not listened to": unheard}


STAGE = Stage(
    name=RAW_PAIRS.name,
    description="""Pictures, films and recordings by reference, with the captions, sizes and scores
their publisher shipped, in one schema; nothing is fetched. Captions are repaired and
NFC-normalised. A record without address or caption, a broken line stand in `rejects`.""",
    table=RAW_PAIRS,
    partitioning="source",
    upstream=(),
    code_version=CODE_VERSION,
    branch="media",
    settings=_settings,
    run=run,
    inputs=raw_inputs,
    checks=raw_checks(
        RAW_PAIRS, "pairs", lambda workspace: workspace.pipeline.model.media.max_reject_share
    ),
)
