"""Which rows are taken: by score, by cluster, by difference from those taken. All deterministic.

Every function takes rows in one fixed order (by id) and gives the rows taken, in the order taken.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from threadpoolctl import threadpool_limits

_BLOCK = 512


def top(scores: np.ndarray, n: int | None) -> np.ndarray:
    """The `n` rows of the highest scores, highest first; rows without a score (NaN) come last."""
    order = np.argsort(-np.nan_to_num(scores, nan=-np.inf), kind="stable")
    return order[:n]


def diverse(
    vectors: np.ndarray, scores: np.ndarray, n: int | None, max_cosine: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Highest scores first, each taken only if it resembles none taken (Liu et al. 2024, DEITA).

    A row whose cosine to a taken one is above `max_cosine` goes: strictly above, as there.

    Args:
        vectors: float32[n, d], of length 1.

    Returns:
        rows taken int64[k]; of every row the largest cosine to a row taken before it, float32[n]
        (NaN where none was taken or it was not looked at), and that row, int64[n] (-1 if none).
    """
    order = top(scores, None)
    limit = len(order) if n is None else n
    nearest = np.full(len(order), np.nan, np.float32)
    partner = np.full(len(order), -1, np.int64)
    kept = np.empty((min(limit, len(order)), vectors.shape[1]), np.float32)
    taken: list[int] = []
    with threadpool_limits(1):
        for start in range(0, len(order), _BLOCK):
            rows = order[start : start + _BLOCK]
            if len(taken) >= limit:
                break
            block, before = vectors[rows], len(taken)
            best = np.full(len(rows), -np.inf, np.float32)
            which = np.full(len(rows), -1, np.int64)
            if before:
                cosines = block @ kept[:before].T
                place = cosines.argmax(1)
                best, which = cosines[np.arange(len(rows)), place], np.array(taken)[place]
            inside = block @ block.T
            mine: list[int] = []
            for at, row in enumerate(rows.tolist()):
                if len(taken) >= limit:
                    break
                if mine:
                    among = inside[at, mine]
                    closest = int(among.argmax())
                    if among[closest] > best[at]:
                        best[at], which[at] = among[closest], rows[mine[closest]]
                if which[at] >= 0:
                    nearest[row], partner[row] = best[at], which[at]
                if which[at] < 0 or best[at] <= max_cosine:
                    kept[len(taken)] = block[at]
                    taken.append(row)
                    mine.append(at)
    return np.array(taken, np.int64), nearest, partner


def cluster(vectors: np.ndarray, k: int | None, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """k-means clusters int32[n] and each row's distance to its centre float64[n].

    `k` is the square root of the rows if absent. Mini-batches from three starts, one thread.
    """
    from sklearn.cluster import MiniBatchKMeans  # 1 s and 100 MB: for who clusters

    n = len(vectors)
    k = max(1, min(k or round(n**0.5), n))
    with threadpool_limits(1):
        model = MiniBatchKMeans(k, random_state=seed, n_init=3, batch_size=4096, max_iter=50).fit(
            vectors
        )
        labels = model.labels_.astype(np.int32)
        return labels, np.linalg.norm(vectors - model.cluster_centers_[labels], axis=1)


def from_clusters(labels: np.ndarray, distances: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Rows of each cluster in proportion to its size: half nearest its centre, half at random."""
    sizes = np.bincount(labels)
    wanted = shares_of(n, dict(enumerate((sizes / max(1, sizes.sum())).tolist())), at_least=1)
    rng = np.random.default_rng(seed)
    chance = rng.permutation(len(labels))
    taken: list[int] = []
    for number in range(len(sizes)):
        rows = np.flatnonzero(labels == number)
        count = min(wanted[number], len(rows))
        near = rows[np.argsort(distances[rows], kind="stable")][: (count + 1) // 2]
        others = np.setdiff1d(rows, near)
        taken += near.tolist()
        taken += others[np.argsort(chance[others], kind="stable")][: count - len(near)].tolist()
    return np.array(taken[:n], np.int64)


def coverage(labels: np.ndarray, taken: np.ndarray) -> float:
    """Share of the clusters with rows that a row was taken from."""
    return len(np.unique(labels[taken])) / max(1, len(np.unique(labels)))


def shares_of(n: int, shares: Mapping, at_least: int = 0) -> dict:
    """`n` by shares, the largest remainders rounded up; ties by the order of the keys.

    Example:
        >>> shares_of(10, {"a": 0.25, "b": 0.75})
        {'a': 3, 'b': 7}
    """
    exact = {name: n * share for name, share in shares.items()}
    counts = {name: int(each) for name, each in exact.items()}
    left = n - sum(counts.values())
    by_remainder = sorted(exact, key=lambda name: counts[name] - exact[name])
    for name in by_remainder[:left]:
        counts[name] += 1
    if at_least and n >= len(counts):
        for name in [each for each in counts if counts[each] < at_least and exact[each] > 0]:
            largest = max(counts, key=lambda each: counts[each])
            counts[largest] -= at_least - counts[name]
            counts[name] = at_least
    return counts


def predicted_gains(
    vectors: np.ndarray, known: Sequence[int], gains: Sequence[float]
) -> np.ndarray:
    """What each row would gain, by ridge regression on the rows whose gain is known, float64[n].

    The linear datamodel of Ilyas et al. 2022 over embeddings in place of subset indicators; the
    gains are the user's (loss before less loss after training on the row, say).

    Raises:
        ValueError: fewer than two known gains.
    """
    from sklearn.linear_model import Ridge

    if len(known) < 2:
        raise ValueError(
            f"{len(known)} known gains are no ground for a regression. Try: two rows or more whose "
            "doc_id stands in this source"
        )
    with threadpool_limits(1):
        return Ridge(alpha=1.0).fit(vectors[list(known)], list(gains)).predict(vectors)
