"""What hostile input costs: one line of 100 MB, a million copies, giant boilerplate clusters.

python benchmarks/dedup_bad_input.py
"""

import time
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from llm_data_assets.dedup.bands import band_keys
from llm_data_assets.dedup.choose import find_duplicates
from llm_data_assets.dedup.exact import text_hashes
from llm_data_assets.dedup.minhash import shingle_sets, signed

THRESHOLD, BANDS, ROWS = 0.8, 14, 8


def main() -> None:
    words = [f"word{i}" for i in range(11_000_000)]
    line = pa.array([" ".join(words)[:100_000_000]], pa.large_string())
    del words
    _shown(
        "one line of 100 MB, signed and hashed",
        lambda: signed(line),
    )
    for n in (100_000, 1_000_000):
        copies = pa.array(["the same words again and again in every single document"] * n)
        _shown(f"{n:,} copies of one document", lambda copies=copies: _chosen(copies))
    for banner, own in ((230, 50), (247, 33)):  # of 280 words; none goes at 0.8
        shared = " ".join(f"banner{i}" for i in range(banner))
        alike = (banner - 4) / (2 * (banner + own - 4) - (banner - 4))
        for n in (5_000, 10_000, 20_000):
            pages = [f"{shared} " + " ".join(f"page{i}x{j}" for j in range(own)) for i in range(n)]
            _shown(
                f"{n:,} pages under one banner, J {alike:.2f}",
                lambda pages=pages: _chosen(pa.array(pages)),
            )


def _chosen(texts: pa.Array) -> str:
    values, counts, _ = signed(texts)
    n = len(texts)
    documents = pa.table(
        {
            "doc_id": [f"{i:09}" for i in range(n)],
            "source": pa.repeat("s", n),
            "scope": pa.repeat("", n),
            "priority": np.zeros(n, np.int32),
            "quality": pa.nulls(n, pa.float64()),
            "text_hash": text_hashes(texts),
            "n_shingles": counts,
        }
    )
    found = find_duplicates(
        documents,
        list(band_keys(values, bands=BANDS, rows=ROWS).T),
        lambda rows: shingle_sets(texts.take(pa.array(rows))),
        threshold=THRESHOLD,
    )
    return f"{found.num_rows:,} go"


def _shown(name: str, work: Callable[[], object]) -> None:
    started = time.process_time()
    answer = work()
    said = answer if isinstance(answer, str) else ""
    print(f"{name:48}{time.process_time() - started:8.2f} CPU-s  {said}", flush=True)


if __name__ == "__main__":
    main()
