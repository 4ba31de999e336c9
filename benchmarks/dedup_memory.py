"""Ten million synthetic signatures: time and peak memory of the choice of duplicates.

    python benchmarks/dedup_memory.py [--documents 10000000] [--alike 0.1] [--scratch FOLDER]

Signatures are made a block at a time and only their band keys are kept, in a mapped file, as the
stage `duplicates` keeps them; `alike` of the documents repeat another one's signature. What is
compared are small synthetic shingle sets: the point is what grows with the number of documents.
What must be held is counted apart from mapped pages, which the system may put aside at any time
(RssAnon and RssFile of /proc/self/status, looked at twenty times a second).
"""

import argparse
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from llm_data_assets.dedup.bands import band_keys
from llm_data_assets.dedup.choose import find_duplicates

NUM_PERM, BANDS, ROWS, BLOCK, SHINGLES = 112, 14, 8, 100_000, 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=10_000_000)
    parser.add_argument("--alike", type=float, default=0.1)
    parser.add_argument("--scratch", type=Path, default=None, help="a folder with room")
    options = parser.parse_args()
    n = options.documents
    choose(BLOCK, options.alike, options.scratch)  # compiles, or reads Numba's cache
    threading.Thread(target=_watch, daemon=True).start()
    time.sleep(0.2)
    before = dict(_PEAK)
    seconds, found, described = choose(n, options.alike, options.scratch)
    print(
        f"{n:,} documents, {found:,} go: keys {seconds[0]:.1f} CPU-s, "
        f"choice {seconds[1]:.1f} CPU-s; columns of the documents {described / 1e9:.2f} GB, "
        f"keys on disk {n * BANDS * 8 / 1e9:.2f} GB"
    )
    for kind, name in (("RssAnon", "held"), ("RssFile", "mapped")):
        print(
            f"peak {name} {_PEAK[kind] / 1e9:.2f} GB (before {before[kind] / 1e9:.2f} GB), "
            f"{(_PEAK[kind] - before[kind]) / n:.0f} bytes a document"
        )


def choose(n: int, alike: float, scratch: Path | None) -> tuple[tuple[float, float], int, int]:
    """CPU-seconds of keys and choice, documents that go, bytes of the documents' columns."""
    with tempfile.TemporaryFile(dir=scratch) as file:
        keys = np.memmap(file, np.uint64, "w+", shape=(BANDS, n))
        random = np.random.default_rng(1)
        started = time.process_time()
        making = 0.0
        for start in range(0, n, BLOCK):
            began = time.process_time()
            signatures = random.integers(0, 1 << 32, (min(BLOCK, n - start), NUM_PERM), np.uint32)
            copies = random.permutation(len(signatures))[: int(alike * len(signatures))]
            signatures[copies] = signatures[random.integers(0, len(signatures), len(copies))]
            making += time.process_time() - began
            keys[:, start : start + BLOCK] = band_keys(signatures, bands=BANDS, rows=ROWS).T
        keys.flush()
        for_keys = time.process_time() - started - making
        documents = _documents(n, random)
        started = time.process_time()
        found = find_duplicates(documents, list(keys), _sets, threshold=0.8)
        return (for_keys, time.process_time() - started), found.num_rows, documents.nbytes


def _documents(n: int, random: np.random.Generator) -> pa.Table:
    hashes = pa.py_buffer(random.integers(0, 1 << 63, 2 * n, np.uint64))
    ids = [
        pa.array([f"web/{i:012}" for i in range(at, min(n, at + BLOCK))])
        for at in range(0, n, BLOCK)
    ]
    one = pa.DictionaryArray.from_arrays(np.zeros(n, np.int32), ["web"])
    return pa.table(
        {
            "doc_id": pa.chunked_array(ids),
            "source": one,
            "scope": one,
            "priority": np.zeros(n, np.int32),
            "quality": pa.nulls(n, pa.float64()),
            "text_hash": pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), n, [None, hashes]),
            "n_shingles": np.full(n, SHINGLES, np.int32),
        }
    )


def _sets(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same small set for every document: all that meet are found alike."""
    values = np.tile(np.arange(SHINGLES, dtype=np.uint64), len(rows))
    return values, np.arange(len(rows) + 1) * SHINGLES


_PEAK = {"RssAnon": 0, "RssFile": 0}


def _watch() -> None:
    while True:
        for line in Path("/proc/self/status").read_text().splitlines():
            kind, _, value = line.partition(":")
            if kind in _PEAK:
                _PEAK[kind] = max(_PEAK[kind], int(value.split()[0]) * 1024)
        time.sleep(0.05)


if __name__ == "__main__":
    main()
