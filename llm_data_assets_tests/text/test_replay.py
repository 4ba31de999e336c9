"""The record of edits is exact: replaying it on the text before gives the text after."""

import itertools
import re

import ftfy.badness
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_data_assets.text.edits import Edit, apply_edits, changed_span, compose
from llm_data_assets.text.repair import repair
from llm_data_assets.text.signs import is_bad

BADNESS = sorted({c for c in ftfy.badness.BADNESS_RE.pattern if c > "\x7f"})
# Characters that repair has to do with, beside any other.
BROKEN = st.text(
    alphabet=st.one_of(
        st.sampled_from("ab \n\r\t\x07\x85\u2028\ufeff\ud800\u0301\u0323é한\u1112\u1161中\u2000"),
        st.sampled_from(BADNESS),
        st.characters(),
    ),
    max_size=60,
)


@settings(max_examples=600)
@given(BROKEN)
def test_replaying_the_repairs_gives_the_repaired_text(text: str) -> None:
    repaired, edits = repair(text)
    assert apply_edits(text, edits) == repaired
    ends = [(edit.start, edit.start + edit.length) for edit in edits]
    assert all(left[1] <= right[0] for left, right in itertools.pairwise(ends))


@settings(max_examples=300)
@given(st.text(alphabet=st.sampled_from("abcé “”’—…\n中"), max_size=40))
def test_mojibake_is_undone_and_replayed(text: str) -> None:
    broken = text.encode().decode("cp1252", "replace")
    repaired, edits = repair(broken)
    assert apply_edits(broken, edits) == repaired


@settings(max_examples=3000)
@given(st.text(alphabet=st.sampled_from([*BADNESS, *"aB .-\n’“”…中"]), max_size=60))
def test_the_quick_look_for_wrong_decoding_agrees_with_ftfy(text: str) -> None:
    assert is_bad(text) == ftfy.badness.is_bad(text)


def test_every_pair_that_ftfy_calls_bad_is_looked_at() -> None:
    around = [("", ""), ("a", "b"), ("a ", " b")]
    for first in [*BADNESS, "a", " "]:
        for second in BADNESS:
            for before, after in around:
                text = f"{before}{first}{second}{after}"
                assert is_bad(text) == ftfy.badness.is_bad(text), text


EDITS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(1, 4), st.text("xyz", max_size=3)), max_size=5
)


def _placed(gaps: list[tuple[int, int, str]], size: int, kind: str) -> list[Edit]:
    placed, at = [], 0
    for gap, length, replacement in gaps:
        at += gap
        if at + length > size:
            break
        placed.append(Edit(kind, at, length, replacement))
        at += length
    return placed


@settings(max_examples=800)
@given(st.text("abcdef", max_size=24), EDITS, EDITS)
def test_composed_edits_do_what_both_do(
    text: str, first: list[tuple[int, int, str]], second: list[tuple[int, int, str]]
) -> None:
    one = _placed(first, len(text), "one")
    between = apply_edits(text, one)
    two = _placed(second, len(between), "two")
    assert apply_edits(text, compose(one, two, between)) == apply_edits(between, two)


@settings(max_examples=300)
@given(st.text("ab", min_size=1, max_size=12), st.text("ab", max_size=12))
def test_a_changed_span_is_what_changed(before: str, after: str) -> None:
    if before != after:
        edit = changed_span("kind", 0, before, after)
        assert apply_edits(before, [edit]) == after and edit.length >= 1


def test_overlapping_edits_name_both_kinds() -> None:
    first = [Edit("citation", 2, 3, "")]
    composed = compose(first, [Edit("email", 0, 8, "<email>")], "jo@x.org now")
    assert composed == [Edit("citation+email", 0, 11, "<email>")]


@pytest.mark.parametrize("size", [200_000])
def test_one_long_line_is_repaired_in_one_pass(size: int) -> None:
    text = "e\u0301" * size
    repaired, edits = repair(text)
    assert repaired == "é" * size
    assert apply_edits(text, edits) == repaired
    assert not re.search("\u0301", repaired)
