"""Models trained here: perplexity, a linear classifier, and word lists."""

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_data_assets.text.classifier import classify, train_classifier
from llm_data_assets.text.ngram_model import ORDER, SCORED_BYTES, perplexities, train_ngrams
from llm_data_assets.text.word_lists import listed_share, read_words
from llm_data_assets_tests.conftest import sentence


def probability(data: bytes, byte: int, context: bytes) -> float:
    """Witten-Bell in plain Python, straight from the definition."""
    p = 1 / 256
    for length in range(min(ORDER - 1, len(context)) + 1):
        seen = context[len(context) - length :]
        followers = Counter(
            data[i + length] for i in range(len(data) - length) if data[i : i + length] == seen
        )
        if followers:
            total, kinds = followers.total(), len(followers)
            p = (followers[byte] + kinds * p) / (total + kinds)
    return p


@settings(max_examples=50)
@given(st.lists(st.text("ab é数\n", max_size=30), max_size=4), st.text("abc é数据\n", max_size=20))
def test_perplexity_is_the_definition(corpus: list[str], text: str) -> None:
    data, scored = "\n".join(corpus).encode(), text.encode()
    surprise = -sum(np.log(probability(data, scored[i], scored[:i])) for i in range(len(scored)))
    expected = np.exp(surprise / len(scored)) if scored else 0.0
    (found,) = perplexities(train_ngrams(corpus), pa.array([text], pa.string()))
    assert found == pytest.approx(expected)


def test_all_bytes_after_any_context_sum_to_one() -> None:
    data = sentence(1).encode()
    for context in (b"", b"th", b"qqqq", data[:20]):
        assert sum(probability(data, byte, context) for byte in range(256)) == pytest.approx(1)


def test_a_text_like_the_reference_surprises_less() -> None:
    model = train_ngrams(sentence(i) for i in range(20))
    texts = [sentence(30), "zq xv jk " * 40, "数据质量决定模型上限。" * 10, ""]
    like, letters, chinese, empty = perplexities(model, pa.array(texts))
    assert 1 < like < letters < chinese and empty == 0
    long = pa.array(["x" * SCORED_BYTES, "x" * SCORED_BYTES + sentence(1)])
    assert len(set(perplexities(model, long))) == 1
    assert perplexities(train_ngrams([]), pa.array(["any"])).tolist() == [pytest.approx(256)]


def test_a_classifier_tells_two_sources_apart_and_is_the_same_each_time() -> None:
    prose = [sentence(i) for i in range(40)]
    shop = [f"Add item {i} to cart now! Free shipping, best price, order {i}." for i in range(40)]
    model, report = train_classifier(prose, shop)
    assert report["auc"] == 1.0 and report["judged"] == 16 and report["taught"] == 64
    scores = classify(model, [sentence(99), "Best price, free shipping! Add to cart.", "", "!!"])
    assert scores[0] > 0.8 > 0.2 > scores[1] and scores[2] == scores[3] == 0
    again, _ = train_classifier(prose, shop)
    assert again.weights.tobytes() == model.weights.tobytes() and again.bias == model.bias
    # Of two halves of one source nothing can be learnt, and the report says so.
    _, report = train_classifier(prose[::2], prose[1::2])
    assert report["auc"] < 0.9


def test_a_classifier_without_documents_says_what_it_needs() -> None:
    with pytest.raises(ValueError, match=r"2 documents are like.*Try"):
        train_classifier(["a", "b"], ["c"] * 9)


def test_a_word_list_counts_words_and_phrases_in_any_case_and_script(tmp_path: Path) -> None:
    path = tmp_path / "spam.txt"
    path.write_text("# shops\nCasino\nfree money  # two words\n彩票\n", encoding="utf-8")
    listed = read_words(path)
    assert listed_share("CASINO night: free\nMoney for casinos", listed) == 3 / 6
    assert listed_share("买彩票", listed) == pytest.approx(2 / 3)
    assert listed_share("", listed) == 0
    path.write_text("# nothing\n", encoding="utf-8")
    with pytest.raises(ValueError, match="no term"):
        read_words(path)
