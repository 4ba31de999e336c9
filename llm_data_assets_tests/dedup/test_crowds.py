"""Many documents that meet and stay: asked for by what is rare; the answer of comparing all."""

from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_data_assets.dedup.crowds import build, candidates
from llm_data_assets.dedup.settle import by_member, settle
from llm_data_assets.dedup.similarity import jaccard

NEVER = 1 << 30

SETS = st.lists(
    st.tuples(
        st.integers(0, 30),  # how much of one banner
        st.sets(st.integers(100, 130), max_size=8),
    ).map(lambda page: np.array(sorted({*range(page[0]), *page[1]}), np.uint64)),
    min_size=1,
    max_size=40,
)


def laid_out(sets: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    ends = np.array(list(accumulate(map(len, sets))), np.int64)
    return np.concatenate(sets), ends - [len(each) for each in sets], ends


@settings(deadline=None)
@given(SETS, st.sampled_from([0.05, 0.3, 0.5, 0.72, 0.8, 0.95, 1.0]))
def test_no_document_that_is_alike_enough_is_missed(
    sets: list[np.ndarray], threshold: float
) -> None:
    values, starts, ends = laid_out(sets)
    for upto in range(1, len(sets)):
        crowd = build(np.arange(upto, dtype=np.int32), values, starts, ends, threshold)
        marks, found = np.full((upto, 2), -1), np.empty(upto, np.int32)
        _, n = candidates(crowd, upto, sets[upto], starts, ends, threshold, marks, found)
        alike = {j for j in range(upto) if jaccard(sets[upto], sets[j], threshold) > 0}
        assert alike <= set(found[:n].tolist())


@settings(deadline=None)
@given(
    SETS,
    st.data(),
    st.sampled_from([0.3, 0.6, 0.8]),
    st.sampled_from([1, 2, 5]),
)
def test_the_choice_is_the_same_whether_a_bucket_is_called_crowded_or_not(
    sets: list[np.ndarray], data, threshold: float, crowded: int
) -> None:
    values, starts, ends = laid_out(sets)
    met = data.draw(
        st.lists(
            st.tuples(st.integers(0, len(sets) - 1), st.integers(0, 2)), unique=True, max_size=99
        )
    )
    members = np.array([each[0] for each in met], np.int32)
    buckets = np.array([each[1] for each in met], np.int32)
    copies = data.draw(st.lists(st.integers(0, len(sets) - 1), max_size=10))
    documents = np.array([*range(len(sets)), *copies], np.int32)
    arguments = (documents, values, starts, ends, *by_member(members, buckets, len(sets)), 3, 0, 0)
    no_meaning = np.empty((0, 1), np.float32), np.empty(0, np.int32), 1.0
    plain = settle(*arguments, threshold, NEVER, *no_meaning)
    asked = settle(*arguments, threshold, crowded, *no_meaning)
    assert [each.tolist() for each in asked] == [each.tolist() for each in plain]


@pytest.mark.parametrize("n", [1_000, 4_000])
def test_pages_under_one_banner_are_hardly_looked_at(n: int) -> None:
    banner = np.arange(230, dtype=np.uint64)
    pages = [
        np.concatenate([banner, np.arange(50, dtype=np.uint64) + 1_000 * (i + 1)]) for i in range(n)
    ]
    values, starts, ends = laid_out(pages)
    crowd = build(np.arange(n - 1, dtype=np.int32), values, starts, ends, 0.8)
    marks, found = np.full((n, 2), -1), np.empty(n, np.int32)
    assert candidates(crowd, n - 1, pages[-1], starts, ends, 0.8, marks, found) == (0, 0)
