"""Lines, paragraphs, sentences and substrings that stood before."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_data_assets.dedup.repeats import later_copies, parts, united
from llm_data_assets.dedup.substrings import repeated_substrings

TEXT = "Page 1 of 9\nA line, of its own.\n\nTwo. Three!\nFour?\n***\n第一句。第二句！"


def texts_of(text: str, kind: str, **options: int) -> list[str]:
    return [text[part.start : part.end] for part in parts(text, kind, **options)]


def test_parts_of_a_text() -> None:
    assert texts_of(TEXT, "line") == [
        "Page 1 of 9",
        "A line, of its own.",
        "Two. Three!",
        "Four?",
        "第一句。第二句！",
    ]
    assert texts_of(TEXT, "line", min_characters=12) == ["A line, of its own."]
    assert texts_of(TEXT, "paragraph")[0] == "Page 1 of 9\nA line, of its own."
    assert texts_of("One. Two? Three! Four.", "sentences") == [
        "One. Two? Three!",
        "Two? Three! Four.",
    ]


def test_digits_case_and_punctuation_do_not_count() -> None:
    (first,) = parts("Page 1 of 9", "line")
    (second,) = parts("page 7, of 3!", "line")
    assert first.key == second.key


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 9), max_size=40))
def test_later_copies_are_those_that_stood_before(values: list[int]) -> None:
    keys = np.array(values, np.uint64) * np.uint64(0x9E3779B185EBCA87)
    places, first, times = later_copies(keys)
    expected = [i for i, value in enumerate(values) if value in values[:i]]
    assert places.tolist() == expected
    assert first.tolist() == [values.index(values[i]) for i in expected]
    assert times.tolist() == [values.count(values[i]) for i in expected]


def test_spans_that_touch_are_one() -> None:
    assert united([(5, 9), (0, 2), (2, 4), (8, 12)]) == [(0, 4), (5, 12)]


def by_brute_force(texts: list[bytes], width: int) -> list[list[tuple[int, int]]]:
    seen: set[bytes] = set()
    found = []
    for text in texts:
        spans = []
        for at in range(len(text) - width + 1):
            window = text[at : at + width]
            if window in seen:
                spans.append((at, at + width))
            seen.add(window)
        found.append(united(spans))
    return found


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text("ab", max_size=30), max_size=5), st.integers(2, 6))
def test_substrings_are_those_of_a_search_by_brute_force(texts: list[str], width: int) -> None:
    pytest.importorskip("pydivsufsort", reason="the extra `substrings` is not installed")
    expected = by_brute_force([text.encode() for text in texts], width)
    assert [united(each) for each in repeated_substrings(texts, min_bytes=width)] == expected


def test_only_whole_characters_go() -> None:
    pytest.importorskip("pydivsufsort", reason="the extra `substrings` is not installed")
    texts = ["深圳是一座城市", "在深圳是一座桥"]
    spans = repeated_substrings(texts, min_bytes=7)
    assert [[text[a:b] for a, b in each] for text, each in zip(texts, spans, strict=True)] == [
        [],
        ["深圳是一座"],
    ]


def test_substrings_of_words_begin_and_end_with_words() -> None:
    pytest.importorskip("pydivsufsort", reason="the extra `substrings` is not installed")
    texts = ["one two three four", "zero one  two three five", "two three four"]
    spans = repeated_substrings(texts, min_words=3)
    assert [[text[a:b] for a, b in each] for text, each in zip(texts, spans, strict=True)] == [
        [],
        ["one  two three"],
        ["two three four"],
    ]


def test_one_length_is_asked_for() -> None:
    with pytest.raises(ValueError, match="give min_bytes or min_words"):
        repeated_substrings(["a"])
