"""Deduplication beside datasketch, datatrove and scipy: same texts, same run, CPU-seconds.

    pip install datatrove spacy scipy
    python benchmarks/text_corpus.py FOLDER corpus.parquet     # says where to get 250 MB of text
    python benchmarks/dedup.py corpus.parquet [--peer-megabytes 3] [--lsh-documents 1000000]

Peers sign a sample of the same texts (every k-th document); ratios compare megabytes or documents
a CPU-second. From signatures on all have the same million documents: datasketch's LSH takes 70
seconds and some 8 GB for them each time, and is a sixth faster on 200,000. Each figure is the best
of several runs, peers and this package in turns. Compilation of the kernels comes first and is
shown apart: for a fresh one set NUMBA_CACHE_DIR to an empty folder. `end to end` alone takes wall
time for two workers, so leave the machine alone while it runs.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from datasketch import MinHash, MinHashLSH
from dedup_kernel_floor import kernel_and_floor
from dedup_stages import end_to_end
from dedup_truth import precision_of_removals, recall_by_similarity
from measure import machine
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from llm_data_assets.dedup.bands import band_keys
from llm_data_assets.dedup.choose import find_duplicates
from llm_data_assets.dedup.codepoints import code_points
from llm_data_assets.dedup.exact import folded, text_hashes
from llm_data_assets.dedup.minhash import shingle_sets, signatures, signed

NUM_PERM, BANDS, ROWS, THRESHOLD = 112, 14, 8, 0.8
AS_IT_IS = {"unit": "word", "normalised": "prepared"}
CUT_DOCUMENTS, CUT_CHARACTERS = 1_000_000, 250


def main() -> None:
    options = _options()
    texts = pq.read_table(options.corpus)["text"].combine_chunks()
    prepared = folded(texts)
    print(machine("numba", "numpy", "pyarrow", "datasketch", "datatrove", "scipy"))
    print(
        f"input: {len(texts)} documents, {megabytes(texts):.0f} MB; "
        f"normalised {megabytes(prepared):.0f} MB"
    )
    print(
        f"first run of each kernel (compiled, or read from Numba's cache): {_warm_up():.1f} CPU-s\n"
    )
    parts = {
        "signatures": lambda: compare_signatures(texts, prepared, options.peer_megabytes),
        "kernel": kernel_and_floor,
        "banding": lambda: compare_banding(texts, options.lsh_documents),
        "truth": lambda: (recall_by_similarity(texts), precision_of_removals(texts)),
        "stages": lambda: end_to_end(options.corpus),
    }
    for name in options.parts or parts:
        parts[name]()
        print()


def compare_signatures(texts: pa.Array, prepared: pa.Array, peer_megabytes: float) -> None:
    """datasketch is given prepared text, split into words at spaces and joined to shingles."""
    every = max(1, round(megabytes(prepared) / peer_megabytes))
    sample = prepared.take(pa.array(range(0, len(prepared), every)))
    raw_sample = texts.take(pa.array(range(0, len(texts), every)))
    plain, raw_plain = sample.to_pylist(), raw_sample.to_pylist()
    shingled = [datasketch_shingles(text) for text in plain]
    runs: dict[str, tuple[Callable[[], object], float, int]] = {
        "datasketch, update_batch": (
            lambda: [sketch(text) for text in plain],
            megabytes(sample),
            2,
        ),
        "datasketch, update a shingle": (
            lambda: [sketch_one_by_one(text) for text in plain],
            megabytes(sample),
            1,
        ),
        "datasketch bulk, shingled before": (
            lambda: MinHash.bulk(shingled, num_perm=NUM_PERM),
            megabytes(sample),
            2,
        ),
        "datatrove signature stage": (
            lambda: datatrove_signatures(raw_plain),
            megabytes(raw_sample),
            1,
        ),
        "here, identical to datasketch": (
            lambda: signatures(prepared, num_perm=NUM_PERM, scheme="datasketch", **AS_IT_IS),
            megabytes(prepared),
            3,
        ),
        "here, fast, prepared text": (
            lambda: signatures(prepared, num_perm=NUM_PERM, **AS_IT_IS),
            megabytes(prepared),
            3,
        ),
        "here, fast, raw text": (lambda: signatures(texts, num_perm=NUM_PERM), megabytes(texts), 3),
        "here, exact hashes, raw text": (lambda: text_hashes(texts), megabytes(texts), 3),
    }
    rates, answers = in_turns(runs)
    with_same = np.array([each.hashvalues for each in answers["datasketch, update_batch"]])
    assert np.array_equal(
        signatures(sample, num_perm=NUM_PERM, scheme="datasketch", **AS_IT_IS), with_same
    )
    print(
        f"{'signatures: 112 permutations, 5 words':40}"
        f"{'MB/s':>9}{'x datasketch':>14}{'x datatrove':>13}"
    )
    for name, rate in rates.items():
        ratios = (
            rate / rates["datasketch, update_batch"],
            rate / rates["datatrove signature stage"],
        )
        print(f"{name:40}{rate:9.2f}{ratios[0]:14.1f}{ratios[1]:13.0f}")
    print(
        f"(peers: {len(sample)} documents, {megabytes(sample):.1f} MB; identical values asserted)"
    )


def datasketch_shingles(text: str) -> list[bytes]:
    words = text.split(" ")
    return [
        " ".join(words[i : i + 5]).encode() for i in range(max(1, len(words) - 4) if text else 0)
    ]


def sketch(text: str) -> MinHash:
    found = MinHash(num_perm=NUM_PERM)
    shingles = datasketch_shingles(text)
    if shingles:
        found.update_batch(shingles)
    return found


def sketch_one_by_one(text: str) -> MinHash:
    found = MinHash(num_perm=NUM_PERM)
    for shingle in datasketch_shingles(text):
        found.update(shingle)
    return found


def datatrove_signatures(texts: list[str]) -> None:
    """Its pipeline step as FineWeb ran it: English words by spaCy, SHA-1, 14 x 8, to a folder.

    (Its default hash fails with xxhash 4, which wants bytes.)
    """
    from datatrove.data import Document
    from datatrove.pipeline.dedup import MinhashDedupSignature
    from datatrove.pipeline.dedup.minhash import HashConfig, MinhashConfig
    from loguru import logger

    logger.remove()
    with tempfile.TemporaryDirectory() as folder:
        step = MinhashDedupSignature(
            folder, MinhashConfig(hash_config=HashConfig(precision=64, hash_fc="sha1"))
        )
        step.run(iter([Document(text=text, id=str(i)) for i, text in enumerate(texts)]), 0, 1)


def compare_banding(texts: pa.Array, lsh_documents: int) -> None:
    """From signatures to who goes: a million documents cut from the texts, as they come."""
    pieces = cut(texts)
    values, counts, _ = signed(pieces, num_perm=NUM_PERM)
    documents = described(pieces, counts)

    def here() -> pa.Table:
        keys = band_keys(values, bands=BANDS, rows=ROWS)
        return find_duplicates(documents, list(keys.T), sets_of(pieces), threshold=THRESHOLD)

    def unverified() -> pa.Table:
        keys = band_keys(values, bands=BANDS, rows=ROWS)
        return find_duplicates(documents, list(keys.T), one_set, threshold=THRESHOLD)

    sketches = [MinHash(num_perm=NUM_PERM, hashvalues=row, scheme="affine32") for row in values[:1]]
    sketches = [
        MinHash(hashvalues=row, scheme="affine32", permutations=sketches[0].permutations)
        for row in values[:lsh_documents]
    ]
    rates, answers = in_turns(
        {
            "datasketch MinHashLSH, insert, then query": (lambda: lsh(sketches), len(sketches), 2),
            "datasketch MinHashLSH, insert what stays": (
                lambda: greedy_lsh(sketches),
                len(sketches),
                2,
            ),
            "argsort + scipy components": (lambda: components(values), len(values), 5),
            "here, banding and choice": (unverified, len(values), 5),
            "here, and candidates hashed and verified": (here, len(values), 3),
        },
    )
    lsh_rate = rates["datasketch MinHashLSH, insert, then query"]
    scipy_rate = rates["argsort + scipy components"]
    found, met = (answers[name] for name in list(rates)[-1:-3:-1])
    print(f"{'signatures to duplicates: 14 x 8':44}{'docs/s':>12}{'x LSH':>9}{'x scipy':>9}")
    for name, rate in rates.items():
        print(f"{name:44}{rate:12,.0f}{rate / lsh_rate:9.1f}{rate / scipy_rate:9.2f}")
    print(
        f"({len(values):,} documents, datasketch {len(sketches):,} of them; "
        f"{found.num_rows:,} duplicates, verified; by a band hit alone {met.num_rows:,}, "
        f"components would remove {answers['argsort + scipy components']:,})"
    )


def lsh(sketches: list[MinHash]) -> int:
    """As its documentation has it: insert all, then query each for the others it meets."""
    index = MinHashLSH(num_perm=NUM_PERM, params=(BANDS, ROWS))
    with index.insertion_session() as session:
        for number, each in enumerate(sketches):
            session.insert(number, each, check_duplication=False)
    return sum(len(index.query(each)) > 1 for each in sketches)


def greedy_lsh(sketches: list[MinHash]) -> int:
    """The least it can do for the question: what meets a kept document is not inserted."""
    index = MinHashLSH(num_perm=NUM_PERM, params=(BANDS, ROWS))
    gone = 0
    for number, each in enumerate(sketches):
        if index.query(each):
            gone += 1
        else:
            index.insert(number, each, check_duplication=False)
    return gone


def components(values: np.ndarray) -> int:
    """How many go if one of each connected component stays: sort each band, join neighbours."""
    left, right = [], []
    for band in range(BANDS):
        # A band's eight values as one key: multiply and add, as vectorised NumPy does it best.
        key = np.full(len(values), band + 1, np.uint64)
        for row in range(ROWS):
            key = key * np.uint64(0x9E3779B185EBCA87) + values[:, band * ROWS + row]
        order = np.argsort(key)
        key = key[order]
        same = np.flatnonzero(key[1:] == key[:-1])
        left.append(order[same])
        right.append(order[same + 1])
    pairs = (np.concatenate(left), np.concatenate(right))
    graph = coo_matrix((np.ones(len(pairs[0]), np.int8), pairs), shape=(len(values),) * 2)
    return len(values) - connected_components(graph, directed=False)[0]


def cut(texts: pa.Array) -> pa.Array:
    """A million documents of a few sentences, in order of the texts."""
    pieces: list[str] = []
    for text in texts.to_pylist():
        pieces += [text[i : i + CUT_CHARACTERS] for i in range(0, len(text), CUT_CHARACTERS)]
        if len(pieces) >= CUT_DOCUMENTS:
            break
    return pa.array(pieces[:CUT_DOCUMENTS])


def described(texts: pa.Array, counts: np.ndarray) -> pa.Table:
    n = len(texts)
    return pa.table(
        {
            "doc_id": [f"{i:09}" for i in range(n)],
            "source": pa.repeat("benchmark", n).dictionary_encode(),  # as the stage has them
            "scope": pa.repeat("", n).dictionary_encode(),
            "priority": np.zeros(n, np.int32),
            "quality": pa.nulls(n, pa.float64()),
            "text_hash": text_hashes(texts),
            "n_shingles": counts,
        }
    )


def sets_of(texts: pa.Array) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    return lambda rows: shingle_sets(texts.take(pa.array(rows)))


def one_set(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """No text is read, and a band hit is enough to go, as it is for the others."""
    return np.zeros(len(rows), np.uint64), np.arange(len(rows) + 1)


def in_turns(
    runs: dict[str, tuple[Callable[[], object], float, int]],
) -> tuple[dict[str, float], dict[str, object]]:
    """Amount a CPU-second of each run, the best of its repeats, and the last answers."""
    best: dict[str, float] = dict.fromkeys(runs, 0.0)
    answers: dict[str, object] = {}
    for turn in range(max(repeats for _, _, repeats in runs.values())):
        for name, (work, amount, repeats) in runs.items():
            if turn < repeats:
                started = time.process_time()
                answers[name] = work()
                best[name] = max(best[name], amount / (time.process_time() - started))
    return best, answers


def megabytes(texts: pa.Array) -> float:
    import pyarrow.compute as pc

    return (pc.sum(pc.binary_length(texts)).as_py() or 0) / 1e6


def _warm_up() -> float:
    """CPU-seconds until every kernel has run once."""
    code_points()
    texts = pa.array(["some words of a first text, to compile for", "and of a second"] * 2)
    started = time.process_time()
    signatures(texts, scheme="datasketch")
    values, counts, _ = signed(texts)
    keys = band_keys(values, bands=BANDS, rows=ROWS)
    find_duplicates(described(texts, counts), list(keys.T), sets_of(texts), threshold=THRESHOLD)
    return time.process_time() - started


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path, help="a Parquet file with a column `text`")
    parser.add_argument("--peer-megabytes", type=float, default=3.0, help="the peers' sample")
    parser.add_argument(
        "--lsh-documents", type=int, default=CUT_DOCUMENTS, help="of these, for datasketch's LSH"
    )
    parser.add_argument("--parts", nargs="*", help="signatures kernel banding truth stages")
    options = parser.parse_args()
    if not options.corpus.is_file():
        sys.exit(f"no file {options.corpus}. Try: python benchmarks/text_corpus.py FOLDER OUT")
    return options


if __name__ == "__main__":
    main()
