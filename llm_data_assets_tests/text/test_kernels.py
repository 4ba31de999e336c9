"""The kernels give what the plain definitions give, on any text."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_data_assets.text.kernels_measure import OF_SPLIT, OWN
from llm_data_assets.text.reference import signals_of
from llm_data_assets.text.signals import MEASURED_NAMES, groups_for, measure, measure_array
from llm_data_assets_tests.parity.judging import failing_rules
from llm_data_assets_tests.parity.toolkits import TOOLKITS

PIECES = st.sampled_from(
    [
        "the ", "The", "THE", " be", "word", "words and ", "\n", "\n\n", " \n", "\r\n", "\t", "...",
        ". . .", "…", "#", "##", "- ", "• ", "* ", "{", "}", "[1]", "[edit]", "lorem ipsum ",
        "3 likes",
        "Java", "javascript ", "use cookies ", "privacy policy", "e.g. ", "Mr. ", "U.S. ", "end. ",
        "Next", "?", "!", "read more...", "\ufffd", "_", "٣", "²", "ǅ", "İ", "Σας", "ß", "e\u0301",
        "🙂", "👩‍👩‍👧", "שלום ", "مرحبا ", "数据", "质量。", "カタカナ", "ひら", "ไทย", "\x0b",
        "\x85", "\u2028",
        "\u00a0", "\U00020000", "a" * 40, "x" * 1001 + " ",
    ]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=40).map("".join)
LANGUAGES = st.sampled_from(["en", "de", "zh", "wuu", "ja", "th", "und"])


def measured(text: str, language: str = "en") -> dict[str, float]:
    return dict(zip(MEASURED_NAMES, measure_array(pa.array([text]), [language])[0], strict=True))


@settings(max_examples=400)
@given(TEXTS, LANGUAGES)
def test_the_kernels_equal_the_plain_definitions(text: str, language: str) -> None:
    found = measured(text, language)
    for name, value in signals_of(text, language).items():
        assert found[name] == pytest.approx(value, abs=1e-12), name


@settings(max_examples=60)
@given(TEXTS, LANGUAGES, st.sets(st.sampled_from(MEASURED_NAMES), max_size=3), st.booleans())
def test_what_is_asked_for_is_measured_as_among_all_and_the_rest_is_null(
    text: str, language: str, names: set[str], general: bool
) -> None:
    texts, languages = pa.array([text], pa.string()), pa.array([language])
    scores = pa.array([1.0], pa.float32())
    (all_of,) = measure(texts, languages, language_scores=scores).to_pylist()
    wanted = groups_for(names, general=general)
    (asked,) = measure(texts, languages, language_scores=scores, wanted=wanted).to_pylist()
    assert all(asked[name] is not None for name in names)
    assert all(value in (None, all_of[name]) for name, value in asked.items())
    assert (groups_for([]), groups_for([], general=False)) == (OWN, 0)
    assert general or names or not any(asked[name] for name in MEASURED_NAMES)
    assert (asked["dup_5grams__dolma"] is None) == (not wanted & OF_SPLIT)


@settings(max_examples=100)
@given(st.lists(TEXTS, max_size=5))
def test_a_text_is_measured_alike_whatever_stands_beside_it(texts: list[str]) -> None:
    together = measure_array(pa.array(texts, pa.string()), ["en"] * len(texts))
    alone = [measure_array(pa.array([text]), ["en"])[0] for text in texts]
    assert [row.tolist() for row in together] == [row.tolist() for row in alone]


def test_a_slice_of_an_array_is_measured_as_its_texts() -> None:
    texts = pa.array(["left out", "the first text", "数据质量", "left out"]).slice(1, 2)
    assert measure_array(texts, ["en", "zh"])[0].tolist() == list(
        measured("the first text").values()
    )


@pytest.mark.parametrize("toolkit", sorted(TOOLKITS))
def test_real_web_pages_are_judged_as_the_toolkit_judges_them(
    toolkit: str, shared_data: Path
) -> None:
    packed = (shared_data / "c4" / "c4-en-sample.json.gz").read_bytes()
    lines = gzip.decompress(packed).decode().splitlines()
    texts = [json.loads(line)["text"] for line in lines][:300]
    ours = failing_rules(toolkit, pa.array(texts))
    theirs = [TOOLKITS[toolkit](text) for text in texts]
    differ = [
        text[:60] for text, a, b in zip(texts, ours, theirs, strict=True) if bool(a) != bool(b)
    ]
    assert differ == []


@pytest.mark.parametrize(
    "text",
    [
        "", " \n\t ", "word " * 1_000_000, "a" * 5_000_000, "א ב ג abc", "🙂" * 1000,
        "same line\n" * 200_000, "".join(f"row {i % 10} of {i}\n" for i in range(100_000)),
    ],
    ids=["empty", "blank", "a million words", "one long word", "mixed", "emoji", "lines", "table"],
)  # fmt: skip
def test_hostile_texts_give_finite_numbers(text: str) -> None:
    found = measured(text)
    assert all(value == value and abs(value) != float("inf") for value in found.values())
    # Dolma divides characters with spaces by characters of words.
    shares = [name for name in found if "dup" in name and name != "dup_line_char_frac__dolma"]
    assert all(0 <= found[name] <= 1 for name in shares)


def test_a_lone_surrogate_cannot_come_in() -> None:
    with pytest.raises(UnicodeEncodeError):
        pa.array(["\ud800"])
