"""Parts that share no bucket are settled by themselves; the answer is that of the whole."""

from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_data_assets.dedup.parts import components, parted, settle_parts
from llm_data_assets.dedup.settle import by_member, settle

N_BUCKETS = 12
NO_MEANING = np.empty((0, 1), np.float32), np.empty(0, np.int32)


@st.composite
def meetings(draw):
    """Originals with shingles, copies of them, their buckets, and how many of those are sure."""
    n = draw(st.integers(1, 25))
    shingle_sets = st.sets(st.integers(1, 12), min_size=1, max_size=8)
    sets = [np.array(sorted(draw(shingle_sets)), np.uint64) for _ in range(n)]
    ends = np.array(list(accumulate(map(len, sets))), np.int64)
    met = draw(
        st.lists(
            st.tuples(st.integers(0, n - 1), st.integers(0, N_BUCKETS - 1)),
            unique=True,
            max_size=40,
        )
    )
    met.sort(key=lambda pair: pair[1])  # exact buckets first, as the bands are numbered
    pairs = by_member(
        np.array([each[0] for each in met], np.int32),
        np.array([each[1] for each in met], np.int32),
        n,
    )
    copies = draw(st.lists(st.integers(0, n - 1), max_size=10))
    documents = np.array([*range(n), *copies], np.int32)
    n_exact, n_sure = sorted(draw(st.tuples(st.integers(0, 3), st.integers(0, 6))))
    kinds = np.array([n_exact, n_sure - n_exact, N_BUCKETS - n_sure])
    starts = ends - [len(each) for each in sets]
    return documents, np.concatenate(sets), starts, ends, *pairs, kinds


@settings(deadline=None)
@given(
    meetings(),
    st.sampled_from([0.2, 0.5, 0.8]),
    st.sampled_from([1, 3, 99]),
    st.booleans(),
    st.data(),
)
def test_parts_give_the_answer_of_the_whole(
    met, threshold: float, crowded: int, by_meaning: bool, data
) -> None:
    *arguments, kinds = met
    meaning = NO_MEANING
    if by_meaning:
        n = len(arguments[2])
        angles = data.draw(st.lists(st.sampled_from([0.0, 0.1, 1.0]), min_size=n, max_size=n))
        clusters = data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))
        vectors = np.array([[np.cos(each), np.sin(each)] for each in angles], np.float32)
        meaning = vectors, np.array(clusters, np.int32)
    counts = kinds.sum(), kinds[0], kinds[:2].sum()
    whole = settle(*arguments, *counts, threshold, crowded, *meaning, 0.9)
    with ThreadPoolExecutor(2) as pool:
        apart = settle_parts(*arguments, kinds, threshold, crowded, *meaning, 0.9, pool.map)
    assert [each.tolist() for each in apart] == [each.tolist() for each in whole]


@settings(deadline=None)
@given(meetings())
def test_no_two_parts_share_a_bucket(met) -> None:
    documents, _, starts, ends, offsets, buckets, kinds = met
    parts = parted(documents, ends - starts, offsets, buckets, kinds, NO_MEANING[1])
    assert sorted(np.concatenate([each.places for each in parts])) == list(range(len(documents)))
    assert sorted(np.concatenate([each.originals for each in parts])) == list(range(len(starts)))
    owner: dict[int, int] = {}
    for index, part in enumerate(parts):
        for original in part.originals:
            for bucket in buckets[offsets[original] : offsets[original + 1]]:
                assert owner.setdefault(bucket, index) == index


def test_a_chain_of_buckets_is_one_component() -> None:
    # 0-1 and 1-3 share buckets; 2 meets 4 in a cluster alone; 5 meets nobody.
    members, buckets = np.array([0, 1, 1, 3], np.int32), np.array([0, 0, 1, 1], np.int32)
    offsets, of = by_member(members, buckets, 6)
    assert components(offsets, of, 2, NO_MEANING[1]).tolist() == [0, 0, 2, 0, 4, 5]
    clusters = np.array([9, 8, 1, 7, 1, 6], np.int32)
    assert components(offsets, of, 2, clusters).tolist() == [0, 0, 2, 0, 2, 5]
