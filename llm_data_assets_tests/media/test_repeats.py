"""Pairs that repeat another: the kernel against a plain loop, and what counts as the same."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_data_assets.media.repeats import METHODS, address_key, find_repeats, parse_phash

Pair = tuple[str, str | None, int | None, str]
PAIRS = st.lists(
    st.tuples(
        st.sampled_from(["image", "video"]),
        st.sampled_from([None, "http://a.org/1", "https://a.org/1", "http://a.org/2"]),
        st.one_of(st.none(), st.integers(0, 255)),
        st.sampled_from(["A quay", "a quay!", "the sea"]),
    ),
    max_size=12,
)


def plainly(rows: list[Pair], bits: int) -> list[tuple[int, str]]:
    """Each row against all kept ones before it."""
    kept: list[int] = []
    said = []
    for at, (kind, url, number, caption) in enumerate(rows):
        same = [k for k in kept if rows[k][0] == kind]
        by_url = [k for k in same if url and rows[k][1] and url[-3:] == rows[k][1][-3:]]
        near = sorted(((number ^ rows[k][2]).bit_count(), k) for k in same
                      if number is not None and rows[k][2] is not None)  # fmt: skip
        by_hash = [k for differ, k in near if differ <= bits]
        by_caption = [k for k in same if rows[k][3][-3:-1] == caption[-3:-1] or
                      ("quay" in caption and "quay" in rows[k][3])]  # fmt: skip
        for found, method in ((by_url, "url"), (by_hash, "phash"), (by_caption, "caption")):
            if found:
                said.append((found[0], method))
                break
        else:
            kept.append(at)
            said.append((-1, ""))
    return said


def table(rows: list[Pair]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    hashes = [None if number is None else f"{number:016x}" for number in columns[2]]
    named = {"kind": columns[0], "url": columns[1], "phash": hashes, "caption": columns[3]}
    return pa.table({name: pa.array(values, pa.string()) for name, values in named.items()})


@given(PAIRS, st.integers(0, 8))
def test_the_choice_is_that_of_a_plain_loop(rows: list[Pair], bits: int) -> None:
    partner, similarity, method = find_repeats(
        table(rows), np.arange(len(rows)), url=True, phash_bits=bits,
        captions_of=["image", "video"],
    )  # fmt: skip
    names = [METHODS.get(int(each), "") for each in method]
    assert list(zip(partner.tolist(), names, strict=True)) == plainly(rows, bits)
    assert all((similarity[at] > 0) == (partner[at] >= 0) for at in range(len(rows)))


def test_the_order_decides_who_stays_and_what_is_not_compared_stays() -> None:
    rows = [("audio", None, None, "he hoped"), ("audio", None, None, "he hoped"),
            ("image", None, 0b1111, "one"), ("image", None, 0, "two")]  # fmt: skip
    partner, similarity, _ = find_repeats(
        table(rows), np.array([3, 2, 1, 0]), url=True, phash_bits=4, captions_of=["image"]
    )
    assert partner.tolist() == [-1, -1, 3, -1] and similarity[2] == 60 / 64


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("A5F03C96A5F03C96", ("a5f03c96a5f03c96", "none")),
        ("0xa5f03c96a5f03c96", ("a5f03c96a5f03c96", "none")),
        ("a1b2", (None, "other_size")),
        ("no hash", (None, "not_hex")),
        (7, (None, "not_hex")),
        (None, (None, "none")),
    ],
)
def test_hashes_that_are_none_say_so(value: object, read: tuple[str | None, str]) -> None:
    assert parse_phash(value) == read


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://Example.org:80/a.jpg#x", "https://example.org/a.jpg", True),
        ("http://example.org", "http://example.org/", True),
        ("http://example.org/a.jpg?w=1", "http://example.org/a.jpg?w=2", False),
        ("http://example.org/A.jpg", "http://example.org/a.jpg", False),
        ("http://[broken", "http://[broken", True),
        ("http://example.org:x/a", "http://example.org/a", False),
    ],
)
def test_addresses_of_one_file(one: str, other: str, same: bool) -> None:
    assert (address_key(one) == address_key(other)) == same
