"""Selection: the definitions, held to plain loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_data_assets.instructions import select
from llm_data_assets.instructions.embed import embed


def unit(values: list[list[float]]) -> np.ndarray:
    vectors = np.array(values, np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_top_takes_the_highest_and_the_unscored_last() -> None:
    assert select.top(np.array([1.0, np.nan, 3.0, 1.0]), 3).tolist() == [2, 0, 3]


@given(st.integers(0, 2**31), st.integers(1, 40), st.sampled_from([0.3, 0.6, 0.9]))
def test_diverse_takes_what_a_loop_takes(seed: int, n: int, limit: float) -> None:
    rng = np.random.default_rng(seed)
    vectors = unit(rng.normal(size=(60, 3)).tolist())
    scores = rng.integers(0, 9, 60).astype(float)
    taken: list[int] = []
    for row in np.argsort(-scores, kind="stable").tolist():
        if len(taken) < n and all(
            abs(float(vectors[row] @ vectors[kept]) - limit) > 1e-5 for kept in taken
        ) and all(vectors[row] @ vectors[kept] <= limit for kept in taken):  # fmt: skip
            taken.append(row)
    found, nearest, partner = select.diverse(vectors, scores, n, limit)
    assert found.tolist() == taken
    looked_at = np.flatnonzero(partner >= 0)
    cosines = (vectors[looked_at] * vectors[partner[looked_at]]).sum(1)
    assert np.allclose(nearest[looked_at], cosines, atol=1e-5)


def test_a_cosine_of_exactly_the_limit_stays() -> None:
    vectors = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    assert select.diverse(vectors, np.zeros(3), None, 1.0)[0].tolist() == [0, 1, 2]
    assert select.diverse(vectors, np.zeros(3), None, 0.9)[0].tolist() == [0, 2]


def test_every_cluster_gives_some_and_the_figure_says_so() -> None:
    rng = np.random.default_rng(1)
    centres = np.eye(4)
    vectors = unit(
        (np.repeat(centres, [50, 30, 15, 5], 0) + rng.normal(0, 0.05, (100, 4))).tolist()
    )
    labels, distances = select.cluster(vectors, 4, 1)
    taken = select.from_clusters(labels, distances, 20, 1)
    assert len(set(taken.tolist())) == 20
    assert select.coverage(labels, taken) == 1.0
    assert sorted(np.bincount(labels[taken]).tolist()) == [1, 3, 6, 10]
    again = select.from_clusters(*select.cluster(vectors, 4, 1), 20, 1)
    assert again.tolist() == taken.tolist()


@given(st.integers(0, 500), st.lists(st.integers(1, 50), min_size=1, max_size=6))
def test_shares_sum_to_what_was_asked_for(n: int, weights: list[int]) -> None:
    shares = {place: weight / sum(weights) for place, weight in enumerate(weights)}
    counts = select.shares_of(n, shares)
    assert sum(counts.values()) == n
    assert all(abs(counts[name] - n * shares[name]) < 1 for name in shares)


def test_gains_are_predicted_from_the_known_ones() -> None:
    vectors = unit([[1, 0], [0, 1], [1, 0.1], [0.1, 1]])
    gains = select.predicted_gains(vectors, [0, 1], [1.0, 0.0])
    assert gains[2] > gains[3]
    with pytest.raises(ValueError, match="two rows or more"):
        select.predicted_gains(vectors, [0], [1.0])


def test_embeddings_put_like_texts_together_and_are_the_same_twice() -> None:
    texts = ["how to bake bread with flour", "baking bread with flour and water",
             "the orbit of the moon", "the moon and its orbit", "请解释量子纠缠", ""]  # fmt: skip
    vectors = embed(texts, 4, 1)
    assert vectors.tobytes() == embed(texts, 4, 1).tobytes()
    assert vectors[0] @ vectors[1] > 10 * abs(vectors[0] @ vectors[2])
    assert np.linalg.norm(vectors, axis=1).round(5).tolist() == [1, 1, 1, 1, 1, 0]
    assert embed([], 4, 1).shape == (0, 4)
