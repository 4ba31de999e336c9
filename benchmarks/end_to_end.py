"""The whole way beside datatrove's local executor: raw text in, token ids out, one core each.

    python benchmarks/end_to_end.py CORPUS.parquet [--megabytes 160] [--wheel dist/X.whl]

CORPUS has columns `name` and `text` (see `text_corpus.py`); of its English documents so many are
taken, in the order of a hash of their names, that a small part is of all packages too. Both sides
read the same Parquet file, remove near-duplicates (14 x 8 of 112 permutations over 5-word
shingles), apply Gopher's, C4's and FineWeb's rules, measuring only what these ask for, and encode
with the same BPE vocabulary: here as a SentencePiece model, there as the `tokenizer.json` made of
it. Each side is a process of its own, start-up included; CPU-seconds and peak memory are the
operating system's, children counted. Ours runs with no kernel compiled yet; given the wheel of
`make wheel`, as its first run after it was installed; and as every later run finds things: before
datatrove, after it, and every five minutes while it runs, for which it is stopped. The mean of
these counts: the pace of a machine that others share changes by half within an hour, and so both
sides have their share of each pace.

Peers, from PyPI: `pip install 'datatrove[processing]' orjson spacy tokenizers`, in a virtual
environment of its own: the `fasttext-numpy2-wheel` that comes with them takes the place of the
language model used here, and is to be removed again.
"""

import argparse
import gzip
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash
from measure import machine

from llm_data_assets.text.language import detect
from llm_data_assets.tokens.model_file import CONTROL, USER_DEFINED, read_model
from llm_data_assets.tokens.tokenizer import train

CATALOG = """sources:
  docs: {format: parquet, uris: [corpus.parquet], language: en, options: {id: name}}
"""
PIPELINE = """engine: {workers: 1}
dedup: {unit: word, ngram: 5, num_perm: 112, bands: 14, rows: 8, threshold: 0.72}
signals: {general: false}
rules: [fineweb]
edits: {lines: [policy, javascript, citation], personal_data: []}
tokenizer: {model: tokenizer.model}
"""
DATATROVE = """
import sys
from datatrove.executor.local import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import (
    MinhashConfig, MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter,
)
from datatrove.pipeline.filters import (
    C4QualityFilter, FineWebQualityFilter, GopherQualityFilter, GopherRepetitionFilter,
)
from datatrove.pipeline.readers import ParquetReader
from datatrove.pipeline.tokens import DocumentTokenizer
from datatrove.pipeline.writers import JsonlWriter
from datatrove.utils.hashing import HashConfig

if __name__ == "__main__":
    root = sys.argv[1]
    # xxhash, its default, refuses text since release 4.
    config = MinhashConfig(n_grams=5, num_buckets=14, hashes_per_bucket=8,
                           hash_config=HashConfig(hash_fc="sha1"))
    removed = {name: JsonlWriter(f"{root}/removed/{name}")
               for name in ("duplicate", "repetition", "gopher", "c4", "fineweb")}
    read = ParquetReader(root, glob_pattern="corpus.parquet", id_key="name")
    steps = [
        ([read, MinhashDedupSignature(f"{root}/signatures", config)], 1),
        ([MinhashDedupBuckets(f"{root}/signatures", f"{root}/buckets", config=config)], 14),
        ([MinhashDedupCluster(f"{root}/buckets", f"{root}/remove", config=config)], 1),
        ([read, MinhashDedupFilter(f"{root}/remove", removed["duplicate"]),
          GopherRepetitionFilter(exclusion_writer=removed["repetition"]),
          GopherQualityFilter(exclusion_writer=removed["gopher"]),
          C4QualityFilter(filter_no_terminal_punct=False, exclusion_writer=removed["c4"]),
          FineWebQualityFilter(exclusion_writer=removed["fineweb"]),
          DocumentTokenizer(f"{root}/tokens", f"{root}/tokenizer.json",
                            eos_token="</s>", shuffle_documents=False)], 1),
    ]
    for number, (pipeline, tasks) in enumerate(steps):
        LocalPipelineExecutor(pipeline, tasks=tasks, workers=1,
                              logging_dir=f"{root}/logs/{number}").run()
"""


_EVERY_SECONDS = 300.0


