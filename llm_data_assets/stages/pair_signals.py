"""deduped_pairs -> pair_signals: measure once, decide later."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from llm_data_assets.config.digest import file_checksum
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.media_tables import DEDUPED_PAIRS, RAW_PAIRS, pair_signals
from llm_data_assets.lake.shard_files import ShardFile
from llm_data_assets.media.signals import COLUMNS, measure
from llm_data_assets.stages.checks import SAMPLES, conservation, here, query
from llm_data_assets.stages.kept_rows import kept_rows, kept_tasks
from llm_data_assets.stages.repeats import own_versions
from llm_data_assets.stages.shards import Task, make_shards
from llm_data_assets.stages.stage import Check, CheckResult, Context, Outcome, Partition, Stage
from llm_data_assets.tokens.given import Tokenizer, open_tokenizer

CODE_VERSION = "2"
_MOST_FAULTS = 0.01  # own choice; a column of another type faults every row
PAIR_SIGNALS = pair_signals(
    pa.schema(
        [pa.field(name, kind, metadata={"description": said}) for name, kind, said in COLUMNS]
    )
)


def run(context: Context) -> Outcome:
    """Measure the pairs of each shard that changed."""
    partition = context.partition.values
    settings = _settings(context.workspace, context.partition)
    where = {"path": _tokenizer_file(context.workspace)}
    tasks = kept_tasks(context, RAW_PAIRS, DEDUPED_PAIRS, {}, settings, where, CODE_VERSION)
    came_in = context.lake.read(DEDUPED_PAIRS, partition, ["n_bytes"])
    n_bytes = pc.sum(came_in["n_bytes"]).as_py() or 0
    outputs = {STAGE.name: (PAIR_SIGNALS, partition)}
    files = make_shards(context, measure_shard, tasks, outputs, n_bytes)[STAGE.name]
    context.lake.replace_partition(PAIR_SIGNALS, partition, files)
    rows = context.lake.read(PAIR_SIGNALS, partition, ["doc_id"]).num_rows
    return Outcome(files=files, docs_in=came_in.num_rows, docs=rows, n_bytes=n_bytes)


def measure_shard(task: Task) -> dict[str, ShardFile]:
    """Measure the kept pairs of one shard."""
    return {STAGE.name: task.write(PAIR_SIGNALS, _measured(task))}


def _measured(task: Task) -> Iterator[pa.Table]:
    path = task.settings["path"]
    tokenizer = open_tokenizer(path.read_bytes()) if path else None
    for rows in kept_rows(task, RAW_PAIRS, DEDUPED_PAIRS):
        pairs = rows.to_pylist()
        metas = [json.loads(row["meta"]) for row in pairs]
        counted = _counted(tokenizer, rows["caption"]) if tokenizer else None
        found = measure(pairs, metas, task.settings["scores"], counted)
        yield pa.Table.from_pylist(found, PAIR_SIGNALS.schema)


def _counted(tokenizer: Tokenizer, captions: pa.ChunkedArray) -> list[int]:
    return tokenizer.encode(captions.combine_chunks(), add_eos=False).lengths.tolist()


def _settings(workspace: Workspace, partition: Partition) -> dict[str, Any]:
    media = workspace.pipeline.model.media
    path = _tokenizer_file(workspace)
    return {
        "scores": {name: each.model_dump() for name, each in sorted(media.scores.items())},
        "tokenizer": file_checksum(path) if path else None,
    }


def _tokenizer_file(workspace: Workspace) -> Path | None:
    """The file of `media.tokenizer`.

    Raises:
        ConfigError: there is no such file, or it is no tokenizer.
    """
    name = workspace.pipeline.model.media.tokenizer
    if name is None:
        return None
    path = workspace.pipeline.path.parent / name
    try:
        open_tokenizer(path.read_bytes())
    except (OSError, ValueError, RuntimeError) as error:
        problem, _, way_out = str(error).partition(" Try: ")
        raise workspace.pipeline.error(
            ("media", "tokenizer"),
            f"{path} cannot be used: {problem}",
            way_out or "a SentencePiece .model, a tokenizer.json or a tiktoken rank file",
        ) from error
    return path


def _scores_are_numbers(context: Context) -> CheckResult:
    signals = here(context, PAIR_SIGNALS)
    worst = query(
        f"""SELECT score_fault, count(*) AS pairs, min(doc_id) AS doc_id FROM {signals}
        WHERE score_fault <> 'none' GROUP BY ALL ORDER BY pairs DESC, score_fault LIMIT {SAMPLES}"""
    )
    share = query(
        f"SELECT coalesce(avg((score_fault <> 'none')::INT), 0)::DOUBLE AS share FROM {signals}"
    )[0]["share"]
    expected = f"at most {_MOST_FAULTS:g} of pairs with a score that is none"
    return CheckResult(share <= _MOST_FAULTS, share, expected, worst)


STAGE = Stage(
    name=PAIR_SIGNALS.name,
    description="""What was measured of each pair: its caption, its size, its length, its speed, the
publisher's scores under one name. No threshold appears here: the rules of `media.rules` are
predicates over these columns.""",
    table=PAIR_SIGNALS,
    partitioning="source",
    upstream=(RAW_PAIRS.name, DEDUPED_PAIRS.name),
    code_version=CODE_VERSION,
    branch="media",
    settings=_settings,
    run=run,
    inputs=own_versions(RAW_PAIRS, DEDUPED_PAIRS),
    checks=(
        conservation(DEDUPED_PAIRS, PAIR_SIGNALS),
        Check("scores_are_numbers", "Scores are numbers in their range.", _scores_are_numbers),
    ),
)
