"""What goes wrong beyond clean English: unspaced scripts, long inputs, edits that must replay."""

import math

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_data_assets.text.classifier import train_classifier
from llm_data_assets.text.decode import decode
from llm_data_assets.text.language import detect
from llm_data_assets.text.lines import clean_lines
from llm_data_assets.text.ngram_model import train_ngrams
from llm_data_assets.text.optional_signals import (
    GENERATED,
    LETTERS,
    MIXED,
    OF_MODELS,
    OPTIONAL,
    STATED,
    Models,
    measure_optional,
)
from llm_data_assets.text.personal_data import KINDS, mask
from llm_data_assets.text.reference import duplicate_ngram_share
from llm_data_assets.text.repair import Edit, repair
from llm_data_assets.text.signals import measure
from llm_data_assets.text.words import words
from llm_data_assets_tests.text.test_signals import signals_of


def replayed(text: str, edits: list[Edit]) -> str:
    for edit in sorted(edits, key=lambda one: one.start, reverse=True):
        assert edit.start + edit.length <= len(text)
        text = text[: edit.start] + edit.replacement + text[edit.start + edit.length :]
    return text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("电话13800138000联系", "电话<phone>联系"),
        ("手机8613800138000，或86-13800138000。", "手机<phone>，或<phone>。"),
        ("邮箱jo@mail.example.com联系我", "邮箱<email>联系我"),
        ("账号GB82 WEST 1234 5698 7654 32。", "账号<iban>。"),
        ("身份证11010519491231002X号", "身份证<id_card>号"),
        ("DE89 3704 0044 0532 0130 00", "<iban>"),
        ("FR14 2004 1010 0505 0001 3M02 606", "<iban>"),
        ("5500005555555559", "<credit_card>"),
        ("79927398713", "79927398713"),  # passes Luhn, but is too short for a card
        ("１３８００１３８０００", "１３８００１３８０００"),  # full width: left as it is
    ],
)
def test_personal_data_is_found_beside_chinese_characters(text: str, expected: str) -> None:
    masked, edits = mask(text, KINDS)
    assert masked == expected
    assert replayed(text, edits) == masked


def test_a_hundred_thousand_addresses_are_masked_in_one_pass() -> None:
    text = "jo@example.org 8.8.8.8 " * 50_000
    masked, edits = mask(text, KINDS)
    assert masked == "<email> <ip> " * 50_000
    assert len(edits) == 100_000


PIECES = st.sampled_from(
    ["A fact.[12]", "we use cookies", "Enable JavaScript", "", "[edit] b", "c"]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=8))
def test_replaying_the_line_edits_gives_the_cleaned_text(lines: list[str]) -> None:
    text = "\n".join(lines)
    cleaned, edits = clean_lines(text)
    assert replayed(text, edits) == cleaned


@pytest.mark.parametrize("shift", [0, 1, 2, 3])
@pytest.mark.parametrize(
    ("sentence", "encoding"),
    [
        ("数据质量决定模型的上限，训练前要做去重与过滤。", "gb18030"),
        ("日本語の文章は難しいです。", "cp932"),
    ],
)
def test_a_long_legacy_file_is_decoded_wherever_the_sample_is_cut(
    sentence: str, encoding: str, shift: int
) -> None:
    text = "a" * shift + sentence * 4_000
    assert decode(text.encode(encoding)) == (text, encoding)


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("to be, or not", "en", ["to", "be,", "or", "not"]),
        ("ສະບາຍ ok", "lo", [*"ສະບາຍ", "ok"]),
        ("សួស្តី", "km", ["សួ", "ស្", "តី"]),
        ("東京タワーへ行く", "ja", ["東京", "タワー", "へ", "行", "く"]),
        ("ประเทศไทย", "th", ["ประ", "เทศ", "ไทย"]),
        ("שלום עולם", "he", ["שלום", "עולם"]),
        ("🙂 🙂", "en", ["🙂", "🙂"]),
        ("", "zh", []),
        (" \n\t", "zh", []),
    ],
)
def test_words_follow_the_script(text: str, language: str, expected: list[str]) -> None:
    assert words(text, language) == expected


def plain_duplicate_share(tokens: list[int], n: int) -> float:
    grams = [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
    hit = {i + k for i, gram in enumerate(grams) if grams.count(gram) > 1 for k in range(n)}
    return len(hit) / len(tokens) if tokens else 0.0


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 2), max_size=30), st.integers(5, 10))
def test_duplicate_ngrams_equal_the_plain_definition(tokens: list[int], n: int) -> None:
    share = duplicate_ngram_share(tokens, [1] * len(tokens), n, len(tokens))
    assert share == plain_duplicate_share(tokens, n)


