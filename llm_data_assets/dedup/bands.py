"""Locality-sensitive hashing: documents that agree in one band of their signatures are compared."""

import numpy as np


def band_keys(signatures: np.ndarray, *, bands: int, rows: int) -> np.ndarray:
    """One 64-bit key a band: documents with equal keys have equal values throughout the band.

    (Unequal bands share a key with probability 2^-64; a comparison of texts follows anyway.)
    Values past `bands * rows` are not used. Bands of the same values have different keys.

    Args:
        signatures: uint32[n, num_perm].

    Returns:
        uint64[n, bands], each band's keys next to each other in memory.

    Raises:
        ValueError: the signatures have fewer than bands * rows values.
    """
    # It brings the compiler along, which who asks for the curve alone does without.
    from llm_data_assets.dedup.buckets import fill_band_keys

    check_bands(bands, rows, signatures.shape[1])
    keys = np.empty((bands, len(signatures)), np.uint64)
    if rows % 2 == 0:  # two values at once
        values = np.ascontiguousarray(signatures[:, : bands * rows])
        fill_band_keys(values.view(np.uint64), rows // 2, keys)
    else:
        fill_band_keys(signatures, rows, keys)
    return keys.T


def check_bands(bands: int, rows: int, num_perm: int) -> None:
    """Raise ValueError unless `bands` of `rows` values can be cut from `num_perm`."""
    if bands < 1 or rows < 1 or bands * rows > num_perm:
        raise ValueError(
            f"{bands} bands of {rows} rows do not fit a signature of {num_perm} values. "
            "Try: fewer bands or rows (each at least 1), or more permutations"
        )


def hit_probability(similarity: float, bands: int, rows: int) -> float:
    """Probability that two documents of this Jaccard similarity agree in at least one band.

    `1 - (1 - s^rows)^bands` (Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, 3.4.2).

    Example:
        >>> round(hit_probability(0.8, 14, 8), 4)
        0.9235
    """
    return 1.0 - (1.0 - similarity**rows) ** bands


def parameters(threshold: float, num_perm: int) -> tuple[int, int]:
    """(bands, rows) for a threshold, by datasketch's own search.

    It minimises the evenly weighted areas of false positives below the threshold and of false
    negatives above it; bands * rows may stay below `num_perm`. Where it comes to one band, near 1,
    it refuses; the answer is then two bands of half the values.

    Example:
        >>> parameters(0.8, 128)
        (9, 13)
    """
    from datasketch import MinHashLSH  # brings scipy along, a second of import

    if not 0.0 < threshold <= 1.0 or num_perm < 2:
        raise ValueError(
            f"no bands for threshold {threshold} and {num_perm} permutations. "
            "Try: a threshold above 0, at most 1, and at least 2 permutations"
        )
    try:
        search = MinHashLSH(threshold=threshold, num_perm=num_perm)
    except ValueError:
        return 2, num_perm // 2
    return search.b, search.r
