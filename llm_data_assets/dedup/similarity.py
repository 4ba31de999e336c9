"""Jaccard similarity of texts: the size of what they share over the size of what they have."""

import numpy as np

from llm_data_assets.dedup.minhash import shingles
from llm_data_assets.kernel import kernel


def similarity(left: str, right: str, *, ngram: int = 5) -> float:
    """Jaccard similarity of the sets of `minhash.shingles` of two texts: the plain reference.

    0.0 where neither has shingles: two texts of nothing are not alike, they say nothing.

    Example:
        >>> similarity("a b c d e f", "a b c d e g")
        0.3333333333333333
    """
    a, b = set(shingles(left, ngram=ngram)), set(shingles(right, ngram=ngram))
    return len(a & b) / len(a | b) if a or b else 0.0


@kernel
def jaccard(left, right, at_least):  # type: ignore[no-untyped-def]
    """Jaccard similarity of two sets of hashes, or -1.0 where it is below `at_least`.

    One merge of the two, given up as soon as `at_least` is out of reach.

    Args:
        left, right: uint64[...], sorted and distinct (`minhash.shingle_sets`).
    """
    n, m = len(left), len(right)
    if n + m == 0:
        return 0.0 if at_least <= 0.0 else -1.0
    misses = min(n, m) - needed_overlap(
        n, m, at_least
    )  # so many elements of the smaller set may go unmatched
    i = j = shared = 0
    while i < n and j < m:
        x, y = left[i], right[j]
        shared += x == y
        i += x <= y
        j += y <= x
        if (i - shared if n <= m else j - shared) > misses:
            return -1.0
    similarity = shared / (n + m - shared)
    return similarity if similarity >= at_least else -1.0


@kernel
def needed_overlap(n, m, at_least):  # type: ignore[no-untyped-def]
    """What sets of n and m elements share at least if their Jaccard similarity is `at_least`."""
    # J >= t means |A & B| >= t / (1 + t) * (|A| + |B|); one less makes up for rounding.
    return np.int64(at_least / (1.0 + at_least) * (n + m)) - 1
