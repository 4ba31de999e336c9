"""Open tables of an encoder: every key is found from its home on, and nothing else is."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from llm_data_assets.tokens.merges import EMPTY, MULTIPLIER, hash_set, packed_table

KEYS = st.integers(0, 40) | st.integers(0, (1 << 42) - 1)


def place(slots: np.ndarray, key: int) -> int:
    """Where the kernels find a key; -1 where they meet an empty slot before."""
    bits = len(slots).bit_length() - 1
    at = (key * int(MULTIPLIER) % (1 << 64)) >> (64 - bits)
    while slots[at] != EMPTY:
        if slots[at] == key:
            return at
        at = (at + 1) % len(slots)
    return -1


@given(st.dictionaries(KEYS, st.integers(0, (1 << 21) - 1), max_size=70), KEYS)
def test_every_key_is_found_with_its_value(entries: dict[int, int], other: int) -> None:
    given_keys, values = (
        np.fromiter(each, np.uint64, len(entries)) for each in (entries, entries.values())
    )
    table = packed_table(given_keys, values, bits=21)
    keys = np.where(table == EMPTY, EMPTY, table >> np.uint64(21))
    np.testing.assert_array_equal(keys, hash_set(list(entries)))
    found = {key: int(table[place(keys, key)]) & ((1 << 21) - 1) for key in entries}
    assert found == entries
    assert (place(keys, other) >= 0) == (other in entries)
    assert np.count_nonzero(keys != EMPTY) == len(entries) <= len(table) // 2


def test_keys_that_the_end_pushes_out_stand_at_the_begin() -> None:
    last = [key for key in range(1000) if (key * int(MULTIPLIER) % (1 << 64)) >> 60 == 15][:5]
    slots = hash_set(last)
    assert [place(slots, key) for key in last] == [15, 0, 1, 2, 3]