def test_every_gopher_signal_of_one_word_repeated_is_saturated() -> None:
    found = signals_of("word " * 100_000, "en")
    assert found["rps_doc_frac_chars_dupe_10grams"] == 1.0
    assert found["rps_doc_frac_chars_top_2gram"] == 1.0
    assert found["rps_doc_unigram_entropy"] == 0.0


def test_five_megabytes_without_a_line_break_pass_unchanged() -> None:
    text = "a" * 5_000_000
    assert repair(text) == (text, [])
    assert mask(text, KINDS) == (text, [])
    assert clean_lines(text) == (text, [])


HARD_TEXTS = {
    "empty": "",
    "white space": " \n\t\u3000\n\n",
    "one word a million times": "word " * 1_000_000,
    "five megabytes without a line break": "a" * 5_000_000,
    "right to left": "\u202bשלום עולם\u202c. مرحبا بالعالم.\n" * 50,
    "mixed scripts": "Data 数据 データ ข้อมูล данные שלום. " * 50,
    "emoji sequences": "👩‍👩‍👧‍👦🏳️‍🌈👍🏽 " * 50,
}
CLASSIFIER, _ = train_classifier(["good text"] * 5, ["bad words"] * 5)
MODELS = Models(
    train_ngrams(["A reference text."]), {"quality_score": CLASSIFIER},
    {"spam_words": {1: frozenset({("word",)})}},
)  # fmt: skip


@pytest.mark.parametrize("name", HARD_TEXTS)
def test_every_signal_of_a_hard_text_is_a_finite_number(name: str) -> None:
    texts = pa.array([HARD_TEXTS[name]])
    languages, scores = detect(texts)
    asked = [each.name for each in OPTIONAL]
    (row,) = measure(texts, languages, language_scores=scores).to_pylist()
    (more,) = measure_optional(texts, languages, asked, MODELS).to_pylist()
    given = {"perplexity", *MODELS.classifiers, *MODELS.words}
    for signal, value in (row | more).items():
        if signal in ("second_language", "spdx_header"):
            continue
        if signal in {each.name for each in OF_MODELS} - given:
            assert value is None
        else:
            assert math.isfinite(value), signal
    if name == "empty":
        assert not any(more.values())


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("Data 数据", {"latin_letters": 4 / 6, "han_letters": 2 / 6, "mixed_script_words": 0}),
        ("pаypal account", {"cyrillic_letters": 1 / 13, "mixed_script_words": 1 / 2}),
        ("食べる データ", {"han_letters": 1 / 6, "kana_letters": 5 / 6, "mixed_script_words": 0}),
        ("שלום عالم ไทย 한국 ελ हि", {"hebrew_letters": 4 / 16, "hangul_letters": 2 / 16}),
        ("12 + 34 = 46 🙂", {"latin_letters": 0, "mixed_script_words": 0}),
    ],
)
def test_letters_and_words_are_told_apart_by_script(text: str, shares: dict[str, float]) -> None:
    asked = [each.name for each in (*LETTERS, MIXED)]
    texts, languages = pa.array(["left out", text]).slice(1), pa.array(["und"])
    (row,) = measure_optional(texts, languages, asked, Models()).to_pylist()
    assert {name: row[name] for name in shares} == pytest.approx(shares)
    total = sum(row[each.name] for each in LETTERS)
    assert total == pytest.approx(1 if any(map(str.isalpha, text)) else 0)


@pytest.mark.parametrize(
    ("head", "generated", "license"),
    [
        ("# Code generated by protoc. DO NOT EDIT.\n", 1, None),
        ("\n\n// This file is Auto-Generated\n", 1, None),
        ("1\n2\n3\n4\n5\n# autogenerated\n", 0, None),
        ("// SPDX-License-Identifier: MIT OR Apache-2.0\nint x;\n", 0, "MIT OR Apache-2.0"),
        ("x = 1\n" * 2_000 + "# SPDX-License-Identifier: MIT\n", 0, None),
    ],
)
def test_the_head_of_a_source_file_says_who_wrote_it_and_its_licence(
    head: str, generated: int, license: str | None
) -> None:
    asked = [GENERATED.name, STATED.name]
    (row,) = measure_optional(pa.array([head]), pa.array(["und"]), asked, Models()).to_pylist()
    assert (row[GENERATED.name], row[STATED.name]) == (generated, license)
