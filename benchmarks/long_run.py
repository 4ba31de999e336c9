"""Every stage of text over many documents made from real ones: memory by time, rate by stage.

    python benchmarks/long_run.py CORPUS.parquet FOLDER [--gigabytes 10] [--shard-mb 64]

CORPUS has columns `name` and `text` (see `text_corpus.py`, or any Parquet file with a column
`text`). A synthetic document is a run of paragraphs of a real one, cut and put together anew with
paragraphs of others by a seeded draw, so that words, lines and languages are real, one in twenty is
an exact copy and one in twenty a near copy. FOLDER gets the source, the home and `memory.csv`: by
the second, MiB of `llm-data run` and all its processes together (proportional set size: what they
share counted once), of the largest alone, and what all of them hold, without the pages of files
that the system takes back when it needs room (band keys, shingle sets and libraries are mapped).
The run is killed if what is held exceeds `--bound-mb`. Given again, FOLDER is gone on with.
"""

import argparse
import csv
import json
import os
import random
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
from measure import machine

_FILE_BYTES = 256_000_000
_PIPELINE = """engine: {{shard_mb: {shard_mb:g}, workers: {workers}}}
rules: [gopher, c4, clean]
tokenizer: {{sample_mb: 20, vocab_size: 16000}}
recipes: {{all: {{sequence_length: 2048, formats: [megatron]}}}}
checks: {{max_rule_share: 1, max_duplicate_share: 1}}
"""
_CATALOG = """sources:
  made: {format: jsonl, uris: ['made-*.jsonl'], license: CC0-1.0, options: {id: id}}
"""


def documents(texts: list[str], n_bytes: int, seed: int = 1) -> Iterator[str]:
    """Texts of about `n_bytes` UTF-8 bytes in all, the same for the same seed."""
    draw = random.Random(seed)
    paragraphs = [part for text in texts for part in re.split(r"\n\s*\n", text) if len(part) > 80]
    made, before = 0, ""
    while made < n_bytes:
        kind = draw.random()
        if before and kind < 0.05:
            text = before
        elif before and kind < 0.10:
            text = before + "\n\n" + draw.choice(paragraphs)[:200]
        else:
            start = draw.randrange(len(paragraphs))
            own = paragraphs[start : start + draw.randint(1, 8)]
            text = "\n\n".join([*own, *draw.choices(paragraphs, k=draw.randint(1, 4))])
            before = text
        yield text
        made += len(text.encode())


def write(corpus: Path, folder: Path, n_bytes: int) -> int:
    """The source's files below `folder`; returns how many documents."""
    texts = pq.read_table(corpus, columns=["text"])["text"].to_pylist()
    number, stream = 0, None
    for number, text in enumerate(documents(texts, n_bytes)):
        if stream is None or stream.tell() > _FILE_BYTES:
            if stream:
                stream.close()
            stream = (folder / f"made-{number:09d}.jsonl").open("wb")
        stream.write(json.dumps({"id": str(number), "text": text}).encode() + b"\n")
    if stream:
        stream.close()
    return number + 1


def memory(root: int) -> list[tuple[float, float]]:
    """MiB of a process and of each below it, in all and without pages of files."""
    sizes, waiting = [], [root]
    while waiting:
        process = waiting.pop()
        try:
            rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
            for task in Path(f"/proc/{process}/task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
        except OSError:
            continue
        of = {name: int(kb) / 1024 for name, kb in re.findall(r"^(\w+): +(\d+) kB", rollup, re.M)}
        if "Pss" in of:
            sizes.append((of["Pss"], of["Pss"] - of["Pss_File"]))
    return sizes


def run(folder: Path, bound_mb: float) -> tuple[int, float, float]:
    """`llm-data run`; returns its exit code, seconds, and the most MiB that it held."""
    environment = {
        "LLM_DATA_HOME": str(folder / "home"),
        "LLM_DATA_CATALOG": str(folder / "catalog.yaml"),
        "LLM_DATA_PIPELINE": str(folder / "pipeline.yaml"),
    }
    command = [sys.executable, "-m", "llm_data_assets.cli", "run"]
    process = subprocess.Popen(command, env={**os.environ, **environment}, cwd=folder)
    started, peak = time.monotonic(), 0.0
    with (folder / "memory.csv").open("a", newline="", buffering=1) as stream:
        rows = csv.writer(stream)
        rows.writerow(["seconds", "all_mib", "largest_mib", "held_mib"])
        while process.poll() is None:
            sizes = memory(process.pid)
            if sizes:
                everything, held = map(sum, zip(*sizes, strict=True))
                peak = max(peak, held)
                largest, _ = max(sizes)
                seconds = time.monotonic() - started
                rows.writerow([f"{each:.0f}" for each in (seconds, everything, largest, held)])
            if peak > bound_mb:
                process.kill()
                sys.exit(f"memory exceeded {bound_mb:g} MiB: {folder / 'memory.csv'} says when")
            time.sleep(1)
    return process.returncode, time.monotonic() - started, peak


def main() -> None:
    options = _options()
    folder = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    print(machine("numba", "dagster", "duckdb"), flush=True)
    n_bytes = int(options.gigabytes * 1e9)
    if not (folder / "catalog.yaml").exists():
        n_documents = write(options.corpus, folder, n_bytes)
        settings = {"shard_mb": options.shard_mb, "workers": options.workers}
        (folder / "pipeline.yaml").write_text(_PIPELINE.format(**settings))
        (folder / "catalog.yaml").write_text(_CATALOG)
        print(f"input: {n_documents:,} documents, {n_bytes / 1e9:g} GB of text", flush=True)
    code, seconds, peak = run(folder, options.bound_mb)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime
    print(f"exit code {code}, {seconds:.0f} s, {cpu:.0f} CPU-s, {n_bytes / 1e6 / cpu:.2f} MB/CPU-s")
    print(f"held at most {peak:.0f} MiB by all processes, bound {options.bound_mb:g} MiB")
    _stages(folder)
    sys.exit(code)


def _stages(folder: Path) -> None:
    from llm_data_assets.config.workspace import open_workspace
    from llm_data_assets.lake.schemas import STAGE_STATS
    from llm_data_assets.stages.materialise import lake_of

    workspace = open_workspace(folder / "home", folder / "catalog.yaml", folder / "pipeline.yaml")
    lake = lake_of(workspace)
    print(f"\n{'stage':24}{'seconds':>9}{'documents':>12}{'bytes':>16}")
    for row in sorted(lake.read(STAGE_STATS).to_pylist(), key=lambda row: row["ts"]):
        print(f"{row['stage']:24}{row['seconds']:9.1f}{row['docs']:12,}{row['bytes']:16,}")
    print(f"\n{'table':24}{'bytes on disk':>16}")
    for table in sorted(lake.root.iterdir()):
        print(f"{table.name:24}{sum(f.stat().st_size for f in table.rglob('*.parquet')):16,}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--gigabytes", type=float, default=10)
    parser.add_argument("--shard-mb", type=float, default=64)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--bound-mb", type=float, default=4096)
    return parser.parse_args()


if __name__ == "__main__":
    main()
