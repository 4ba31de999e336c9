"""Which documents go, and which kept document each of them repeats."""

from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from llm_data_assets.dedup.bands import band_keys, check_bands
from llm_data_assets.dedup.minhash import shingle_sets
from llm_data_assets.dedup.settle import join_by_buckets, new_state, settle

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
    in_order = documents.select(["doc_id", "source", "text_hash", "n_shingles"]).take(order)
    # Documents of different scopes never meet.
    scopes = pc.dictionary_encode(in_order["source"].combine_chunks()).indices.to_numpy()
    scopes = scopes.astype(np.uint64) * np.uint64(scope == "within")
    sizes = in_order["n_shingles"].to_numpy()
    first = _first_of_same_text(in_order["text_hash"], scopes)
    originals = np.flatnonzero((first == np.arange(len(first))) & (sizes > 0))
    members, buckets = _shared_buckets(
        _signature_matrix(documents["signature"]), order[originals], scopes[originals], bands, rows
    )

    def shingles_of(which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        wanted = order[originals[which]]
        fetched = texts(wanted)
        if len(fetched) != len(wanted):
            raise ValueError(
                f"texts() gave {len(fetched)} texts for {len(wanted)} rows. "
                "Try: one text for each row asked for, in that order"
            )
        return shingle_sets(fetched, ngram=ngram)

    partner = np.where(first == np.arange(len(first)), -1, first)
    similarity = np.ones(len(first))
    for documents_, repeated, alike in _near(
        first, originals, sizes, members, buckets, shingles_of, threshold
    ):
        partner[documents_], similarity[documents_] = repeated, alike
    gone = np.flatnonzero(partner >= 0)
    kept = in_order.take(partner[gone])
    exact = partner[gone] == first[gone]
    return pa.table(
        {
            "doc_id": in_order["doc_id"].take(gone),
            "source": in_order["source"].take(gone),
            "kept_doc_id": kept["doc_id"],
            "kept_source": kept["source"],
            "similarity": similarity[gone],
            "method": pc.if_else(pa.array(exact), "exact", "near"),
        },
        schema=_FOUND,
    )


def _total_order(documents: pa.Table) -> np.ndarray:
    """Rows in the order that decides who stays, int64[n]; null qualities come last."""
    if pc.count_distinct(documents["doc_id"]).as_py() < documents.num_rows:
        counts = pc.value_counts(documents["doc_id"])
        twice = counts.filter(pc.greater(counts.field("counts"), 1)).field("values")
        raise ValueError(
            f"doc_id {pc.min(twice).as_py()!r} stands in several rows ({len(twice)} such ids). "
            "Try: one row a document; ids are unique across sources"
        )
    keys = [("priority", "ascending"), ("quality", "descending"), ("doc_id", "ascending")]
    return pc.sort_indices(documents, sort_keys=keys).to_numpy()


def _first_of_same_text(text_hash: pa.ChunkedArray, scopes: np.ndarray) -> np.ndarray:
    """For each document in order the first with the same text and scope, int64[n]."""
    codes = pc.dictionary_encode(text_hash.combine_chunks()).indices.to_numpy().astype(np.uint64)
    groups = scopes * np.uint64(len(codes)) + codes
    _, index, inverse = np.unique(groups, return_index=True, return_inverse=True)
    return index[inverse]


def _signature_matrix(signature: pa.ChunkedArray) -> np.ndarray:
    """uint32[n, num_perm], without a copy where the column is one chunk."""
    n = len(signature)
    chunks = [_signature_values(chunk) for chunk in signature.chunks if len(chunk)]
    values = chunks[0] if len(chunks) == 1 else np.concatenate([np.empty(0, np.uint32), *chunks])
    if n and (len(values) % n or signature.null_count):
        raise ValueError(
            f"{len(values)} signature values for {n} documents: lengths differ or some are null. "
            "Try: signatures of one num_perm for all documents"
        )
    return values.reshape(n, -1 if n else 0)


def _signature_values(signature: pa.Array) -> np.ndarray:
    if not pa.types.is_binary(signature.type):
        return signature.flatten().to_numpy()
    _, offsets, data = signature.buffers()
    start, stop = np.frombuffer(offsets, np.int32)[
        [signature.offset, signature.offset + len(signature)]
    ]
    return np.frombuffer(data, np.uint8)[start:stop].view("<u4")


def _shared_buckets(
    signatures: np.ndarray, rows_of: np.ndarray, scopes: np.ndarray, bands: int, rows: int
) -> tuple[np.ndarray, np.ndarray]:
    """(document, bucket) for every document that is not alone in a bucket, int32[k] each.

    Documents are numbered as in `rows_of`, which says their rows of `signatures`; buckets of all
    bands are numbered through.
    """
    members, numbers, n_buckets = [], [], 0
    if len(signatures):
        check_bands(bands, rows, signatures.shape[1])
    for band in range(bands if len(rows_of) else 0):
        values = signatures[:, band * rows : (band + 1) * rows]
        keys = band_keys(values, bands=1, rows=rows)[rows_of, 0]
        keys += scopes * np.uint64(0x9E3779B185EBCA87)
        by_key = np.argsort(keys)
        keys = keys[by_key]
        as_before = np.concatenate([[False], keys[1:] == keys[:-1]])
        is_shared = as_before | np.append(as_before[1:], False)
        starts = is_shared & ~as_before
        members.append(by_key[is_shared].astype(np.int32))
        numbers.append((np.cumsum(starts)[is_shared] + (n_buckets - 1)).astype(np.int32))
        n_buckets += int(starts.sum())
    empty = np.empty(0, np.int32)
    return np.concatenate([empty, *members]), np.concatenate([empty, *numbers])


def _near(
    first: np.ndarray,
    originals: np.ndarray,
    sizes: np.ndarray,
    members: np.ndarray,
    buckets: np.ndarray,
    shingles_of: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    threshold: float,
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Decide about all documents that share a bucket, and their copies, batch by batch.

    Yields:
        documents int64[k]; the document each repeats or -1; their similarity, float64[k].
    """
    if len(members) == 0:
        return
    n, n_buckets = len(originals), int(buckets.max()) + 1
    bucket_offsets, buckets, component = join_by_buckets(members, buckets, n, n_buckets)
    number = np.full(len(first), -1, np.int64)
    number[originals] = np.arange(n)
    of = number[first]
    documents = np.flatnonzero((of >= 0) & (np.diff(bucket_offsets)[of] > 0))
    documents = documents[np.argsort(component[of[documents]], kind="stable")]
    has_copies = np.bincount(of[documents], minlength=n) > 1
    state = new_state(n, n_buckets, len(buckets))
    is_new = first[documents] == documents
    batch = np.cumsum(np.where(is_new, sizes[documents], 0)) // _BATCH_SHINGLES
    for some in np.split(documents, np.flatnonzero(np.diff(batch)) + 1):
        values, offsets = shingles_of(of[some[first[some] == some]])
        used, arena = state.marks[1], state.arena
        if used + len(values) > len(arena):
            arena = np.concatenate([arena[:used], np.empty(used + len(values), np.uint64)])
            state = state._replace(arena=arena)
        partner, similarity = settle(
            of[some],
            component,
            values,
            offsets,
            bucket_offsets,
            buckets,
            has_copies,
            threshold,
            state,
        )
        yield some, np.where(partner < 0, -1, originals[partner]), similarity
