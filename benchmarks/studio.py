"""The studio on a million documents, or five: start, first page, a move in the Filter lab.

    python benchmarks/studio.py [--documents 1000000] [--home FOLDER]

The documents are random signals, verdicts and short texts in the tables that a run would write; a
folder that is named is kept and used again. Each figure is the studio's own, over HTTP on loopback.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.lake import schemas
from llm_data_assets.lake.catalog import connect, model_file, publish
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.models import load_models
from llm_data_assets.lake.schemas import Table
from llm_data_assets.stages.filter_rules import rules_of
from llm_data_assets.stages.materialise import ALL_TABLES
from llm_data_assets.stages.quality_signals import QUALITY_SIGNALS
from llm_data_assets.studio.report import write_report

SOURCES = [f"web_{number}" for number in range(5)]
PORT = 8799
_SHARD = 100_000
_TEXT = "The ferry leaves at seven and is full by eight; write to the harbour if it is late. " * 4
_PAGES = {
    "first page": "/",
    "samples of a loss": "/?stage=filtered_corpus&reason=gopher_short_doc",
    "checks": "/checks",
    "duplicates": "/duplicates",
    "filter lab": "/filters",
    "filter lab, a first move": "/filters?gopher_short_doc.min=80",
    "filter lab, a second move": "/filters?gopher_short_doc.min=90",
    "filter lab, another rule": "/filters?gopher_short_doc.min=90&gopher_word_length.max=7",
    "explore": "/explore",
    "explore, narrowed": "/explore?rps_doc_word_count=100..200",
    "compare": "/compare",
    "tokenizer": "/tokenizer",
    "mixture": "/mix",
    "sql": "/sql?q=FROM+funnel",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--home", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = (asked.home or Path(folder)).absolute()
        if not (home / "home" / "catalog.duckdb").exists():
            write_home(home, asked.documents)
        elif any(not model_file(home / "home", name).exists() for name in load_models()):
            _build_models(_workspace(home))
        print(f"{asked.documents:,} documents, {os.cpu_count()} cores, {platform.machine()}")
        measure(home)


def write_home(home: Path, documents: int) -> None:
    """Tables as a run over five sources would leave them."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "pipeline.yaml").write_text("rules: [gopher, c4, fineweb_lines]\nrecipes: {one: {}}\n")
    entries = "\n".join(
        f"  {name}: {{format: jsonl, uris: [{name}.jsonl], license: CC0-1.0}}" for name in SOURCES
    )
    (home / "catalog.yaml").write_text(f"sources:\n{entries}\n")
    workspace = _workspace(home)
    lake = Lake(workspace.home / "lake")
    each = documents // len(SOURCES)
    for number, source in enumerate(SOURCES):
        _write_source(lake, workspace, source, each, np.random.default_rng(number))
    _build_models(workspace)


def _build_models(workspace: Workspace) -> None:
    """The models' tables, as the last step of every run leaves them."""
    publish(workspace.home, ALL_TABLES, load_models())
    for name in load_models():
        file = model_file(workspace.home, name)
        file.parent.mkdir(exist_ok=True)
        if not file.exists():
            with connect(workspace.home) as connection:
                connection.execute(f"COPY (FROM {name}) TO '{file}'")
    publish(workspace.home, ALL_TABLES, load_models())


def _workspace(home: Path) -> Workspace:
    return open_workspace(home / "home", home / "catalog.yaml", home / "pipeline.yaml")


