"""Words by a kernel are those of the plain reference, and so is what is counted of them."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from llm_data_assets.instructions.kernels_words import measure_words
from llm_data_assets.instructions.scores import repetition
from llm_data_assets.instructions.words import character_gram_hashes, word_hashes, words

# Scripts with and without spaces, case that changes length, marks, what is no text at all.
ALPHABET = "abcİßé_7 \n.,'你好世ไทยかな😀\u0301\ud800"
TEXTS = st.lists(st.text(ALPHABET, max_size=60), max_size=8)


@given(TEXTS)
def test_a_hash_a_word_equal_where_the_words_are(texts: list[str]) -> None:
    hashes, starts = word_hashes(texts)
    expected = [words(text) for text in texts]
    assert np.diff(starts).tolist() == [len(each) for each in expected]
    in_order = [word for each in expected for word in each]
    by_hash = dict(zip(hashes.tolist(), in_order, strict=True))
    assert [by_hash[each] for each in hashes.tolist()] == in_order
    assert len(by_hash) == len(set(by_hash.values()))


@given(TEXTS)
def test_runs_of_characters_are_those_of_scikit_learn(texts: list[str]) -> None:
    grams = CountVectorizer(analyzer="char_wb", ngram_range=(2, 4)).build_analyzer()
    hashes, starts = character_gram_hashes(texts)
    for row, text in enumerate(texts):
        expected = Counter(grams(text)).values()
        found = Counter(hashes[starts[row] : starts[row + 1]].tolist()).values()
        assert sorted(found) == sorted(expected)


def test_many_texts_are_hashed_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"text {number} of many" for number in range(7)]
    hashes, starts = word_hashes(texts)
    monkeypatch.setattr("llm_data_assets.instructions.words._AT_A_TIME", 3)
    again, starts_again = word_hashes(texts)
    assert again.tolist() == hashes.tolist() and starts_again.tolist() == starts.tolist()


def test_none_has_no_words() -> None:
    assert word_hashes([None, "a b"])[1].tolist() == [0, 0, 2]


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=230).map(" ".join), max_size=4))
def test_what_is_counted_is_what_the_reference_counts(texts: list[str]) -> None:
    steps = np.sort(word_hashes(["a"])[0])
    distinct, repeated, inferences = measure_words(*word_hashes(texts), steps)
    said = [words(text) for text in texts]
    assert distinct.tolist() == [len(set(each)) for each in said]
    assert repeated.tolist() == [repetition(each) for each in said]
    assert inferences.tolist() == [each.count("a") for each in said]
