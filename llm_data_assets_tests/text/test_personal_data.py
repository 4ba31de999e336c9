"""Masking: what it finds, what it leaves, and how often it is right on the labelled set."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_data_assets.text.candidates import candidates, candidates_by_pattern
from llm_data_assets.text.edits import apply_edits
from llm_data_assets.text.personal_data import KINDS, mask, mask_shown
from llm_data_assets_tests.text.labelled import PER_KIND, score, snippets

# What the finders look at, and neighbours that end it.
TRICKY = "0123456789 .-()+@:/_abXxAKIGB%'\"\n电话é\U0001f600"


def found(text: str) -> list[tuple[str, int, int]]:
    return [(edit.kind, edit.start, edit.start + edit.length) for edit in mask(text, KINDS)[1]]


@pytest.fixture(scope="module")
def scores() -> dict[str, tuple[int, int, int]]:
    return score(found)


@pytest.mark.parametrize("kind", KINDS)
def test_precision_and_recall_on_the_labelled_set(
    scores: dict[str, tuple[int, int, int]], kind: str
) -> None:
    hits, wrong, missed = scores[kind]
    assert hits + missed == PER_KIND
    assert hits / (hits + wrong) >= 0.98
    assert hits / (hits + missed) >= 0.95


def test_the_labelled_set_has_as_many_lookalikes_as_finds() -> None:
    for kind in KINDS:
        mine = [snippet for snippet in snippets() if snippet.kind == kind]
        assert sum(bool(snippet.expected) for snippet in mine) == PER_KIND
        assert sum(not snippet.expected for snippet in mine) == PER_KIND
        assert len({snippet.text for snippet in mine if snippet.expected}) > 0.8 * PER_KIND


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # An account number ends where its country says, whatever word follows.
        ("IBAN GB82 WEST 1234 5698 7654 32 BANK", "IBAN <iban> BANK"),
        ("DE89370400440532013000 and", "<iban> and"),
        ("2a00:1450:4001:81b::200e answered", "<ip> answered"),
        ("2001:db8::1 and fe80::1 and ::1", "2001:db8::1 and fe80::1 and ::1"),
        ("[2606:4700::6810:85e5]:443", "[<ip>]:443"),
        ("call 15912345678", "call <phone>"),
        ("order 15912345678", "order 15912345678"),
        ("请拨15912345678，", "请拨<phone>，"),
        ("Case Kept: JO@Example.ORG", "Case Kept: <email>"),
        ("٠١٢٣٤٥٦٧٨٩ שלום +972 50 234 5678", "٠١٢٣٤٥٦٧٨٩ שלום <phone>"),
        ("👩‍👩‍👧 jo@example.org 👍🏽", "👩‍👩‍👧 <email> 👍🏽"),
        ("\ud800 jo@example.org \udfff", "\ud800 <email> \udfff"),
        ("key AKIAIOSFODNN7EXAMPL2", "key <secret>"),
        ("https://u:s3cr3t@example.org/", "https://u:<secret>@example.org/"),
    ],
)
def test_masking(text: str, expected: str) -> None:
    masked, edits = mask(text, KINDS)
    assert masked == expected
    assert apply_edits(text, edits) == expected


@settings(max_examples=300)
@given(st.text(alphabet=TRICKY, max_size=120))
def test_replaying_the_edits_gives_the_masked_text(text: str) -> None:
    masked, edits = mask(text, KINDS)
    assert apply_edits(text, edits) == masked


@settings(max_examples=400)
@given(st.text(alphabet=TRICKY, max_size=120))
def test_the_kernel_names_the_windows_that_the_patterns_name(text: str) -> None:
    data = text.encode()
    assert sorted(map(tuple, candidates(data).tolist())) == candidates_by_pattern(data)
    assert mask_shown(text) == mask(text, KINDS)


def test_every_labelled_find_lies_in_a_window() -> None:
    """No find is lost because the kernel does not look there."""
    data = "\n".join(s.text for s in snippets() if s.expected).encode()
    assert sorted(map(tuple, candidates(data).tolist())) == candidates_by_pattern(data)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t",
        "word " * 1_000_000,
        "7" * 5_000_000,
        "a1" * 2_500_000,
        ":" * 100_000,
        "@" * 9999,
    ],
    ids=["empty", "space", "one word", "digits", "no space", "colons", "ats"],
)
def test_long_and_empty_texts_are_read_in_one_pass(text: str) -> None:
    assert mask(text, KINDS) == (text, [])
