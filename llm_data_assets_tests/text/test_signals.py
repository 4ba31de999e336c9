"""Signals have the values that their published definitions give."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_data_assets.text.language import detect, sample_of
from llm_data_assets.text.signals import MEASURED_NAMES, SIGNALS, measure, measure_array
from llm_data_assets_tests.quickstart.prose import article_zh


def signals_of(text: str, language: str) -> dict[str, float]:
    """One text through the kernels."""
    return dict(zip(MEASURED_NAMES, measure_array(pa.array([text]), [language])[0], strict=True))


@pytest.mark.parametrize(
    ("text", "dupe_5", "top_2"),
    [  # RedPajama-v2's definition, worked out by hand in the methods' table
        ("a b c d e a b c d e", 1.0, 0.4),
        ("the cat sat on the mat " * 3, 1.0, 0.3529),
        ("every word here is new", 0.0, 0.0),
    ],
)
def test_repetition(text: str, dupe_5: float, top_2: float) -> None:
    found = signals_of(text, "en")
    assert found["rps_doc_frac_chars_dupe_5grams"] == pytest.approx(dupe_5)
    assert found["rps_doc_frac_chars_top_2gram"] == pytest.approx(top_2, abs=1e-4)


def test_a_small_document_by_hand() -> None:
    found = signals_of("The Cat SAT.\n\n- one # two\nand so on...\nThe Cat SAT.", "en")
    assert found["rps_doc_word_count"] == 11
    assert found["n_lines"] == 4
    assert found["max_line_length"] == 12
    assert found["frac_lines_start_with_bullet"] == 0.25
    assert found["rps_doc_frac_lines_end_with_ellipsis"] == 0.25
    assert found["dup_line_frac"] == 0.25
    assert found["dup_line_char_frac"] == pytest.approx(12 / 47)
    assert found["stop_words_distinct"] == 2
    assert found["rps_doc_symbol_to_word_ratio"] == pytest.approx(2 / 13)


@pytest.mark.parametrize("text", ["", "   \n ", "a", "word " * 20_000, "🙂" * 100, "א ב ג"])
def test_every_signal_is_a_number_for_any_text(text: str) -> None:
    texts = pa.array([text])
    languages, scores = detect(texts)
    row = measure(texts, languages, language_scores=scores).to_pylist()[0]
    assert list(row) == [signal.name for signal in SIGNALS]
    for name, value in row.items():
        assert value == value, name  # NaN is not equal to itself


def test_chinese_is_segmented_and_its_repetition_seen() -> None:
    clean = signals_of("数据质量决定模型上限。训练前要做去重与过滤。", "zh")
    assert clean["rps_doc_word_count"] > 8
    assert clean["char_repetition"] == 0.0
    assert clean["rps_doc_num_sentences"] == 2
    assert signals_of("很好" * 5, "zh")["char_repetition"] == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("language", "text", "words"),
    [
        ("ja", "私は昨日、東京で友達に会いました。", 12),
        ("th", "ฉันไปเที่ยวที่เชียงใหม่", 5),
    ],
)
def test_words_of_scripts_without_spaces_are_not_cut_by_english_rules(
    language: str, text: str, words: int
) -> None:
    """spaCy's English tokens of a Japanese sentence are the sentence and its full stop."""
    found = signals_of(text, language)
    assert found["rps_doc_word_count"] == words
    assert found["mean_word_length__datatrove"] == pytest.approx(found["rps_doc_mean_word_length"])


@pytest.mark.parametrize(
    ("text", "language", "tokens"),
    [
        ("apt-get IP-Adresse", "en", "apt - get IP - Adresse"),
        ("apt-get IP-Adresse 2021-08", "de", "apt-get IP-Adresse 2021 - 08"),
        ("CD-ROM apt-get", "it", "CD-ROM apt - get"),
        ("apt-get 2021-08", "es", "apt-get 2021-08"),
        ("L'homme d’un", "fr", "L' homme d’ un"),
        ("L'homme isn't", "en", "L'homme is n't"),
        ("isn't it's", "ru", "isn't it 's"),
        ("Kapitel 2. Ende.", "de", "Kapitel 2. Ende ."),
        ("file. دبيان.", "ar", "file. دبيان ."),
        ("file. دبيان.", "en", "file . دبيان ."),
        ("32-bit", "en", "32 - bit"),
        ("32-bit", "fr", "32-bit"),
    ],
)
def test_words_of_datatrove_are_cut_as_spacy_cuts_the_language(
    text: str, language: str, tokens: str
) -> None:
    """What spaCy 3.8's tokenizer of the language gives, counted."""
    expected = tokens.split()
    with_letters = [token for token in expected if any(c.isalpha() for c in token)]
    found = signals_of(text, language)["alphabetic_words__datatrove"]
    assert found == pytest.approx(len(with_letters) / len(expected))


def test_a_long_text_is_no_more_repetitive_than_its_beginning() -> None:
    text = "".join("".join(article_zh(number)[1] for number in range(18)).split())
    beginning = signals_of(text[:2_000], "zh")
    assert signals_of(text, "zh")["char_repetition"] == beginning["char_repetition"]


def test_language() -> None:
    texts = pa.array(
        [
            "The harbour is open every morning.",
            "港口每天早上开放，欢迎大家来参观。",
            "",
            "Der Hafen ist am Morgen offen.",
        ]
    )
    languages, scores = detect(texts)
    assert languages.to_pylist() == ["en", "zh", "und", "de"]
    assert scores[2].as_py() == 0.0


def test_a_long_text_is_read_from_its_begin_to_its_end() -> None:
    menu = "Start Suche Hilfe Impressum Anmelden Kontakt Startseite Inhalt weiter zurück "
    body = "The harbour is open every morning, and the boats leave before the sun is up. " * 40
    languages, _ = detect(pa.array([menu + body, menu, " \n" * 10_000 + "Der Hafen ist offen."]))
    assert languages.to_pylist() == ["en", "de", "de"]


@given(st.text(max_size=200), st.integers(1, 12), st.integers(1, 12))
def test_a_sample_is_of_the_text_and_no_longer_than_asked(
    text: str, pieces: int, characters: int
) -> None:
    sample = sample_of(text, pieces, characters)
    assert len(sample.replace(" ", "")) <= pieces * characters
    assert bool(sample) == bool(text.strip())
    assert set(sample) - {" "} <= set(text)
    if len(text) <= pieces * characters:
        assert sample == " ".join(text.split())
