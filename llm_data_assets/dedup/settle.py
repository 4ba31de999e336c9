"""The greedy choice itself, as a kernel: documents in their order, each against those kept."""

import numpy as np
from numba import njit

from llm_data_assets.dedup.crowds import build, candidates, insert
from llm_data_assets.dedup.similarity import jaccard
from llm_data_assets.kernel import allocating, kernel


@allocating
def by_member(members, buckets, n):  # type: ignore[no-untyped-def]
    """Turn (member, bucket) pairs into each member's buckets, in the order of the pairs.

    Returns:
        offsets int64[n + 1] and int32[k], the buckets of each member.
    """
    offsets = np.zeros(n + 1, np.int64)
    for member in members:
        offsets[member + 1] += 1
    for member in range(n):
        offsets[member + 1] += offsets[member]
    place = offsets.copy()
    found = np.empty(len(buckets), np.int32)
    for pair in range(len(members)):
        found[place[members[pair]]] = buckets[pair]
        place[members[pair]] += 1
    return offsets, found


@allocating
def settle(  # type: ignore[no-untyped-def]
    documents, values, starts, ends, bucket_offsets, buckets, n_buckets, n_exact, n_sure, threshold,
    crowded, vectors, clusters, max_cosine,
):  # fmt: skip
    """Decide about documents in their order; a document is an original or a copy of one.

    Args:
        documents: int32[k], the original behind each document, itself at its first occurrence.
            Originals are numbered in the order of their first occurrence.
        values, starts, ends: uint64[...] and int64[n] twice, sorted shingle hashes of originals.
        bucket_offsets, buckets: from an original to its buckets.
        n_buckets, n_exact, n_sure: to share one of the first `n_sure` buckets with a kept document
            is enough to go, whatever the similarity; in the first `n_exact` of them texts are
            equal, which is a similarity of 1.0 without shingles too. An original lists its
            buckets in this order.
        threshold: similarity from which a document of another bucket goes.
        crowded: kept documents of a bucket from which on `crowds` is asked, rather than each of
            them compared; it changes no answer.
        vectors, clusters: float32[n, d] of length 1 and int32[n], or nothing of either. What no
            bucket lets go does so for a kept document of its cluster whose cosine to it is above
            `max_cosine`.

    Returns:
        int64[k], the original that each document repeats, or -1 where it stays; float64[k], their
        similarity; bool[k], whether that is a cosine. A copy repeats its own original (1.0) if
        that stays.
    """
    n = len(starts)
    # Of each bucket the newest link of its list of kept documents, and how many there are.
    lists = np.zeros((n_buckets, 2), np.int32)
    lists[:, 0] = -1
    links = np.empty((len(buckets), 2), np.int32)  # the kept document, the next link
    marks = np.full((n, 2), np.int64(-1), np.int64)  # checked up to which; compared last with which
    best, best_similarity = np.full(n, -1, np.int64), np.full(n, -1.0)
    partners, similarities = np.empty(len(documents), np.int64), np.empty(len(documents))
    are_cosines = np.zeros(len(documents), np.bool_)
    # Of each cluster the newest kept document, and of each of those the one before it.
    newest = np.full(clusters.max() + 1 if len(clusters) else 0, -1, np.int32)
    before = np.full(len(clusters), -1, np.int32)
    closest, closest_cosine = np.full(n, -1, np.int64), np.full(n, max_cosine)
    in_crowd = np.zeros(n, np.bool_)
    members, found = np.empty(n, np.int32), np.empty(n, np.int32)
    n_members = n_built = n_shingles = 0
    crowd = build(members[:0], values, starts, ends, threshold)
    state = np.array([0, -1, 0])  # the next document, the newest original, links looked at
    while state[0] < len(documents):
        original = _settle_on(
            state, documents, values, starts, ends, bucket_offsets, buckets, lists, links, marks,
            best, best_similarity, partners, similarities, crowd, found, n_exact, n_sure, threshold,
            crowded, are_cosines, vectors, clusters, newest, before, closest, closest_cosine,
        )  # fmt: skip
        for i in range(bucket_offsets[original], bucket_offsets[original + 1]):
            link, count = lists[buckets[i]]
            while link >= 0 and (
                count == crowded or (count > crowded and links[link, 0] == original)
            ):
                kept = links[link, 0]
                link = links[link, 1]
                if not in_crowd[kept]:
                    in_crowd[kept] = True
                    members[n_members] = kept
                    n_members += 1
                    n_shingles += ends[kept] - starts[kept]
                    crowd = insert(crowd, kept, values[starts[kept] : ends[kept]], threshold)
        # What is common among them is counted again when they are twice as many, or when looking
        # costs more than counting.
        if n_members >= 2 * n_built + crowded or state[2] > n_shingles + 1_000_000:
            crowd = build(members[:n_members], values, starts, ends, threshold)
            n_built, state[2] = n_members, 0
    return partners, similarities, are_cosines