@dataclass
class Cost:
    """What a command used, with all processes it started."""

    cpu_seconds: float
    peak_mib: float


def main() -> None:
    options = _options()
    print(machine("numba", "dagster", "datatrove", "spacy", "tokenizers"), flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        size = _inputs(options.corpus, options.megabytes, folder)
        later = {"NUMBA_CACHE_DIR": str(folder / "kernels")}
        ours = {"here, nothing compiled yet": _run_ours(folder, "cold", later)}
        if options.wheel:
            later = {"PYTHONPATH": str(_install(options.wheel, folder))}
            ours["here, first run of the wheel"] = _run_ours(folder, "installed", later)
        for name, cost in ours.items():
            print(f"{name}: {cost.cpu_seconds:.1f} CPU-s", flush=True)
        (folder / "peer.py").write_text(DATATROVE)
        runs = [_run_ours(folder, "home", later)]
        peer = _start([sys.executable, "peer.py", str(folder)], folder, {})
        try:
            while (cost := _end(peer, _EVERY_SECONDS)) is None:
                os.killpg(peer.pid, signal.SIGSTOP)
                runs.append(_run_ours(folder, f"again {len(runs)}", later))
                os.killpg(peer.pid, signal.SIGCONT)
        finally:
            if peer.poll() is None:
                os.killpg(peer.pid, signal.SIGKILL)
        runs.append(_run_ours(folder, f"again {len(runs)}", later))
        print("here, in turns:", *(f"{run.cpu_seconds:.1f}" for run in runs), flush=True)
        ours["here"] = Cost(
            sum(run.cpu_seconds for run in runs) / len(runs), max(run.peak_mib for run in runs)
        )
        print(f"\n{'':36}{'CPU-s':>9}{'MB/CPU-s':>10}{'peak MiB':>10}{'ratio':>8}")
        for name, each in {"datatrove": cost, **ours}.items():
            _row(name, each, size, cost)
        _differences(folder)


def _inputs(corpus: Path, megabytes: float, folder: Path) -> float:
    """The corpus and the tokenizer in both forms; returns the megabytes of text."""
    table = pq.read_table(corpus, columns=["name", "text"])
    table = table.set_column(1, "text", table["text"].cast(pa.large_string()))  # beyond 2 GB
    languages, _ = detect(table["text"].combine_chunks())
    table = table.filter(pc.equal(languages, "en"))
    hashes = [xxhash.xxh64_intdigest(name.encode()) for name in table["name"].to_pylist()]
    table = table.take(pa.array(np.argsort(np.array(hashes, np.uint64), kind="stable")))
    upto = pc.cumulative_sum(pc.binary_length(table["text"]).cast(pa.int64()))
    table = table.filter(pc.less_equal(upto, int(megabytes * 1e6)))
    pq.write_table(table, folder / "corpus.parquet")
    size = pc.sum(pc.binary_length(table["text"])).as_py() / 1e6
    print(f"input: {table.num_rows} English documents, {size:.1f} MB of text", flush=True)
    every = max(1, int(size / 10))
    sample = table["text"].take(pa.array(range(0, table.num_rows, every))).to_pylist()
    model = train(sample, vocab_size=32_000)
    (folder / "tokenizer.model").write_bytes(model)
    (folder / "tokenizer.json").write_text(json.dumps(_as_json(model)), encoding="utf-8")
    (folder / "catalog.yaml").write_text(CATALOG)
    (folder / "pipeline.yaml").write_text(PIPELINE)
    return size


def _as_json(model: bytes) -> dict[str, object]:
    """A SentencePiece BPE model as `tokenizer.json`, as transformers converts LLaMA's."""
    about = read_model(model)
    names = [piece.decode() for piece in about.pieces]
    ids = {name: number for number, name in enumerate(names)}
    whole = {CONTROL, USER_DEFINED}
    merges = [
        (-about.scores[number], ids[name[:at]], ids[name[at:]], [name[:at], name[at:]])
        for number, name in enumerate(names)
        if about.types[number] not in whole
        for at in range(1, len(name))
        if name[:at] in ids and name[at:] in ids
    ]
    added = [
        {"id": number, "content": name, "single_word": False, "lstrip": False, "rstrip": False,
         "normalized": False, "special": about.types[number] == CONTROL}
        for number, name in enumerate(names)
        if about.types[number] in whole
    ]  # fmt: skip
    return {
        "version": "1.0",
        "added_tokens": added,
        "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"},
        "model": {
            "type": "BPE", "unk_token": names[0], "fuse_unk": True, "byte_fallback": True,
            "vocab": ids, "merges": [pair for *_, pair in sorted(merges)],
        },
    }  # fmt: skip


