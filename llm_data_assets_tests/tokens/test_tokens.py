"""Training a tokenizer, and what it is trained on."""

import pyarrow as pa
import pytest

from llm_data_assets.tokens.sample import fill, sample_documents
from llm_data_assets.tokens.tokenizer import load, train
from llm_data_assets_tests.conftest import sentence

TEXTS = [*(sentence(number) for number in range(40)), "0 1 2 3 4 5 6 7 8 9\n" * 9]


@pytest.fixture(scope="module")
def model() -> bytes:
    return train(TEXTS, vocab_size=600)


def test_training_twice_gives_the_same_bytes(model: bytes) -> None:
    assert train(TEXTS, vocab_size=600) == model


def test_digits_are_split(model: bytes) -> None:
    processor = load(model)
    pieces = processor.encode("12345", out_type=str)
    assert [piece.strip("▁") for piece in pieces if piece.strip("▁")] == list("12345")


def test_a_vocabulary_larger_than_the_text_supports_is_lowered() -> None:
    assert load(train(["few words here"], vocab_size=5_000)).vocab_size() < 400


def test_nothing_to_train_on_is_an_error_with_a_way_out() -> None:
    with pytest.raises(ValueError, match="Try:"):
        train(["", "  \n"], vocab_size=500)


def test_the_sample_is_weighted_and_independent_of_order() -> None:
    large = pa.table({"doc_id": [f"l{i}" for i in range(1000)], "n_bytes": [100] * 1000})
    small = pa.table({"doc_id": [f"s{i}" for i in range(10)], "n_bytes": [100] * 10})
    chosen = sample_documents({("l",): large, ("s",): small}, total_bytes=10_000, alpha=0.0, seed=1)
    assert sum(name.startswith("s") for name in chosen) == 10
    turned = large.take(list(reversed(range(1000))))
    again = sample_documents({("l",): turned, ("s",): small}, total_bytes=10_000, alpha=0.0, seed=1)
    assert again == chosen


def test_a_vocabulary_too_small_for_the_characters_says_how_many_it_needs() -> None:
    texts = ["".join(chr(0x4E00 + n) for n in range(400)) * 3]
    with pytest.raises(ValueError, match=r"Try: vocab_size \d+ or more"):
        train(texts, vocab_size=300)


def test_what_a_stratum_cannot_fill_goes_to_the_others() -> None:
    sizes = {("en", "web"): 1000, ("en", "code"): 100, ("zh", "web"): 10, ("xx", "web"): 0}
    shares = fill(sizes, 600, alpha=0.0)
    assert [shares[name] for name in sizes] == [490, 100, 10, 0]
    assert fill(sizes, 5000, alpha=0.3) == {name: float(size) for name, size in sizes.items()}
    by_size = fill(sizes, 111, alpha=1.0)
    assert [round(by_size[name], 9) for name in sizes] == [100, 10, 1, 0]
