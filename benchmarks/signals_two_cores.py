"""How much of `quality_signals` is serial: what two workers can gain, on however busy a machine.

    python benchmarks/signals_two_cores.py CORPUS.parquet [--megabytes 64]

CORPUS as for quality.py. The stage runs with two workers over shards of 8 MB, rules of Gopher, C4
and FineWeb. CPU-seconds are counted in the process that hands shards out, which is the serial part,
and in the workers; the best that two cores can make of it follows from both (Amdahl 1967). Wall
time stands beside, and means something where nothing else runs.
"""

import argparse
import multiprocessing
import os
import shutil
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from measure import machine

from llm_data_assets.config.workspace import open_workspace
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.schemas import DEDUPED_CORPUS, RAW_CORPUS
from llm_data_assets.stages.quality_signals import QUALITY_SIGNALS, run
from llm_data_assets.stages.stage import Context, Partition

WEB = {"source": "web"}
SHARD_BYTES = 8 << 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--megabytes", type=float, default=64.0)
    options = parser.parse_args()
    print(machine("numba", "pyarrow"))
    with tempfile.TemporaryDirectory() as folder:
        context, megabytes = _made(Path(folder), options.corpus, options.megabytes)
        for each in ("first, workers starting", "again, workers there"):
            shutil.rmtree(context.lake.folder(QUALITY_SIGNALS, WEB), ignore_errors=True)
            wall, serial, before = time.perf_counter(), time.process_time(), _of_workers()
            run(context)
            wall = time.perf_counter() - wall
            serial, parallel = time.process_time() - serial, _of_workers() - before
            gain = (serial + parallel) / (serial + parallel / 2)
            print(
                f"{each}: {megabytes:.0f} MB, {serial:.2f} CPU-s handing out, {parallel:.2f} in "
                f"workers: at most {gain:.2f} times one core; {wall:.1f} s wall"
            )


def _made(home: Path, corpus: Path, megabytes: float) -> tuple[Context, float]:
    """A lake with the first documents of the corpus, as if raw_corpus and what follows had run."""
    (home / "pipeline.yaml").write_text(
        "rules: [gopher, c4, fineweb_lines]\nrecipes: {one: {}}\nengine: {workers: 2}\n"
    )
    (home / "catalog.yaml").write_text(
        "sources: {web: {format: jsonl, uris: [web.jsonl], license: CC0-1.0}}\n"
    )
    (home / "web.jsonl").write_text("")
    workspace = open_workspace(home / "home", home / "catalog.yaml", home / "pipeline.yaml")
    lake = Lake(workspace.home / "lake")
    raw, kept, rows, size, done = [], [], [], 0, 0.0
    for number, text in enumerate(pq.read_table(corpus, columns=["text"])["text"].to_pylist()):
        rows.append({"doc_id": f"web/{number:09}", "text": text, "n_bytes": len(text.encode())})
        size += rows[-1]["n_bytes"]
        if size >= SHARD_BYTES:
            shard = f"s{number:09}"
            table = pa.Table.from_pylist(rows, RAW_CORPUS.schema)
            raw.append(lake.write_shard(RAW_CORPUS, WEB, shard, "key", [table]))
            table = table.select(DEDUPED_CORPUS.schema.names)
            kept.append(lake.write_shard(DEDUPED_CORPUS, WEB, shard, "key", [table]))
            done, rows, size = done + size / 1e6, [], 0
            if done >= megabytes:
                break
    lake.replace_partition(RAW_CORPUS, WEB, raw)
    lake.replace_partition(DEDUPED_CORPUS, WEB, kept)
    return Context(workspace, lake, Partition(source="web")), done


def _of_workers() -> float:
    """CPU-seconds of all worker processes so far (/proc, Linux)."""
    ticks = 0
    for child in multiprocessing.active_children():
        fields = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
