"""Documents that cannot meet, not even through others, are chosen from by themselves.

A document is compared with those of its buckets. Parts that share no bucket may therefore be
settled side by side, and each in memory of its own size. What a part is changes no answer.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from llm_data_assets.dedup.settle import settle
from llm_data_assets.kernel import allocating, kernel

Map = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]
_PARTS = 64  # enough that a few dear ones leave no core waiting, few enough to cost nothing


class Part(NamedTuple):
    """What `settle` looks up of some originals, and the documents behind which they stand."""

    places: np.ndarray  # int64[k]: which of all documents these are, ascending
    originals: np.ndarray  # int32[n]: which of all originals, ascending
    documents: np.ndarray  # int32[k]: the original behind each, as numbered here
    bucket_offsets: np.ndarray  # int64[n + 1]
    buckets: np.ndarray  # int32[...], numbered in the order of their use within each kind
    kinds: np.ndarray  # int64[3]: how many buckets there are, exact, sure and others


def settle_parts(
    documents: np.ndarray,
    hashes: np.ndarray,
    starts: np.ndarray,
    ends: np.ndarray,
    bucket_offsets: np.ndarray,
    buckets: np.ndarray,
    kinds: np.ndarray,
    threshold: float,
    crowded: int,
    vectors: np.ndarray,
    clusters: np.ndarray,
    max_cosine: float,
    in_threads: Map = map,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The answer of `settle`, by parts.

    Args:
        kinds: int64[3], how many buckets there are that are exact, sure without being exact, and
            others; they are numbered in this order.
        in_threads: a `map`.
    """

    def of_part(part: Part) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        mine = part.originals
        repeated, *how = settle(
            part.documents,
            hashes,
            starts[mine],
            ends[mine],
            part.bucket_offsets,
            part.buckets,
            part.kinds.sum(),
            part.kinds[0],
            part.kinds[:2].sum(),
            threshold,
            crowded,
            vectors[mine] if len(vectors) else vectors,
            clusters[mine] if len(clusters) else clusters,
            max_cosine,
        )
        return np.where(repeated < 0, -1, mine[repeated]), *how

    repeated = np.empty(len(documents), np.int64)
    similarities, are_cosines = np.empty(len(documents)), np.empty(len(documents), np.bool_)
    parts = parted(documents, ends - starts, bucket_offsets, buckets, kinds, clusters)
    for part, found in zip(parts, in_threads(of_part, parts), strict=True):
        repeated[part.places], similarities[part.places], are_cosines[part.places] = found
    return repeated, similarities, are_cosines


def parted(
    documents: np.ndarray,
    sizes: np.ndarray,
    bucket_offsets: np.ndarray,
    buckets: np.ndarray,
    kinds: np.ndarray,
    clusters: np.ndarray,
) -> list[Part]:
    """Parts of nearly equal cost where components allow it, the dearest first.

    Args:
        documents: int32[k], the original behind each document.
        sizes: int64[n], shingles of each original, n > 0.
        bucket_offsets, buckets: from an original to its buckets (`settle.by_member`).
        kinds: int64[3], of `settle_parts`.
        clusters: int32[n], within which documents are compared as well; or nothing.
    """
    component = components(bucket_offsets, buckets, int(kinds.sum()), clusters)
    # Each is compared with some share of the others: shingles times documents.
    cost = np.bincount(component, sizes + 1, len(sizes))
    cost *= np.bincount(component, minlength=len(sizes))
    before = np.cumsum(cost) - cost
    at_root = np.minimum(before * (_PARTS / cost.sum()), _PARTS - 1).astype(np.uint8)
    part_of = at_root[component]
    originals, firsts = _sorted(part_of)
    places, starts = _sorted(part_of[documents])
    number = np.empty(len(originals), np.int32)
    number[originals] = np.arange(len(originals), dtype=np.int32)
    begins, numbered, counts = _numbered(originals, firsts, bucket_offsets, buckets, kinds)
    parts = []
    for part in np.argsort(-np.bincount(at_root, cost, _PARTS), kind="stable"):
        first, end = firsts[part : part + 2]
        if first == end:
            continue
        mine = places[starts[part] : starts[part + 1]]
        own = Part(
            mine,
            originals[first:end],
            number[documents[mine]] - np.int32(first),
            begins[first : end + 1] - begins[first],
            numbered[begins[first] : begins[end]],
            counts[part],
        )
        parts.append(own)
    return parts


def _sorted(part_of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places by part, int64[n], ascending within each; and where each part begins."""
    counts = np.bincount(part_of, minlength=_PARTS)
    return np.argsort(part_of, kind="stable"), np.concatenate([[0], np.cumsum(counts)])


@allocating
def components(bucket_offsets, buckets, n_buckets, clusters):  # type: ignore[no-untyped-def]
    """For each document the first that it is connected to by buckets or clusters, int32[n]."""
    n = len(bucket_offsets) - 1
    root = np.empty(n, np.int32)
    in_bucket = np.full(n_buckets, np.int32(-1), np.int32)
    n_clusters = clusters.max() + 1 if len(clusters) else 0
    in_cluster = np.full(n_clusters, np.int32(-1), np.int32)
    for document in range(n):
        root[document] = document
        for i in range(bucket_offsets[document], bucket_offsets[document + 1]):
            _connect(root, in_bucket, buckets[i], document)
        if len(clusters) > 0:
            _connect(root, in_cluster, clusters[document], document)
    for document in range(n):
        root[document] = root[root[document]]
    return root


@kernel
def _connect(root, first, group, document):  # type: ignore[no-untyped-def]
    """Put a document into the component of the first that its group has."""
    if first[group] < 0:
        first[group] = document
        return
    left, right = _root(root, first[group]), _root(root, document)
    root[max(left, right)] = min(left, right)


@kernel
def _root(root, document):  # type: ignore[no-untyped-def]
    while root[document] != document:
        root[document] = root[root[document]]
        document = root[document]
    return document


@allocating
def _numbered(originals, firsts, bucket_offsets, buckets, kinds):  # type: ignore[no-untyped-def]
    """Buckets numbered anew in each part: what `settle` looks up next to each other lies so.

    Returns:
        offsets int64[n + 1] and int32[...], the buckets of the originals as they are ordered;
        int64[parts, 3], how many buckets of each kind a part has.
    """
    new = np.full(kinds.sum(), np.int32(-1), np.int32)
    begins = np.zeros(len(originals) + 1, np.int64)
    numbered = np.empty(len(buckets), np.int32)
    counts = np.zeros((len(firsts) - 1, 3), np.int64)
    n_exact, n_sure = kinds[0], kinds[0] + kinds[1]
    at = 0
    for part in range(len(counts)):
        first = at
        for place in range(firsts[part], firsts[part + 1]):
            original = originals[place]
            for i in range(bucket_offsets[original], bucket_offsets[original + 1]):
                bucket = buckets[i]
                kind = np.int64(bucket >= n_exact) + np.int64(bucket >= n_sure)
                if new[bucket] < 0:
                    new[bucket] = counts[part, kind]
                    counts[part, kind] += 1
                numbered[at] = bucket
                at += 1
            begins[place + 1] = at
        for i in range(first, at):
            bucket = numbered[i]
            numbered[i] = new[bucket]
            if bucket >= n_exact:
                numbered[i] += counts[part, 0]
            if bucket >= n_sure:
                numbered[i] += counts[part, 1]
    return begins, numbered, counts
