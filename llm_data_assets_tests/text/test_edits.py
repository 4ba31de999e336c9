"""Lines and personal data: what is removed or masked, and what only looks like it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_data_assets.text.edits import apply_edits
from llm_data_assets.text.lines import clean_lines
from llm_data_assets.text.personal_data import KINDS, mask


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to jo.doe+x@mail.example.org now", "write to <email> now"),
        ("call +1 212-555-0142 today", "call <phone> today"),
        ("call (212) 555-0142 today", "call <phone> today"),
        ("电话 13800138000。", "电话 <phone>。"),
        ("server 8.8.8.8 and 192.168.0.1", "server <ip> and 192.168.0.1"),
        ("id 11010519491231002X", "id <id_card>"),
        ("id 440524188001010014", "id <id_card>"),
        ("card 4111 1111 1111 1111", "card <credit_card>"),
        ("card 378282246310005", "card <credit_card>"),
        ("to GB82 WEST 1234 5698 7654 32 please", "to <iban> please"),
        # Wrong check digits, versions and dates are not personal data.
        ("id 440524188001010021", "id 440524188001010021"),
        ("number 4111 1111 1111 1112", "number 4111 1111 1111 1112"),
        ("GB82 WEST 1234 5698 7654 33", "GB82 WEST 1234 5698 7654 33"),
        ("version 1.2.3 of 2024-01-02", "version 1.2.3 of 2024-01-02"),
        ("address 999.1.1.1 is none", "address 999.1.1.1 is none"),
        ("", ""),
    ],
)
def test_masking(text: str, expected: str) -> None:
    masked, edits = mask(text, KINDS)
    assert masked == expected
    for edit in edits:
        assert text[edit.start : edit.start + edit.length] not in masked


def test_only_the_kinds_asked_for_are_masked() -> None:
    assert mask("a@b.org 8.8.8.8", ["ip"])[0] == "a@b.org <ip>"


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="0123456789 .-@abXx+()", max_size=80))
def test_masking_twice_changes_nothing(text: str) -> None:
    once, _ = mask(text, KINDS)
    assert mask(once, KINDS)[0] == once


def test_lines_about_policies_and_scripts_go_and_citations_are_cut() -> None:
    text = "A fact.[12]\nWe use cookies here.\nEnable JavaScript now.\nLast[edit] line."
    cleaned, edits = clean_lines(text)
    assert cleaned == "A fact.\nLast line."
    assert [edit.kind for edit in edits] == [
        "citation",
        "line_policy",
        "line_javascript",
        "citation",
    ]
    assert text[edits[1].start :].startswith("We use cookies")


def test_clean_text_comes_back_as_it_is() -> None:
    text = "Nothing to remove.\nNot here either."
    assert clean_lines(text) == (text, [])


def test_boilerplate_and_repeated_lines_go_and_the_rest_replays() -> None:
    line = "A header that every page of the site has"
    text = (
        f"Skip to content\n{line}\nOne.\n{line}\n  3 likes  \nTwo.\n{line}\nRead more »\nOwn line"
    )
    cleaned, edits = clean_lines(text, boilerplate=frozenset({"own line"}))
    assert cleaned == f"{line}\nOne.\nTwo."
    assert apply_edits(text, edits) == cleaned
    assert [edit.kind for edit in edits] == [
        "line_boilerplate",
        "line_repeated",
        "line_boilerplate",
        "line_repeated",
        "line_boilerplate",
        "line_boilerplate",
    ]


def test_only_the_kinds_of_line_asked_for_go() -> None:
    text = "We use cookies.\nA fact.[1]\nShare this"
    assert clean_lines(text, ["citation"])[0] == "We use cookies.\nA fact.\nShare this"
    assert clean_lines(text, [])[0] == text


def test_a_word_beyond_a_thousand_characters_takes_its_line() -> None:
    text = "short\n" + "x" * 1001
    assert clean_lines(text, ["long_word"])[0] == "short"


@settings(max_examples=500, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["", " ", "Share this", "we use cookies", "a[1]b[edit]", "javascript", "text", "l" * 25]
        ),
        max_size=12,
    )
)
def test_replaying_the_line_edits_gives_the_cleaned_text(lines: list[str]) -> None:
    text = "\n".join(lines)
    cleaned, edits = clean_lines(text)
    assert apply_edits(text, edits) == cleaned