def _install(wheel: Path, folder: Path) -> Path:
    """The wheel in a folder of its own; what it needs is there already."""
    to = folder / "installed_wheel"
    install = ["pip", "install", "--quiet", "--no-deps", "--target", str(to), str(wheel)]
    subprocess.run([sys.executable, "-m", *install], check=True)
    return to


def _run_ours(folder: Path, home: str, environment: dict[str, str]) -> Cost:
    command = [sys.executable, "-m", "llm_data_assets.cli", "run", "--to", "tokenized_corpus"]
    places = {
        "LLM_DATA_HOME": str(folder / home),
        "LLM_DATA_CATALOG": str(folder / "catalog.yaml"),
        "LLM_DATA_PIPELINE": str(folder / "pipeline.yaml"),
    }
    cost = _end(_start(command, folder, {**environment, **places}))
    assert cost is not None
    return cost


def _start(command: list[str], folder: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    """A command in a session of its own, whose cost is said at its end."""
    measured = (
        "import os, resource, subprocess, sys; "
        "done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE); "
        "used = resource.getrusage(resource.RUSAGE_CHILDREN); "
        "sys.stderr.buffer.write(done.stderr[-2000:] if done.returncode else b''); "
        "print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024); "
        "sys.exit(done.returncode)"
    )
    return subprocess.Popen(
        [sys.executable, "-c", measured, *command],
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _end(process: subprocess.Popen[str], seconds: float | None = None) -> Cost | None:
    """What it cost, None while it runs; its peak is that of its largest process."""
    try:
        said, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        return None
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    cpu_seconds, peak = said.split()
    return Cost(float(cpu_seconds), float(peak))


def _row(name: str, cost: Cost, size: float, peer: Cost) -> None:
    ratio = peer.cpu_seconds / cost.cpu_seconds
    print(
        f"{name:36}{cost.cpu_seconds:9.1f}{size / cost.cpu_seconds:10.2f}"
        f"{cost.peak_mib:10.0f}{ratio:8.1f}"
    )


def _differences(folder: Path) -> None:
    """Which documents only one side kept, and for what reason the other let them go."""
    connection = duckdb.connect(str((folder / "home" / "catalog.duckdb").resolve()), read_only=True)
    strip = len("docs/")
    ours = {
        doc_id[strip:]: reason
        for doc_id, reason in connection.execute(
            "SELECT doc_id, arg_min(reason, position) FROM verdicts WHERE NOT kept GROUP BY doc_id"
        ).fetchall()
    }
    theirs = {}
    for path in sorted((folder / "removed").rglob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                theirs[record["id"]] = record["metadata"].get("filter_reason") or path.parent.name
    names = pq.read_table(folder / "corpus.parquet", columns=["name"])["name"].to_pylist()
    counts = Counter((name not in ours, name not in theirs) for name in names)
    print(
        f"\nkept by both {counts[True, True]}, by neither {counts[False, False]}, "
        f"here alone {counts[True, False]}, by datatrove alone {counts[False, True]}"
    )
    alone = Counter(theirs[name] for name in names if name in theirs and name not in ours)
    print("kept here alone, its reasons there:", dict(alone.most_common(8)))
    alone = Counter(ours[name] for name in names if name in ours and name not in theirs)
    print("kept there alone, its reasons here:", dict(alone.most_common(8)))
    tokens = connection.execute("SELECT sum(n_tokens) FROM tokenized_corpus").fetchone()
    written = sum(path.stat().st_size for path in (folder / "tokens").glob("*.ds")) // 2
    print(f"tokens: {tokens[0] if tokens else 0} here, {written} there")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--megabytes", type=float, default=160.0)
    parser.add_argument("--wheel", type=Path, help="what `make wheel` made")
    return parser.parse_args()


if __name__ == "__main__":
    main()
