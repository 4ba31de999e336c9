"""From signals to verdicts: a million documents under another threshold, on one core.

    python benchmarks/what_if.py [--documents 1000000]

The documents are random signals in a lake of their own, in a temporary folder: what is timed reads
only their Parquet files, as `llm-data filter --set gopher_short_doc.min=80 --dry-run` does.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from llm_data_assets.config.workspace import open_workspace
from llm_data_assets.lake.delta import Lake
from llm_data_assets.stages.quality_signals import QUALITY_SIGNALS
from llm_data_assets.stages.what_if import what_if

PIPELINE = "rules: [gopher, c4, fineweb_lines]\nrecipes: {one: {}}\n"
SHARD = 100_000
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
        for _ in range(3):
            cpu, wall = time.process_time(), time.perf_counter()
            found = what_if(workspace, ["gopher_short_doc.min=80"])
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
            print(f"{documents} documents: {cpu:.2f} CPU-s, {wall:.2f} s on {os.cpu_count()} cores")
        print(found.survivors, f"DuckDB {duckdb.__version__}")


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
