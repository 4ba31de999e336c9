"""Pairs in the layout of COYO, from raw rows to those worth fetching.

`python benchmarks/media.py [ROWS]`.

The pairs are made here: captions of Zipf-distributed words, one in ten a known address, one in ten
a perceptual hash that differs in up to three bits from an earlier one. Stages run through the lake,
as `llm-data run` runs them, without Dagster. CPU-seconds are those of this process and its
children. At the end the hashes are compared by brute force over numpy, on a part of the pairs.
"""

import os
import platform
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from llm_data_assets.config.workspace import open_workspace
from llm_data_assets.media.repeats import find_repeats
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import materialise

BRANCH = [name for name, stage in STAGES.items() if stage.branch == "media"]
BITS = 3


def hashes_of(n: int, rng: np.random.Generator) -> np.ndarray:
    """uint64[n], one in ten up to three bits from an earlier one."""
    hashes = rng.integers(0, 2**64, n, np.uint64)
    for row in range(10, n, 10):
        flips = rng.integers(0, 64, int(rng.integers(0, BITS + 1)))
        mask = np.bitwise_or.reduce(np.uint64(1) << flips.astype(np.uint64), initial=np.uint64(0))
        hashes[row] = hashes[int(rng.integers(row))] ^ mask
    return hashes


def write_pairs(path: Path, n: int) -> None:
    """COYO rows with captions of 4 to 20 words."""
    rng = np.random.default_rng(1)
    vocabulary = np.array([f"word{i}" for i in range(30_000)])
    lengths = rng.integers(4, 21, n)
    drawn = vocabulary[rng.zipf(1.3, int(lengths.sum())) % len(vocabulary)]
    captions = [" ".join(part) for part in np.split(drawn, np.cumsum(lengths)[:-1])]
    numbers = np.where(np.arange(n) % 10 == 9, rng.integers(0, n, n), np.arange(n))
    table = {
        "id": np.arange(n),
        "url": [f"https://pictures.example.org/{number}.jpg" for number in numbers],
        "text": captions,
        "width": rng.integers(150, 2_000, n),
        "height": rng.integers(150, 2_000, n),
        "image_phash": [f"{each:016x}" for each in hashes_of(n, rng)],
        "clip_similarity_vitb32": rng.uniform(0.2, 0.4, n),
        "nsfw_score_opennsfw2": rng.uniform(0, 0.6, n),
        "watermark_score": rng.uniform(0, 1, n),
        "aesthetic_score_laion_v2": rng.uniform(3, 7, n),
    }
    pq.write_table(pa.table(table), path, row_group_size=50_000)


def cpu_seconds() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def brute_force(n: int) -> None:
    """All pairs of hashes by numpy against the search by parts: same answers, and the ratio."""
    hashes = hashes_of(n, np.random.default_rng(2))
    rows = pa.table(
        {
            "kind": pa.repeat("image", n),
            "url": pa.nulls(n, pa.string()),
            "phash": [f"{each:016x}" for each in hashes],
            "caption": pa.repeat("", n),
        }
    )

    def ours() -> np.ndarray:
        order = np.arange(n)
        return find_repeats(rows, order, url=False, phash_bits=BITS, captions_of=())[0]

    ours()  # compiled
    started = time.process_time()
    partner = ours()
    parts = time.process_time() - started
    started = time.process_time()
    gone = np.zeros(n, np.bool_)
    for row in range(1, n):
        near = np.bitwise_count(hashes[:row] ^ hashes[row]) <= BITS
        gone[row] = (near & ~gone[:row]).any()
    plain = time.process_time() - started
    assert np.array_equal(gone, partner >= 0)
    print(f"{n:,} hashes: by parts {parts:.2f} s, numpy brute force {plain:.2f} s, "
          f"{plain / parts:.0f} to 1")  # fmt: skip


def main(n: int) -> None:
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_pairs(folder / "pairs.parquet", n)
        (folder / "catalog.yaml").write_text(
            "sources: {pairs: {format: coyo, uris: [pairs.parquet], license: CC-BY-4.0}}\n"
        )
        (folder / "pipeline.yaml").write_text("{}\n")
        workspace = open_workspace(
            folder / "home", folder / "catalog.yaml", folder / "pipeline.yaml"
        )
        for stage_name in BRANCH:
            stage = STAGES[stage_name]
            for partition in stage.partitions(workspace):
                before = cpu_seconds()
                done = materialise(stage, partition, workspace)
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
                print(f"{stage_name:16} {cpu_seconds() - before:7.1f} CPU-s  "
                      f"{done.outcome.docs:9,} of {done.outcome.docs_in:9,}  "
                      f"peak {peak:,} MiB so far")  # fmt: skip
    brute_force(min(n, 20_000))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