def _write_source(
    lake: Lake, workspace: Workspace, source: str, documents: int, random: np.random.Generator
) -> None:
    files: dict[tuple[str, str], list] = {}

    def write(table: Table, rows: dict, shard: str, stage: str = "") -> None:
        full = {name: rows.get(name, pa.nulls(len(rows["doc_id"]))) for name in table.schema.names}
        data = pa.table(full).cast(table.schema)
        place = {"source": source} | ({"stage": stage} if stage else {})
        files.setdefault((table.name, stage), []).append(
            lake.write_shard(table, place, shard, "key", [data])
        )

    rules = rules_of(workspace)
    for start in range(0, documents, _SHARD):
        n = min(_SHARD, documents - start)
        shard = f"s{start:09}"
        ids = np.array([f"{source}/{number:09}" for number in range(start, start + n)])
        # 15 in 100 repeat another document, 30 in 100 fail a rule.
        fate = random.random(n)
        repeats, fails = fate < 0.15, (fate >= 0.15) & (fate < 0.45)
        deduped, kept = ~repeats, fate >= 0.45
        size = random.integers(150, len(_TEXT), n)
        texts = np.array([_TEXT[:length] for length in size], dtype=object)
        write(schemas.RAW_CORPUS, {"doc_id": ids, "text": texts, "n_bytes": size}, shard)
        write(schemas.DEDUPED_CORPUS, {"doc_id": ids[deduped], "n_bytes": size[deduped]}, shard)
        write(QUALITY_SIGNALS, _signals(random, ids[deduped]), shard)
        language = pa.array(["en"] * int(kept.sum()))
        write(schemas.FILTERED_CORPUS, {"doc_id": ids[kept], "text": texts[kept],
              "n_bytes": size[kept], "language": language}, shard)  # fmt: skip
        write(schemas.TOKENIZED_CORPUS, {"doc_id": ids[kept], "n_tokens": size[kept] // 4,
              "n_bytes": size[kept]}, shard)  # fmt: skip
        partners = ids[random.integers(0, n, int(repeats.sum()))]
        similar = random.uniform(0.8, 1, int(repeats.sum())).round(3)
        write(schemas.DUPLICATES, {"doc_id": ids[repeats], "kept_doc_id": partners,
              "kept_source": np.full(len(partners), source), "similarity": similar,
              "method": np.where(similar == 1, "exact", "near")}, shard)  # fmt: skip
        for stage, gone in (("deduped_corpus", repeats), ("filtered_corpus", fails)):
            count = int(gone.sum())
            names = ["near"] if stage == "deduped_corpus" else [rule.name for rule in rules[:12]]
            write(schemas.VERDICTS, {"doc_id": ids[gone], "kept": np.zeros(count, bool),
                  "reason": np.array(names)[random.integers(0, len(names), count)],
                  "position": np.zeros(count, np.int16), "value": random.random(count).round(3),
                  "threshold": np.full(count, 0.5)}, shard, stage)  # fmt: skip
    for (name, stage), written in files.items():
        table = next(each for each in ALL_TABLES if each.name == name)
        place = {"source": source} | ({"stage": stage} if stage else {})
        lake.replace_partition(table, place, written)
    check = {"partition": source, "check": "conserves_documents", "run_id": "r",
             "ts": datetime.now(UTC), "severity": "ERROR", "blocking": True, "passed": True,
             "observed": 0.0, "expected": "0 lost", "samples": "[]"}  # fmt: skip
    lake.append(schemas.CHECKS, {"asset": "filtered_corpus"},
                pa.Table.from_pylist([check], schemas.CHECKS.schema))  # fmt: skip


def _signals(random: np.random.Generator, ids: np.ndarray) -> dict:
    rows: dict = {"doc_id": ids, "language": pa.array(["en"] * len(ids))}
    for field in QUALITY_SIGNALS.schema:
        if pa.types.is_integer(field.type):
            rows[field.name] = random.integers(2, 400, len(ids))
        elif pa.types.is_floating(field.type):
            rows[field.name] = (random.random(len(ids)) ** 6).round(3)
    return rows


def measure(home: Path) -> None:
    """Start the studio, ask for each page twice, and print times and memory.

    CPU seconds are the studio's own: on a machine that does other work, they are what compares.
    """
    environment = os.environ | {
        "LLM_DATA_HOME": str(home / "home"),
        "LLM_DATA_CATALOG": str(home / "catalog.yaml"),
        "LLM_DATA_PIPELINE": str(home / "pipeline.yaml"),
    }
    started = time.perf_counter()
    studio = subprocess.Popen(
        [sys.executable, "-m", "llm_data_assets.cli", "studio", "--port", str(PORT)],
        env=environment, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait()
        print(f"{'':28}{'wall':>10}{'CPU':>10}{'again':>10}")
        wall = time.perf_counter() - started
        print(f"{'start':28}{wall:8.2f} s{_cpu_seconds(studio.pid):8.2f} s")
        for name, path in _PAGES.items():
            before = _cpu_seconds(studio.pid)
            wall = _seconds(path)
            cpu = _cpu_seconds(studio.pid) - before
            if path == "/":  # the Filter lab's counts follow it
                _rest(studio.pid)
            print(f"{name:28}{wall:8.3f} s{cpu:8.2f} s{_seconds(path):8.3f} s", flush=True)
            if path == "/":
                ahead = _cpu_seconds(studio.pid) - before - cpu
                print(f"{'counted behind it':28}{'':10}{ahead:8.2f} s", flush=True)
        status = Path(f"/proc/{studio.pid}/status").read_text()
        peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        print(json.dumps({"peak_mb": int(peak.split()[1]) // 1024}))
        report = write_report(_workspace(home), home / "report.html")
        print(json.dumps({"report_kb": report.stat().st_size // 1000}))
    finally:
        studio.terminate()
        studio.wait()


def _cpu_seconds(pid: int) -> float:
    """User and system time of a process so far, in ticks of 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rest(pid: int) -> None:
    """Until the process has had nothing to do for two seconds."""
    before = -1.0
    while (now := _cpu_seconds(pid)) > before:
        before = now
        time.sleep(2)


def _seconds(path: str) -> float:
    started = time.perf_counter()
    urllib.request.urlopen(f"http://127.0.0.1:{PORT}{path}", timeout=120).read()
    return time.perf_counter() - started


def _wait() -> None:
    for _ in range(1200):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{PORT}/static/studio.css", timeout=5).read()
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(
        "the studio did not start within a minute. Try: run `llm-data studio` by hand"
    )


if __name__ == "__main__":
    main()