@allocating
def _settle_on(  # type: ignore[no-untyped-def]
    state, documents, values, starts, ends, bucket_offsets, buckets, lists, links, marks,
    best, best_similarity, partners, similarities, crowd, found, n_exact, n_sure, threshold,
    crowded, are_cosines, vectors, clusters, newest, before, closest, closest_cosine,
):  # fmt: skip
    """Decide about documents until one stays in a crowd, which has to be told; returns that one."""
    for at in range(state[0], len(documents)):
        original = documents[at]
        is_first = original > state[1]
        if not is_first and best[original] < 0 and closest[original] < 0:
            partners[at], similarities[at] = original, 1.0
            continue
        mine = values[starts[original] : ends[original]]
        checked = marks[original, 0]
        of_crowd = False
        # Kept documents head each bucket's list, newest first: what is not newer was compared.
        for i in range(bucket_offsets[original], bucket_offsets[original + 1]):
            link = lists[buckets[i], 0]
            if lists[buckets[i], 1] >= crowded:
                of_crowd = True
                continue
            enough = 0.0 if buckets[i] < n_sure else threshold
            while link >= 0 and links[link, 0] > checked:
                kept = links[link, 0]
                link = links[link, 1]
                if marks[kept, 1] == original:
                    continue
                marks[kept, 1] = original
                alike = 1.0
                if buckets[i] >= n_exact:
                    alike = jaccard(mine, values[starts[kept] : ends[kept]], enough)
                if alike > best_similarity[original] or (
                    alike == best_similarity[original] and kept < best[original]
                ):
                    best[original], best_similarity[original] = kept, alike
        if of_crowd:
            looked, n_found = candidates(
                crowd, original, mine, starts, ends, threshold, marks, found
            )
            state[2] += looked
            for kept in found[:n_found]:
                if kept <= checked:
                    continue
                alike = jaccard(mine, values[starts[kept] : ends[kept]], threshold)
                if (
                    alike > best_similarity[original]
                    or (alike == best_similarity[original] and kept < best[original])
                ) and _meet(bucket_offsets, buckets, original, kept):
                    best[original], best_similarity[original] = kept, alike
        partners[at], similarities[at] = best[original], best_similarity[original]
        if len(clusters) > 0 and best[original] < 0:
            kept = newest[clusters[original]]
            while kept > checked:
                alike = _cosine(vectors[original], vectors[kept])
                if alike > closest_cosine[original] or (
                    alike == closest_cosine[original] and 0 <= kept < closest[original]
                ):
                    closest[original], closest_cosine[original] = kept, alike
                kept = before[kept]
            if closest[original] >= 0:
                partners[at], similarities[at] = closest[original], closest_cosine[original]
                are_cosines[at] = True
        state[1] = max(state[1], original)
        marks[original, 0] = state[1]
        if not is_first or partners[at] >= 0:
            continue
        if len(clusters) > 0:
            before[original] = newest[clusters[original]]
            newest[clusters[original]] = original
        grows = False
        for i in range(bucket_offsets[original], bucket_offsets[original + 1]):
            bucket = buckets[i]
            links[i, 0], links[i, 1] = original, lists[bucket, 0]
            lists[bucket, 0] = i
            lists[bucket, 1] += 1
            grows |= lists[bucket, 1] >= crowded
        if grows:
            state[0] = at + 1
            return original
    state[0] = len(documents)
    return documents[0]


@njit(nogil=True, cache=True, fastmath={"reassoc", "contract"}, _nrt=False)
def _cosine(left, right):  # type: ignore[no-untyped-def]
    """Of two vectors of length 1, in double precision; the same on one machine."""
    total = 0.0
    for i in range(len(left)):
        total += np.float64(left[i]) * np.float64(right[i])
    return min(total, 1.0)


@kernel
def _meet(bucket_offsets, buckets, left, right):  # type: ignore[no-untyped-def]
    """Whether two documents share a bucket."""
    for i in range(bucket_offsets[left], bucket_offsets[left + 1]):
        for j in range(bucket_offsets[right], bucket_offsets[right + 1]):
            if buckets[i] == buckets[j]:
                return True
    return False
