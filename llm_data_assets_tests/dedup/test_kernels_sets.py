"""Shingle hashes with repeats become sets, as Python's own sets do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_data_assets.dedup.kernels_sets import count_distinct, sorted_sets

# Hashes that lie close together or repeat, as those of a uniform hash hardly do.
HASHES = st.integers(1, 40) | st.integers((1 << 64) - 40, (1 << 64) - 1) | st.integers(1, 1 << 63)


@given(st.lists(st.lists(HASHES, max_size=60), max_size=6))
def test_each_set_holds_its_distinct_hashes_in_order(rows: list[list[int]]) -> None:
    hashes = np.array([each for row in rows for each in row], np.uint64)
    offsets = np.cumsum([0, *map(len, rows)])
    values, ends = sorted_sets(hashes, offsets)
    assert ends[0] == 0 and len(ends) == len(rows) + 1
    for row, start, stop in zip(rows, ends[:-1], ends[1:], strict=True):
        assert values[start:stop].tolist() == sorted(set(row))
    assert count_distinct(hashes, offsets).tolist() == [len(set(row)) for row in rows]


@pytest.mark.parametrize("hashes", [[7] * 100_000, list(range(1, 20_001)), [1, (1 << 64) - 1] * 9])
def test_what_repeats_or_crowds_is_one_set_as_well(hashes: list[int]) -> None:
    values, ends = sorted_sets(np.array(hashes, np.uint64), np.array([0, len(hashes)]))
    assert values.tolist() == sorted(set(hashes))
    assert ends.tolist() == [0, len(values)]
