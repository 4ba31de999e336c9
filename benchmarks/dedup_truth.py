"""How often similar documents meet, beside theory; how often what goes is really similar."""

from itertools import pairwise

import numpy as np
import pyarrow as pa

from llm_data_assets.dedup.bands import band_keys, hit_probability
from llm_data_assets.dedup.choose import find_duplicates
from llm_data_assets.dedup.exact import text_hashes
from llm_data_assets.dedup.minhash import shingle_sets, signatures, signed
from llm_data_assets.dedup.similarity import jaccard, similarity

BANDS, ROWS, THRESHOLD = 14, 8, 0.8
PAIRS, WORDS = 60_000, 200


def recall_by_similarity(texts: pa.Array) -> None:
    """Pieces of real text, each with a copy in which words at random places are replaced."""
    random = np.random.default_rng(1)
    originals, copies = _pairs(texts, random)
    keys = [_keys(each) for each in (originals, copies)]
    met = (keys[0] == keys[1]).any(axis=1)
    (a, a_ends), (b, b_ends) = shingle_sets(originals), shingle_sets(copies)
    true = np.array(
        [
            jaccard(a[a_ends[i] : a_ends[i + 1]], b[b_ends[i] : b_ends[i + 1]], 0.0)
            for i in range(len(originals))
        ]
    )
    theory = np.array([hit_probability(each, BANDS, ROWS) for each in true])
    print(f"{'true Jaccard':16}{'pairs':>8}{'found':>9}{'theory':>9}{'difference':>12}")
    edges = np.arange(0.4, 1.01, 0.05)
    for low, high in pairwise(edges):
        mine = (true >= low) & (true < high)
        found, expected = met[mine].mean(), theory[mine].mean()
        print(
            f"{low:.2f} to {high:.2f}    {mine.sum():8}{found:9.3f}{expected:9.3f}"
            f"{found - expected:+12.3f}"
        )


def precision_of_removals(texts: pa.Array) -> None:
    """Removals of planted and natural near-duplicates, counted again by plain sets of bytes."""
    random = np.random.default_rng(2)
    originals, copies = _pairs(texts, random)
    both = pa.concat_arrays([originals, copies])
    values, counts, _ = signed(both)
    keys = band_keys(values, bands=BANDS, rows=ROWS)
    n = len(both)
    documents = pa.table(
        {
            "doc_id": [f"{i:09}" for i in range(n)],
            "source": pa.repeat("benchmark", n),
            "scope": pa.repeat("", n),
            "priority": np.zeros(n, np.int32),
            "quality": pa.nulls(n, pa.float64()),
            "text_hash": text_hashes(both),
            "n_shingles": counts,
        }
    )
    found = find_duplicates(
        documents,
        list(keys.T),
        lambda rows: shingle_sets(both.take(pa.array(rows))),
        threshold=THRESHOLD,
    )
    sample = random.choice(found.num_rows, min(3000, found.num_rows), replace=False)
    rows = found.take(pa.array(sample)).to_pylist()
    right = sum(
        similarity(both[int(row["doc_id"])].as_py(), both[int(row["kept_doc_id"])].as_py())
        >= THRESHOLD
        for row in rows
    )
    hits = np.flatnonzero((keys[: len(originals)] == keys[len(originals) :]).any(axis=1))
    hits = random.choice(hits, min(3000, len(hits)), replace=False)
    bare = sum(similarity(originals[i].as_py(), copies[i].as_py()) >= THRESHOLD for i in hits)
    print(
        f"removals: {found.num_rows:,} of {n:,}; of {len(rows)} counted again by plain sets "
        f"{right / len(rows):.4f} reach {THRESHOLD} (a bare band hit: {bare / len(hits):.2f})"
    )


def _pairs(texts: pa.Array, random: np.random.Generator) -> tuple[pa.Array, pa.Array]:
    originals, copies = [], []
    for text in texts.to_pylist():
        words = text.split()
        for start in range(0, len(words) - WORDS, 7 * WORDS):
            piece = words[start : start + WORDS]
            changed = list(piece)
            # From nearly none to about one word in eight: Jaccard 0.3 to 1.
            for place in np.flatnonzero(random.random(WORDS) < random.random() * 0.12):
                changed[place] = f"{random.integers(1 << 40):x}"
            originals.append(" ".join(piece))
            copies.append(" ".join(changed))
        if len(originals) >= PAIRS:
            break
    return pa.array(originals), pa.array(copies)


def _keys(texts: pa.Array) -> np.ndarray:
    return band_keys(signatures(texts), bands=BANDS, rows=ROWS)
