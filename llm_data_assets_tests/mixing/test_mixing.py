"""Weights, caps, rounding and the order of a run."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_data_assets.mixing.order import permuted, source_positions
from llm_data_assets.mixing.plan import plan
from llm_data_assets.mixing.weights import (
    by_temperature,
    cap_epochs,
    largest_remainder,
    unimax,
)

SIZES = {"a": 10**9, "b": 10**8, "c": 10**7, "d": 10**6}


@pytest.mark.parametrize(
    ("alpha", "expected"),
    [
        (1.0, (0.90009, 0.09001, 0.00900, 0.00090)),
        (0.7, (0.80174, 0.15997, 0.03192, 0.00637)),
        (0.3, (0.53241, 0.26683, 0.13373, 0.06703)),
    ],
)
def test_temperature(alpha: float, expected: tuple[float, ...]) -> None:
    assert tuple(by_temperature(SIZES, alpha).values()) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [
        (1, (274, 274, 50, 2)),
        (4, (197.33, 197.33, 197.33, 8)),
        (10, (193.33, 193.33, 193.33, 20)),
    ],
)
def test_unimax(epochs: int, expected: tuple[float, ...]) -> None:
    sizes = {"a": 1000, "b": 300, "c": 50, "d": 2}
    found = unimax(sizes, 600, {name: epochs * size for name, size in sizes.items()})
    assert tuple(found.values()) == pytest.approx(expected, abs=0.01)


def test_largest_remainder() -> None:
    shares = {"a": 67, "b": 15, "c": 4.5, "d": 4.5, "e": 4.5, "f": 2.5, "g": 2.0}
    assert tuple(largest_remainder(shares, 101).values()) == (68, 15, 5, 5, 4, 2, 2)


def test_what_a_capped_source_cannot_give_is_shared_out() -> None:
    found = cap_epochs({"a": 0.5, "b": 0.5}, {"a": 20, "b": 2000}, 100)
    assert found == {"a": 20, "b": 80}


def test_an_impossible_total_says_how_much_is_missing() -> None:
    with pytest.raises(ValueError, match=r"allow 40: 60 are missing .*Try:"):
        cap_epochs({"a": 1.0}, {"a": 40}, 100)


def test_a_plan_says_what_decided() -> None:
    rows = plan(
        {"big": 1000, "tiny": 1, "none": 0},
        weights=None, alpha=0.5, max_epochs=4, total_sequences=500,
    )  # fmt: skip
    assert [(row.source, row.bound_by) for row in rows] == [
        ("big", "temperature"),
        ("none", "nothing to give"),
        ("tiny", "epoch cap"),
    ]
    assert sum(row.sequences for row in rows) == 500


def test_a_weighted_source_without_tokens_is_refused() -> None:
    with pytest.raises(ValueError, match="'b' a weight and it has no tokens"):
        plan({"a": 5, "b": 0}, weights={"a": 0.5, "b": 0.5}, max_epochs=4,
             total_sequences=None)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(size=st.integers(1, 500), key=st.integers(0, 2**64 - 1))
def test_the_permutation_is_one(size: int, key: int) -> None:
    assert sorted(permuted(np.arange(size), size, key)) == list(range(size))


@settings(max_examples=100, deadline=None)
@given(
    counts=st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 60), min_size=1),
    size=st.integers(1, 20),
    seed=st.integers(0, 5),
)
def test_every_position_belongs_to_exactly_one_sequence(
    counts: dict[str, int], size: int, seed: int
) -> None:
    sizes = dict.fromkeys(counts, size)
    orders = {name: source_positions(name, counts, sizes, seed=seed) for name in counts}
    taken = np.sort(np.concatenate([order.position for order in orders.values()]))
    assert taken.tolist() == list(range(sum(counts.values())))
    for name, order in orders.items():
        visits = np.bincount(order.sequence, minlength=size)
        assert visits.max(initial=0) - visits.min() <= 1, name
        assert (np.diff(order.position) > 0).all()


def test_shares_hold_over_every_window() -> None:
    counts = {"a": 7000, "b": 2500, "c": 500}
    where = np.empty(10_000, "U1")
    for name in counts:
        where[source_positions(name, counts, counts, seed=3).position] = name
    for start in range(0, 9_000, 250):
        window = where[start : start + 1_000]
        for name, count in counts.items():
            assert abs((window == name).sum() - count / 10) <= len(counts)


def test_another_seed_gives_another_order_and_the_same_seed_the_same() -> None:
    one, two, again = (
        source_positions("a", {"a": 100}, {"a": 100}, seed=seed).sequence.tolist()
        for seed in (1, 2, 1)
    )
    assert one == again != two
