"""From signals to verdicts: a million documents under another threshold, on one core.

    python benchmarks/what_if.py [--documents 1000000]

The documents are random signals in a lake of their own, in a temporary folder. Two things are
timed, both in a process that has started: the dry run, as
`llm-data filter --set gopher_short_doc.min=80 --dry-run` makes it, and the judging that
`llm-data run --to filtered_corpus` does after a threshold has changed, verdicts written. Not in the
figures: starting Python and Dagster, the checks, and editing the text of shards in which other
documents stay.
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from measure import machine

from llm_data_assets.config.workspace import open_workspace
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.schemas import RAW_CORPUS, VERDICTS
from llm_data_assets.stages.filtered_corpus import judge_tasks
from llm_data_assets.stages.judging import judge
from llm_data_assets.stages.quality_signals import QUALITY_SIGNALS
from llm_data_assets.stages.shards import Task
from llm_data_assets.stages.stage import Context, Partition
from llm_data_assets.stages.what_if import what_if

PIPELINE = "rules: [gopher, c4, fineweb_lines]\nrecipes: {one: {}}\n"
SHARD = 20_000  # documents, as 128 MB of pages have
# Most documents of a real corpus pass most rules, so that every rule is asked.
_RANGES = {
    "rps_doc_word_count": (40, 2_000),
    "rps_doc_mean_word_length": (2.9, 8),
    "stop_words_distinct": (1, 8),
    "rps_doc_num_sentences": (2, 80),
    "frac_lines_end_with_punctuation": (0.1, 1),
    "dup_line_char_frac": (0, 0.011),
    "rps_doc_curly_bracket": (0, 0),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=1_000_000)
    documents = parser.parse_args().documents
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "pipeline.yaml").write_text(PIPELINE)
        (home / "catalog.yaml").write_text(
            "sources: {web: {format: jsonl, uris: [web.jsonl], license: CC0-1.0}}\n"
        )
        (home / "web.jsonl").write_text("")
        workspace = open_workspace(home / "home", home / "catalog.yaml", home / "pipeline.yaml")
        lake = Lake(workspace.home / "lake")
        random = np.random.default_rng(1)
        files = [
            lake.write_shard(
                QUALITY_SIGNALS, {"source": "web"}, f"s{start:09}", "key", [_signals(random, start)]
            )
            for start in range(0, documents, SHARD)
        ]
        lake.replace_partition(QUALITY_SIGNALS, {"source": "web"}, files)
        raw = [
            lake.write_shard(
                RAW_CORPUS, {"source": "web"}, f"s{start:09}", "key", [_documents(start)]
            )
            for start in range(0, documents, SHARD)
        ]
        lake.replace_partition(RAW_CORPUS, {"source": "web"}, raw)
        _timed(documents, "dry run", lambda: what_if(workspace, ["gopher_short_doc.min=80"]))
        context = Context(workspace, lake, Partition(source="web"))
        _timed(documents, "judged, written", lambda: _judged(lake, judge_tasks(context)))
        rows = lake.read(VERDICTS, {"source": "web", "stage": "filtered_corpus"}).num_rows
        print(f"{rows} verdicts; {machine('duckdb', 'pyarrow')}")


def _judged(lake: Lake, tasks: list[Task]) -> None:
    """Judge as if none had been judged before."""
    folder = lake.folder(VERDICTS, {"source": "web", "stage": "filtered_corpus"})
    shutil.rmtree(folder, ignore_errors=True)
    files = judge(lake, tasks)
    lake.replace_partition(VERDICTS, {"source": "web", "stage": "filtered_corpus"}, files)


def _timed(documents: int, name: str, work: Callable[[], Any]) -> Any:
    for _ in range(3):
        cpu, wall = time.process_time(), time.perf_counter()
        answer = work()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        print(f"{documents} documents, {name}: {cpu:.2f} CPU-s, {wall:.2f} s wall")
    return answer


def _documents(start: int) -> pa.Table:
    """Documents without text: no rule reads it."""
    columns = {field.name: pa.nulls(SHARD, field.type) for field in RAW_CORPUS.schema} | {
        "doc_id": pa.array([f"web/{start + i:09}" for i in range(SHARD)]),
        "license": pa.array(["CC0-1.0"] * SHARD),
    }
    return pa.table(columns).cast(RAW_CORPUS.schema)


def _signals(random: np.random.Generator, start: int) -> pa.Table:
    columns = {}
    for field in QUALITY_SIGNALS.schema:
        if field.name == "doc_id":
            columns[field.name] = pa.array([f"web/{start + i:09}" for i in range(SHARD)])
        elif field.name == "language":
            columns[field.name] = pa.array(["en", "de", "zh", "fr"] * (SHARD // 4))
        elif pa.types.is_integer(field.type):
            low, high = _RANGES.get(field.name, (0, 1))
            columns[field.name] = pa.array(random.integers(low, high, SHARD))
        elif field.name in _RANGES:
            columns[field.name] = pa.array(random.uniform(*_RANGES[field.name], SHARD))
        elif pa.types.is_floating(field.type):
            columns[field.name] = pa.array(random.beta(1, 30, SHARD)).cast(field.type)
        else:
            columns[field.name] = pa.array([""] * SHARD, field.type)
    return pa.table(columns)


if __name__ == "__main__":
    main()
