"""100,000 dialogues from raw rows to a selection: `python benchmarks/instructions.py [ROWS]`.

Needs the package alone (with `rapidfuzz` or `rouge_score` installed, its ROUGE-L stands beside ours
on the same pairs). The dialogues are made here: questions and answers of Zipf-distributed words in
English and Chinese, one in ten a variation of an earlier question. Stages run through the lake, as
`llm-data run` runs them, without Dagster. CPU-seconds are those of this process and its workers.
"""

import json
import multiprocessing
import os
import platform
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np

from llm_data_assets.config.workspace import open_workspace
from llm_data_assets.instructions.repeats import rouge_l
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import materialise

BRANCH = [name for name, stage in STAGES.items() if stage.branch == "instructions"]


def write_rows(path: Path, n: int) -> None:
    """Alpaca rows: questions of 6 to 20 words, answers of 20 to 200."""
    rng = np.random.default_rng(1)
    english = np.array([f"word{i}" for i in range(30_000)])
    chinese = np.array([chr(0x4E00 + i) for i in range(5_000)])
    starts = ("write", "explain", "what is", "how many", "list", "describe", "为什么", "请写")
    questions: list[list[str]] = []
    with path.open("w", encoding="utf-8") as stream:
        for row in range(n):
            vocabulary = chinese if row % 5 == 0 else english
            if row % 10 == 9:
                question = list(questions[int(rng.integers(len(questions)))])
                question[int(rng.integers(len(question)))] = str(rng.choice(vocabulary))
            else:
                places = rng.zipf(1.3, int(rng.integers(6, 21))) % len(vocabulary)
                question = [starts[int(rng.integers(len(starts)))], *vocabulary[places].tolist()]
            questions.append(question)
            places = rng.zipf(1.3, int(rng.integers(20, 201))) % len(vocabulary)
            said = {"instruction": " ".join(question), "input": "",
                    "output": " ".join(vocabulary[places].tolist())}  # fmt: skip
            stream.write(json.dumps(said, ensure_ascii=False) + "\n")


def cpu_seconds() -> float:
    """Of this process and of its workers, which live on between stages."""
    total = time.process_time()
    for worker in multiprocessing.active_children():
        fields = Path(f"/proc/{worker.pid}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def peers(n: int = 2_000) -> None:
    """ROUGE-L of pairs by the plain references; the stage above has the kernel."""
    rng = np.random.default_rng(2)
    texts = [" ".join(f"w{i}" for i in rng.integers(0, 50, 12)) for _ in range(n + 1)]
    pairs = list(pairwise(texts))
    started = time.process_time()
    for one, other in pairs:
        rouge_l(one, other)
    print(f"plain reference: {n / (time.process_time() - started):,.0f} pairs/s")
    try:
        from rouge_score.rouge_scorer import RougeScorer
    except ImportError:
        print("rouge_score is not installed: no peer")
        return
    scorer = RougeScorer(["rougeL"])
    started = time.process_time()
    for one, other in pairs:
        scorer.score(one, other)
    print(f"rouge_score: {n / (time.process_time() - started):,.0f} pairs/s")


def main(n: int) -> None:
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_rows(folder / "rows.jsonl", n)
        size = (folder / "rows.jsonl").stat().st_size
        (folder / "catalog.yaml").write_text(
            "sources: {made: {format: alpaca, uris: [rows.jsonl], license: CC0-1.0}}\n"
        )
        totals: dict[str, float] = {}
        started_cpu = cpu_seconds()
        for method in ("diverse", "clusters"):
            (folder / "pipeline.yaml").write_text(
                "engine: {shard_mb: 16}\n"
                f"instructions: {{select: {{method: {method}, n: {n // 10}}}}}\n"
            )
            workspace = open_workspace(
                folder / "home", folder / "catalog.yaml", folder / "pipeline.yaml"
            )
            wanted = BRANCH if method == "diverse" else ["selected_instructions"]
            for stage in wanted:
                for partition in STAGES[stage].partitions(workspace):
                    started, cpu = time.monotonic(), cpu_seconds()
                    done = materialise(STAGES[stage], partition, workspace)
                    wall = time.monotonic() - started
                    totals[method] = totals.get(method, 0) + wall
                    print(f"{method:9} {stage:24} {done.outcome.docs_in:>8,} -> "
                          f"{done.outcome.docs:>8,}  {wall:6.1f} s  "
                          f"{cpu_seconds() - cpu:6.1f} CPU s")  # fmt: skip
            if method == "diverse":
                print(f"{n:,} rows, {size / 1e6:,.0f} MB, to a diverse selection and its files: "
                      f"{totals[method]:.1f} s, {cpu_seconds() - started_cpu:.1f} CPU s; "
                      f"load {os.getloadavg()[0]:.1f}")  # fmt: skip
    peers()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
