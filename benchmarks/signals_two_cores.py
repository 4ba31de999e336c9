"""`quality_signals` with two workers on two cores, beside one on one.

    python benchmarks/signals_two_cores.py CORPUS.parquet [--megabytes 64]

CORPUS as for quality.py. The stage runs with two workers over shards of 8 MB, rules of Gopher, C4
and FineWeb, in turns with one worker that has one core to itself. Beside the wall times, which mean
something where nothing else runs, stands the bound for a machine however busy: CPU-seconds are
counted in the process that hands shards out, which is the serial part, and in the workers; the best
that two cores can make of it follows from both (Amdahl 1967).
"""

import argparse
import multiprocessing
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
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
SHARD_BYTES, TURNS = 8 << 20, 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--megabytes", type=float, default=64.0)
    options = parser.parse_args()
    print(machine("numba", "pyarrow"))
    with tempfile.TemporaryDirectory() as folder:
        context, megabytes = _made(Path(folder), options.corpus, options.megabytes)
        cores = sorted(os.sched_getaffinity(0))
        best = {1: float("inf"), 2: float("inf")}
        for turn in range(TURNS + 1):
            for workers in best:
                wall, serial, parallel = _measured(context, workers, cores[:workers])
                if not turn:  # kernels are read, workers start
                    continue
                best[workers] = min(best[workers], wall)
                gain = (serial + parallel) / (serial + parallel / 2)
                print(
                    f"{megabytes:.0f} MB, {workers} on as many cores: {wall:.2f} s wall, "
                    f"{serial:.2f} CPU-s handing out, {parallel:.2f} in workers"
                    + (f": at most {gain:.2f} times one core" if parallel else "")
                )
        print(f"two are {best[1] / best[2]:.2f} times one, the best of {TURNS} each")


def _measured(context: Context, workers: int, cores: Sequence[int]) -> tuple[float, float, float]:
    """Wall seconds, CPU-seconds here and in workers. One worker is this process."""
    engine = context.workspace.pipeline.model.engine.model_copy(update={"workers": workers})
    model = context.workspace.pipeline.model.model_copy(update={"engine": engine})
    pipeline = replace(context.workspace.pipeline, model=model)
    context = replace(context, workspace=replace(context.workspace, pipeline=pipeline))
    shutil.rmtree(context.lake.folder(QUALITY_SIGNALS, WEB), ignore_errors=True)
    os.sched_setaffinity(0, cores)
    wall, serial, before = time.perf_counter(), time.process_time(), _of_workers()
    run(context)
    wall, serial = time.perf_counter() - wall, time.process_time() - serial
    return wall, serial, _of_workers() - before


def _made(home: Path, corpus: Path, megabytes: float) -> tuple[Context, float]:
    """A lake with the first documents of the corpus, as if raw_corpus and what follows had run."""
    (home / "pipeline.yaml").write_text("rules: [gopher, c4, fineweb_lines]\nrecipes: {one: {}}\n")
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
