"""Which keys stand more than once, told as a dictionary would tell it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_data_assets.dedup import buckets
from llm_data_assets.dedup.buckets import equal_keys

ALL_AT_ONCE, FILTERED_FIRST = 1 << 22, 0


def reference(keys: list[tuple]) -> set[tuple[int, ...]]:
    places: dict[tuple, list[int]] = {}
    for place, key in enumerate(keys):
        places.setdefault(key, []).append(place)
    return {tuple(each) for each in places.values() if len(each) > 1}


def groups_of(answer: tuple[np.ndarray, np.ndarray, np.ndarray]) -> set[tuple[int, ...]]:
    members, groups, firsts = answer
    found: list[list[int]] = [[] for _ in firsts]
    for member, group in zip(members.tolist(), groups.tolist(), strict=True):
        found[group].append(member)
    assert [each[0] for each in found] == firsts.tolist()
    return {tuple(each) for each in found}


KEYS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 1), st.integers(0, 2)), max_size=60)
SPREAD = np.random.default_rng(1).integers(0, 1 << 64, 16, np.uint64)


@settings(deadline=None)
@given(KEYS, st.data(), st.booleans(), st.booleans(), st.sampled_from([ALL_AT_ONCE, 0]))
def test_members_of_a_group_are_equal_and_ascend_the_first_named(
    keys: list[tuple[int, int, int]], data, has_more: bool, has_shift: bool, dealt: int
) -> None:
    low, high, shift = (np.array([each[i] for each in keys], np.int64) for i in range(3))
    rows = data.draw(st.none() | st.lists(st.integers(0, max(0, len(keys) - 1)), unique=True))
    if not keys:
        rows = None
    looked_at = np.arange(len(keys)) if rows is None else np.array(rows, np.int32)
    own = SPREAD[10 + shift][: len(looked_at)]
    expected = [
        (int(low[at]), has_more and int(high[at]), has_shift and int(own[place]))
        for place, at in enumerate(looked_at.tolist())
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(buckets, "_DEALT", dealt)
        found = equal_keys(
            SPREAD[low],
            high.astype(np.uint64) if has_more else None,
            None if rows is None else looked_at,
            own if has_shift else None,
        )
    assert groups_of(found) == reference(expected)


@pytest.mark.parametrize("dealt", [ALL_AT_ONCE, FILTERED_FIRST])
def test_many_keys_in_many_parts(monkeypatch: pytest.MonkeyPatch, dealt: int) -> None:
    monkeypatch.setattr(buckets, "_DEALT", dealt)
    random = np.random.default_rng(1)
    keys = random.integers(0, 1 << 64, 70_000, np.uint64)
    keys[random.permutation(70_000)[:20_000]] = random.choice(keys, 20_000)
    found = groups_of(equal_keys(keys))
    assert found == reference([(key,) for key in keys.tolist()])


@pytest.mark.parametrize("dealt", [ALL_AT_ONCE, FILTERED_FIRST])
def test_a_million_equal_keys_are_one_group(monkeypatch: pytest.MonkeyPatch, dealt: int) -> None:
    monkeypatch.setattr(buckets, "_DEALT", dealt)
    members, groups, firsts = equal_keys(np.full(1_000_000, 7, np.uint64))
    np.testing.assert_array_equal(members, np.arange(1_000_000))
    assert not groups.any()
    assert firsts.tolist() == [0]


def test_keys_that_agree_in_the_bits_compared_are_told_apart_by_themselves() -> None:
    undone = pow(buckets._MIX, -1, 1 << 64)
    keys = np.array([(7 << 32 | last) * undone % (1 << 64) for last in (0, 1, 0)], np.uint64)
    assert groups_of(equal_keys(keys)) == {(0, 1, 2)}
    assert groups_of(equal_keys(keys, keys)) == {(0, 2)}
