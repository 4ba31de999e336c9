"""The order of a run: which sequence of which source stands at which position.

Every position can be computed without the others, so a change of weights costs nothing but
arithmetic, and any machine finds the same order.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xxhash

_ROUNDS = 4  # Luby and Rackoff 1988: four Feistel rounds make a strong pseudorandom permutation


@dataclass(frozen=True)
class Order:
    """One source's part of a run: `position` int64 ascending, `sequence` int64, `epoch` int32."""

    position: np.ndarray
    sequence: np.ndarray
    epoch: np.ndarray


def source_positions(
    source: str,
    counts: Mapping[str, int],
    available: Mapping[str, int],
    *,
    seed: int,
    taken: int = 0,
    first_position: int = 0,
) -> Order:
    """Where `source`'s sequences stand in a run in which source i gives `counts[i]` sequences.

    The k-th of a source's n sequences is due at (k + 1/2) / n of the run; sequences are placed in
    order of when they are due (ties by name). Shares over any window of w positions so stay
    within (number of sources) / w of the plan.

    Within the source, pass e over it visits its sequences in an order keyed by
    (seed, source, e).

    Args:
        taken: sequences of the source that earlier phases of the run took: its passes go on.
        first_position: of this phase in the run.
    """
    count, size = counts[source], available[source]
    own = np.arange(count, dtype=np.int64)
    position = own.copy()
    for other, n in counts.items():
        if other != source and n:
            position += _due_before(own, count, n, ties_first=other < source)
    visit = own + taken
    epoch = visit // max(1, size)
    sequence = np.empty(count, np.int64)
    for number in np.unique(epoch).tolist():
        mine = epoch == number
        key = xxhash.xxh3_64_intdigest(f"{seed}/{source}/{number}".encode())
        sequence[mine] = permuted(visit[mine] - number * size, size, key)
    return Order(position + first_position, sequence, epoch.astype(np.int32))


def permuted(index: np.ndarray, size: int, key: int) -> np.ndarray:
    """The images of `index` under a keyed permutation of 0..size-1 (Feistel, cycle walking)."""
    half = max(1, ((size - 1).bit_length() + 1) // 2)
    mask = np.uint64((1 << half) - 1)
    images = np.asarray(index).astype(np.uint64)
    outside = np.ones(len(images), bool)
    while outside.any():  # a cycle that leaves 0..size-1 comes back to it
        images[outside] = _feistel(images[outside], np.uint64(half), mask, key)
        outside = images >= np.uint64(size)
    return images.astype(np.int64)


def _feistel(values: np.ndarray, half: np.uint64, mask: np.uint64, key: int) -> np.ndarray:
    left, right = values >> half, values & mask
    for number in range(_ROUNDS):
        turn = np.uint64((key + number * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF)
        left, right = right, left ^ (_mixed(right ^ turn) & mask)
    return (left << half) | right


def _mixed(values: np.ndarray) -> np.ndarray:
    """SplitMix64's finaliser (Steele et al. 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _due_before(own: np.ndarray, count: int, n: int, *, ties_first: bool) -> np.ndarray:
    """How many of another source's `n` sequences are due before each of `count` own ones.

    (j + 1/2) / n < (k + 1/2) / count, in whole numbers: (2 j + 1) count < (2 k + 1) n.
    """
    target = (2 * own + 1) * n
    if ties_first:
        target = target + 1
    # The smallest j with (2 j + 1) count >= target is the number of those before it.
    return np.clip(-((count - target) // (2 * count)), 0, n)
