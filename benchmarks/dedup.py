"""Deduplication beside datasketch: same texts, same run, CPU-seconds on one core.

    python benchmarks/dedup.py [FOLDER] [--peer-megabytes 4]

FOLDER is searched for text (`*.py *.txt *.md *.rst`); without it, the Python standard library's
own sources. What datasketch does in minutes it does on a sample of the same texts; the ratio
compares megabytes (or documents) a second. For the compile time of all kernels, set NUMBA_CACHE_DIR
to an empty folder.
"""

import argparse
import os
import platform
import sys
import sysconfig
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa
from datasketch import MinHash, MinHashLSH

from llm_data_assets.dedup.choose import find_duplicates
from llm_data_assets.dedup.codepoints import code_points
from llm_data_assets.dedup.exact import text_hashes
from llm_data_assets.dedup.minhash import shingle_counts, shingles, signatures

NUM_PERM, BANDS, ROWS, THRESHOLD = 112, 14, 8, 0.8
# Documents of a web page's size, cut from the files.
DOCUMENT_CHARACTERS = 4000


def main() -> None:
    options = _options()
    texts = _texts(options.folder)
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    sample = texts[: max(1, int(len(texts) * min(1.0, options.peer_megabytes / megabytes)))]
    sample_megabytes = sum(len(text.encode()) for text in sample) / 1e6
    print(_machine())
    print(f"input: {options.folder}, {len(texts)} documents, {megabytes:.1f} MB")
    print(f"datasketch's input: the first {len(sample)} of them, {sample_megabytes:.1f} MB")
    print(
        f"first run of each kernel (compiled, or read from Numba's cache): {_warm_up():.2f} CPU-s"
    )
    print()

    array = pa.array(texts)
    shingled = [shingles(text) for text in sample]
    fast, fast_seconds = _timed(lambda: signatures(array, num_perm=NUM_PERM))
    same, same_seconds = _timed(lambda: signatures(array, num_perm=NUM_PERM, scheme="datasketch"))
    peer, peer_seconds = _timed(lambda: MinHash.bulk(shingled, num_perm=NUM_PERM), repeats=1)
    assert np.array_equal(same[: len(sample)], [each.hashvalues for each in peer])
    _, shingle_seconds = _timed(lambda: [shingles(text) for text in sample], repeats=1)
    hashes, hash_seconds = _timed(lambda: text_hashes(array))
    counts, count_seconds = _timed(lambda: shingle_counts(array))

    peer_rate = sample_megabytes / peer_seconds
    print(f"{'signatures, 112 permutations, 5 words':44}{'MB/s':>9}{'ratio':>9}")
    _line("datasketch, texts already shingled", peer_rate, peer_rate)
    _line(
        "datasketch and plain shingling",
        sample_megabytes / (peer_seconds + shingle_seconds),
        peer_rate,
    )
    _line("here, scheme 'datasketch' (equal values)", megabytes / same_seconds, peer_rate)
    _line("here, scheme 'fast'", megabytes / fast_seconds, peer_rate)
    _line("here, exact hashes", megabytes / hash_seconds, peer_rate)
    _line("here, distinct shingles counted", megabytes / count_seconds, peer_rate)
    print()

    documents = _documents(texts, fast, hashes, counts)
    found, seconds = _timed(
        lambda: find_duplicates(
            documents,
            lambda rows: array.take(pa.array(rows)),
            threshold=THRESHOLD,
            bands=BANDS,
            rows=ROWS,
        ),
    )
    sketches = [
        MinHash(hashvalues=values, scheme="affine32", permutations=peer[0].permutations)
        for values in fast
    ]
    candidates, lsh_seconds = _timed(lambda: _lsh_candidates(sketches), repeats=1)
    rate = len(texts) / lsh_seconds
    print(f"{'from signatures to duplicates, 14 x 8':44}{'docs/s':>9}{'ratio':>9}")
    _line(f"datasketch MinHashLSH: {candidates} candidates", rate, rate)
    _line(f"here: {found.num_rows} duplicates, verified", len(texts) / seconds, rate)


def _lsh_candidates(sketches: list[MinHash]) -> int:
    """Documents that meet an earlier kept one, unverified: what MinHashLSH answers by itself."""
    index = MinHashLSH(num_perm=NUM_PERM, params=(BANDS, ROWS))
    gone = 0
    for number, sketch in enumerate(sketches):
        if index.query(sketch):
            gone += 1
        else:
            index.insert(number, sketch, check_duplication=False)
    return gone


def _documents(
    texts: list[str], values: np.ndarray, hashes: pa.Array, counts: np.ndarray
) -> pa.Table:
    n = len(texts)
    return pa.table(
        {
            "doc_id": [f"{i:09}" for i in range(n)],
            "source": pa.repeat("benchmark", n),
            "priority": np.zeros(n, np.int32),
            "quality": pa.nulls(n, pa.float64()),
            "text_hash": hashes,
            "n_shingles": counts,
            "signature": pa.FixedSizeListArray.from_arrays(values.ravel(), NUM_PERM).cast(
                pa.list_(pa.uint32())
            ),
        }
    )


def _warm_up() -> float:
    """CPU-seconds until every kernel has run once."""
    code_points()
    texts = pa.array(["some words of a first text, to compile for", "and of a second"] * 2)
    started = time.process_time()
    signatures(texts, scheme="datasketch")
    values = signatures(texts, num_perm=NUM_PERM)
    find_duplicates(
        _documents(texts.to_pylist(), values, text_hashes(texts), shingle_counts(texts)),
        lambda rows: texts.take(pa.array(rows)),
        threshold=THRESHOLD,
        bands=BANDS,
        rows=ROWS,
    )
    return time.process_time() - started


def _timed(work: Callable[[], object], repeats: int = 3) -> tuple:
    """The answer, and the CPU-seconds of the fastest of `repeats` runs."""
    seconds = []
    for _ in range(repeats):
        started = time.process_time()
        answer = work()
        seconds.append(time.process_time() - started)
    return answer, min(seconds)


def _line(name: str, rate: float, peer: float) -> None:
    print(f"{name:44}{rate:9.1f}{rate / peer:9.1f}")


def _texts(folder: Path) -> list[str]:
    files = sorted(
        path
        for pattern in ("*.py", "*.txt", "*.md", "*.rst")
        for path in folder.rglob(pattern)
        if "site-packages" not in path.relative_to(folder).parts
    )
    texts = [path.read_text(encoding="utf-8", errors="ignore") for path in files if path.is_file()]
    if not any(texts):
        sys.exit(f"no text in {folder}. Try: a folder with .py, .txt, .md or .rst files")
    return [
        text[start : start + DOCUMENT_CHARACTERS]
        for text in texts
        for start in range(0, len(text), DOCUMENT_CHARACTERS)
    ]


def _machine() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    packages = ("numba", "numpy", "pyarrow", "datasketch", "xxhash")
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    model = models[0] if models else platform.machine()
    return (
        f"machine: {os.cpu_count()} cores, {model}; Python {platform.python_version()}, {versions}"
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    stdlib = Path(sysconfig.get_path("stdlib"))
    parser.add_argument("folder", nargs="?", type=Path, default=stdlib)
    parser.add_argument("--peer-megabytes", type=float, default=4.0, help="datasketch's sample")
    return parser.parse_args()


if __name__ == "__main__":
    main()
