"""Which documents go, and which kept document each of them repeats."""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from llm_data_assets.dedup.bands import band_keys, check_bands
from llm_data_assets.dedup.minhash import shingle_sets
from llm_data_assets.dedup.settle import join_by_buckets, settle

# Shingles compared in one batch: 64 MB of hashes, the texts behind them about as much.
_BATCH_SHINGLES = 8 << 20

_FOUND = pa.schema(
    [
        ("doc_id", pa.string()),
        ("source", pa.string()),
        ("kept_doc_id", pa.string()),
        ("kept_source", pa.string()),
        ("similarity", pa.float64()),
        ("method", pa.string()),
    ]
)


def find_duplicates(
    documents: pa.Table,
    texts: Callable[[np.ndarray], pa.Array],
    *,
    threshold: float,
    bands: int,
    rows: int,
    ngram: int = 5,
    scope: Literal["across", "within"] = "across",
) -> pa.Table:
    """Choose the documents that go, each with the kept document it repeats.

    Documents stand in a total order: priority ascending, quality descending (null last), doc_id
    ascending. A document goes if and only if a *kept* document before it is truly alike: it has the
    same text hash (`exact`, similarity 1.0), or agrees with it in a band of the signature and has
    at least `threshold` true Jaccard similarity of shingle sets (`near`). So there are no chains
    of strangers, and the answer depends on the set of documents alone: not on rows' order, and not
    on batches. Of several kept documents the most similar is named, of equals the first.

    Documents without shingles (no letters or digits) go only as exact duplicates.

    Cost: every text that shares a bucket is fetched once. A document is compared with the kept
    members of its buckets only, copies of one text once for all of them: 100,000 copies cost one
    pass. The worst case is a bucket of k documents that all stay (alike enough to meet, not to
    go): k * (k - 1) / 2 comparisons, most of which stop early.

    Memory: one band's keys at a time; then 64 MB of shingle hashes, with those of the kept
    documents of one component (documents joined by shared buckets, however indirectly).

    Args:
        documents: doc_id string, unique; source string; priority int32; quality float64, may be
            null; text_hash binary of 16 bytes; n_shingles int32; signature list<uint32> or binary
            (little-endian uint32 values).
        texts: gives the texts of rows of `documents`, in the order asked for.
        threshold: in (0, 1].
        bands, rows: of the signature; see `bands.hit_probability`.
        ngram: words in a shingle, as it was for the signatures.
        scope: `within` compares documents of the same source only.

    Returns:
        doc_id, source, kept_doc_id, kept_source string; similarity float64; method string: one
        row a document that goes, in the total order.

    Raises:
        ValueError: threshold or bands out of range, or a doc_id stands in two rows.
    """
    if not 0.0 < threshold <= 1.0:
        raise ValueError(f"threshold is {threshold}. Try: above 0, at most 1; 0.8 is usual")
    order = _total_order(documents)
    documents_in_order = documents.select(["doc_id", "source"]).take(order)
    signatures = _signatures(documents["signature"])
    check_bands(bands, rows, signatures.shape[1] if len(order) else bands * rows)
    first = _first_of_same_text(documents, order, scope)
    has_shingles = documents["n_shingles"].to_numpy()[order] > 0
    representatives = np.flatnonzero((first == np.arange(len(order))) & has_shingles)
    ...
