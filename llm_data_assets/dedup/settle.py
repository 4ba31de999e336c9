"""The greedy choice itself, as kernels: documents in their order, each against those kept."""

from typing import NamedTuple

import numpy as np
from numba import njit

from llm_data_assets.dedup.similarity import jaccard


class State(NamedTuple):
    """What `settle` carries from batch to batch.

    head: int64[n_buckets], the newest link of each bucket's list of kept documents.
    following, owner: int64[n_links], the next link, and the kept document a link stands for.
    start, size: int64[n], where each document's shingles lie in the arena; size -1 before it came.
    checked: int64[n], the newest document that each was compared up to.
    best, best_similarity: int64[n] and float64[n], the kept document that each repeats, or -1.
    seen: int64[n], the last document that each kept one was compared with.
    arena: uint64[...], shingle hashes of the kept documents of one component.
    marks: int64[3], the open component, the arena's used length, the newest document.
    """

    head: np.ndarray
    following: np.ndarray
    owner: np.ndarray
    start: np.ndarray
    size: np.ndarray
    checked: np.ndarray
    best: np.ndarray
    best_similarity: np.ndarray
    seen: np.ndarray
    arena: np.ndarray
    marks: np.ndarray


def new_state(n: int, n_buckets: int, n_links: int) -> State:
    """The state before the first of `n` documents."""

    def unset(length: int) -> np.ndarray:
        return np.full(length, -1, np.int64)

    return State(
        head=unset(n_buckets),
        following=unset(n_links),
        owner=unset(n_links),
        start=unset(n),
        size=unset(n),
        checked=unset(n),
        best=unset(n),
        best_similarity=np.full(n, -1.0),
        seen=unset(n),
        arena=np.empty(0, np.uint64),
        marks=np.array([-1, 0, -1]),
    )


@njit(nogil=True, cache=True)
def join_by_buckets(members, buckets, n, n_buckets):  # type: ignore[no-untyped-def]
    """Turn (member, bucket) pairs into each member's buckets and into connected components.

    Args:
        members, buckets: int32[k], the pairs.
        n, n_buckets: how many of each there are.

    Returns:
        offsets int64[n + 1] and int32[k], the buckets of each member; int64[n], the lowest member
        that each is joined with, however indirectly.
    """
    offsets = np.zeros(n + 1, np.int64)
    parent = np.arange(n)
    first = np.zeros(n_buckets, np.int64) - 1
    for pair in range(len(members)):
        member = np.int64(members[pair])
        offsets[member + 1] += 1
        if first[buckets[pair]] < 0:
            first[buckets[pair]] = member
        else:
            a, b = _root(parent, member), _root(parent, first[buckets[pair]])
            parent[max(a, b)] = min(a, b)
    for member in range(n):
        offsets[member + 1] += offsets[member]
    place = offsets.copy()
    by_member = np.empty(len(buckets), np.int32)
    for pair in range(len(members)):
        by_member[place[members[pair]]] = buckets[pair]
        place[members[pair]] += 1
    for member in range(n):
        parent[member] = _root(parent, member)
    return offsets, by_member, parent


@njit(nogil=True, cache=True)
def _root(parent, member):  # type: ignore[no-untyped-def]
    while parent[member] != member:
        parent[member] = parent[parent[member]]  # halves the path for those who come after
        member = parent[member]
    return member


@njit(nogil=True, cache=True)
def settle(  # type: ignore[no-untyped-def]
    originals, component, values, offsets, bucket_offsets, buckets, has_copies, threshold, state
):
    """Decide about documents in their order; a document is an original or a copy of one.

    Args:
        originals: int64[k], the original behind each document, itself at its first occurrence.
        component: int64[n_originals].
        values, offsets: uint64[...] and int64[...]: sorted shingle hashes of the originals that
            occur first here, in the order of their occurrence.
        bucket_offsets, buckets: from an original to its buckets.
        has_copies: bool[n_originals].
        state: carried from call to call, changed; its arena holds all of `values` more.

    Returns:
        int64[k], the original that each document repeats, or -1 where it stays; float64[k], their
        similarity. A copy repeats its own original (1.0) if that stays.
    """
    head, following, owner = state.head, state.following, state.owner
    start, size, arena, marks = state.start, state.size, state.arena, state.marks
    checked, seen = state.checked, state.seen
    best, best_similarity = state.best, state.best_similarity
    partners = np.empty(len(originals), np.int64)
    similarities = np.empty(len(originals), np.float64)
    occurred = 0
    for document in range(len(originals)):
        original = originals[document]
        if component[original] != marks[0]:
            marks[0] = component[original]
            marks[1] = 0  # the component is closed: its sets are not needed again
        is_first = size[original] < 0
        if is_first:
            new = values[offsets[occurred] : offsets[occurred + 1]]
            occurred += 1
            start[original], size[original] = marks[1], len(new)
            for i in range(len(new)):
                arena[marks[1] + i] = new[i]
        elif best[original] < 0:
            partners[document], similarities[document] = original, 1.0
            continue
        mine = arena[start[original] : start[original] + size[original]]
        # Kept documents head each bucket's list, newest first: what is not newer was compared.
        for at in range(bucket_offsets[original], bucket_offsets[original + 1]):
            link = head[buckets[at]]
            while link >= 0 and owner[link] > checked[original]:
                kept = owner[link]
                link = following[link]
                if seen[kept] == original:
                    continue
                seen[kept] = original
                theirs = arena[start[kept] : start[kept] + size[kept]]
                found = jaccard(mine, theirs, threshold)
                if found > best_similarity[original] or (
                    found == best_similarity[original] and kept < best[original]
                ):
                    best[original], best_similarity[original] = kept, found
        if is_first:
            marks[2] = original
        checked[original] = marks[2]
        partners[document], similarities[document] = best[original], best_similarity[original]
        if is_first:
            if best[original] < 0:
                for at in range(bucket_offsets[original], bucket_offsets[original + 1]):
                    following[at], owner[at] = head[buckets[at]], original
                    head[buckets[at]] = at
            if best[original] < 0 or has_copies[original]:
                marks[1] += len(new)
    return partners, similarities
