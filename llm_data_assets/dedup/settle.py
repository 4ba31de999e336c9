"""The greedy choice itself, as a kernel: documents in their order, each against those kept."""

import numpy as np
from numba import njit

from llm_data_assets.dedup.crowds import build, candidates, insert
from llm_data_assets.dedup.similarity import jaccard


@njit(nogil=True, cache=True)
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


@njit(nogil=True, cache=True)
def settle(  # type: ignore[no-untyped-def]
    documents, values, starts, ends, bucket_offsets, buckets, n_buckets, n_sure, threshold, crowded
):
    """Decide about documents in their order; a document is an original or a copy of one.

    Args:
        documents: int32[k], the original behind each document, itself at its first occurrence.
            Originals are numbered in the order of their first occurrence.
        values, starts, ends: uint64[...] and int64[n] twice, sorted shingle hashes of originals.
        bucket_offsets, buckets: from an original to its buckets.
        n_buckets, n_sure: to share one of the first `n_sure` buckets with a kept document is
            enough to go, whatever the similarity; an original lists those first.
        threshold: similarity from which a document of another bucket goes.
        crowded: kept documents of a bucket from which on `crowds` is asked, rather than each of
            them compared; it changes no answer.

    Returns:
        int64[k], the original that each document repeats, or -1 where it stays; float64[k], their
        similarity. A copy repeats its own original (1.0) if that stays.
    """
    n = len(starts)
    head = np.full(
        n_buckets, np.int32(-1), np.int32
    )  # newest link of each bucket's list of kept documents
    kept_in = np.zeros(n_buckets, np.int32)
    following = np.empty(len(buckets), np.int32)  # the next link
    owner = np.empty(len(buckets), np.int32)  # the kept document a link stands for
    checked = np.full(n, -1, np.int64)  # the newest document that each was compared up to
    seen = np.full(n, -1, np.int64)  # the last document that each kept one was compared with
    best = np.full(n, -1, np.int64)
    best_similarity = np.full(n, -1.0)
    partners = np.empty(len(documents), np.int64)
    similarities = np.empty(len(documents), np.float64)
    in_crowd = np.zeros(n, np.bool_)  # whether `crowd` has it
    members = np.empty(n, np.int32)  # those that it has
    n_members = n_built = looked = n_shingles = 0
    crowd = build(members[:0], values, starts, ends, threshold)
    found = np.empty(64, np.int32)
    newest = -1
    for at in range(len(documents)):
        original = documents[at]
        is_first = original > newest
        if not is_first and best[original] < 0:
            partners[at], similarities[at] = original, 1.0
            continue
        mine = values[starts[original] : ends[original]]
        of_crowd = False
        # Kept documents head each bucket's list, newest first: what is not newer was compared.
        for i in range(bucket_offsets[original], bucket_offsets[original + 1]):
            if kept_in[buckets[i]] >= crowded:
                of_crowd = True
                continue
            link = head[buckets[i]]
            enough = 0.0 if buckets[i] < n_sure else threshold
            while link >= 0 and owner[link] > checked[original]:
                kept = owner[link]
                link = following[link]
                if seen[kept] == original:
                    continue
                seen[kept] = original
                alike = jaccard(mine, values[starts[kept] : ends[kept]], enough)
                if alike > best_similarity[original] or (
                    alike == best_similarity[original] and kept < best[original]
                ):
                    best[original], best_similarity[original] = kept, alike
        if of_crowd:
            work, found, n_found = candidates(crowd, mine, starts, ends, threshold, found)
            looked += work
            for kept in found[:n_found]:
                if seen[kept] == original or kept <= checked[original]:
                    continue
                seen[kept] = original
                alike = jaccard(mine, values[starts[kept] : ends[kept]], threshold)
                if (
                    alike > best_similarity[original]
                    or (alike == best_similarity[original] and kept < best[original])
                ) and _meet(bucket_offsets, buckets, original, kept):
                    best[original], best_similarity[original] = kept, alike
        newest = max(newest, original)
        checked[original] = newest
        partners[at], similarities[at] = best[original], best_similarity[original]
        if not is_first or best[original] >= 0:
            continue
        for i in range(bucket_offsets[original], bucket_offsets[original + 1]):
            bucket = buckets[i]
            following[i], owner[i] = head[bucket], original
            head[bucket] = i
            kept_in[bucket] += 1
            if kept_in[bucket] < crowded:
                continue
            link = head[bucket]
            while link >= 0 and (kept_in[bucket] == crowded or owner[link] == original):
                kept = owner[link]
                link = following[link]
                if not in_crowd[kept]:
                    in_crowd[kept] = True
                    members[n_members] = kept
                    n_members += 1
                    n_shingles += ends[kept] - starts[kept]
                    crowd = insert(crowd, kept, values[starts[kept] : ends[kept]], threshold)
        # What is common among them is counted again when they are twice as many, or when looking
        # costs more than counting.
        if n_members >= 2 * n_built + crowded or looked > n_shingles + 1_000_000:
            crowd = build(members[:n_members], values, starts, ends, threshold)
            n_built, looked = n_members, 0
    return partners, similarities


@njit(nogil=True, cache=True)
def _meet(bucket_offsets, buckets, left, right):  # type: ignore[no-untyped-def]
    """Whether two documents share a bucket."""
    for i in range(bucket_offsets[left], bucket_offsets[left + 1]):
        for j in range(bucket_offsets[right], bucket_offsets[right + 1]):
            if buckets[i] == buckets[j]:
                return True
    return False
