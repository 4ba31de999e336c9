"""End to end: from the text in raw_corpus to written verdicts, by the stages themselves.

Run by `dedup.py`; by itself, `python benchmarks/dedup_stages.py corpus.parquet 2` is one run with
two workers. Each run is a process of its own that may use as many cores as it has workers: Arrow
reads with threads of its own, and one worker on two cores is more than one.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.lake.schemas import DUPLICATES, RAW_CORPUS
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import lake_of
from llm_data_assets.stages.stage import Context, Partition

SHARDS, TURNS = 8, 3


def end_to_end(corpus: Path) -> None:
    """Parquet read, signed, grouped, verified, verdicts written; checks and Dagster left out."""
    print(
        f"{'end to end':24}{'MB':>7}{'CPU-s':>8}{'wall s':>8}"
        f"{'MB/CPU-s':>10}{'MB/s':>8}  duplicates"
    )
    first, second = ({core} for core in sorted(os.sched_getaffinity(0))[:2])
    # The last is what the machine gives: two runs that share nothing but its memory and caches.
    ways = {
        "1 worker": [(1, first)],
        "2 workers": [(2, first | second)],
        "1 worker, twice at once": [(1, first), (1, second)],
    }
    speeds = dict.fromkeys(ways, 0.0)
    for name, runs in list(ways.items()) * TURNS:
        started = [_start(corpus, *each) for each in runs]
        for run in [json.loads(each.communicate()[0]) for each in started]:
            speed = len(runs) * run["size"] / run["wall"]
            speeds[name] = max(speeds[name], speed)
            print(
                f"{name:24}{run['size']:7.0f}{run['cpu']:8.2f}{run['wall']:8.2f}"
                f"{run['size'] / run['cpu']:10.1f}{speed:8.1f}{run['gone']:12}"
            )
    one, two, at_once = speeds.values()
    print(
        f"two workers on two cores are {two / one:.2f} x one on one, in wall time; "
        f"two runs at once {at_once / one:.2f} x"
    )


def _start(corpus: Path, workers: int, cores: set[int]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, __file__, corpus, str(workers)],
        stdout=subprocess.PIPE,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )


def _measured(texts: pa.Array, workers: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        workspace = _workspace(Path(folder), texts, workers)
        _run(workspace)  # starts processes and reads kernels, then is forgotten
        workspace = _workspace(Path(folder) / "again", texts, workers)
        cpu, wall = _cpu(), time.monotonic()
        _run(workspace)
        cpu, wall = _cpu() - cpu, time.monotonic() - wall
        gone = lake_of(workspace).read(DUPLICATES, columns=["doc_id"]).num_rows
    size = (pc.sum(pc.binary_length(texts)).as_py() or 0) / 1e6
    return {"size": size, "cpu": cpu, "wall": wall, "gone": gone}


def _run(workspace: Workspace) -> None:
    for name in ("document_signatures", "duplicates", "deduped_corpus"):
        for partition in STAGES[name].partitions(workspace):
            STAGES[name].run(Context(workspace, lake_of(workspace), partition))


def _workspace(folder: Path, texts: pa.Array, workers: int) -> Workspace:
    """A home whose raw_corpus holds the texts, as reading would have left them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "catalog.yaml").write_text("sources: {all: {format: text, uris: [none.txt]}}\n")
    (folder / "pipeline.yaml").write_text(f"engine: {{workers: {workers}}}\n")
    workspace = open_workspace(folder / "home", folder / "catalog.yaml", folder / "pipeline.yaml")
    lake = lake_of(workspace)
    files = []
    for shard in range(SHARDS):
        mine = texts.take(pa.array(range(shard, len(texts), SHARDS)))
        n = len(mine)
        empty = {
            field.name: pa.nulls(n, field.type)
            for field in RAW_CORPUS.schema
            if field.name not in ("doc_id", "text", "n_bytes")
        }
        ids = pa.array([f"all/{shard}-{i:07}" for i in range(n)])
        rows = pa.table({"doc_id": ids, "text": mine, "n_bytes": pc.binary_length(mine), **empty})
        parts = [rows.slice(at, 2000) for at in range(0, n, 2000)]
        files.append(lake.write_shard(RAW_CORPUS, {"source": "all"}, f"{shard:02}", "k", parts))
    lake.replace_partition(RAW_CORPUS, Partition(source="all").values, files)
    return workspace


def _cpu() -> float:
    """CPU-seconds of this process and of its workers, which are children that still run."""
    mine = resource.getrusage(resource.RUSAGE_SELF)
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    stats = [Path(f"/proc/{child}/stat").read_text().rpartition(")")[2] for child in children]
    ticks = sum(int(each) for stat in stats for each in stat.split()[11:13])
    return mine.ru_utime + mine.ru_stime + ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    table = pq.read_table(sys.argv[1], columns=["text"])
    print(json.dumps(_measured(table["text"].combine_chunks(), int(sys.argv[2]))))
