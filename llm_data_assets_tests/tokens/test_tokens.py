"""Tokenizer, packing and Megatron files."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_data_assets.tokens.packing import pack
from llm_data_assets.tokens.sample import sample_documents
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
    chosen = sample_documents({"l": large, "s": small}, total_bytes=10_000, alpha=0.0, seed=1)
    assert sum(name.startswith("s") for name in chosen) == 10
    turned = large.take(list(reversed(range(1000))))
    again = sample_documents({"l": turned, "s": small}, total_bytes=10_000, alpha=0.0, seed=1)
    assert again == chosen


def bins(lengths: list[int], limit: int, method: str) -> list[list[int]]:
    spans = pack(np.array(lengths), limit, method)  # type: ignore[arg-type]
    found: list[list[int]] = [[] for _ in range(spans.n_sequences)]
    for sequence, length in zip(spans.sequence, spans.length, strict=True):
        found[sequence].append(int(length))
    return found


def test_best_fit_as_in_its_paper() -> None:
    assert sorted(map(sorted, bins([14, 7, 5, 2, 3], 8, "best_fit"))) == [[2, 6], [3, 5], [7], [8]]


def test_concatenate_cuts_every_sequence_length() -> None:
    assert bins([14, 7, 5, 2, 3], 8, "concatenate") == [[8], [6, 2], [5, 3], [2, 2, 3]]


@settings(max_examples=150, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 60), max_size=60),
    limit=st.integers(1, 40),
    method=st.sampled_from(["best_fit", "concatenate", "document"]),
)
def test_every_token_stands_in_exactly_one_sequence(
    lengths: list[int], limit: int, method: str
) -> None:
    spans = pack(np.array(lengths, np.int64), limit, method)  # type: ignore[arg-type]
    seen = sorted(
        (int(document), int(start) + offset)
        for document, start, length in zip(spans.document, spans.start, spans.length, strict=True)
        for offset in range(int(length))
    )
    assert seen == [(place, i) for place, length in enumerate(lengths) for i in range(length)]
    totals = np.bincount(spans.sequence, spans.length) if len(spans.sequence) else np.zeros(0)
    assert (totals <= limit).all() and (totals > 0).all()
    if method == "best_fit":  # no document is cut that fits
        pieces = np.bincount(spans.document) if len(spans.document) else np.zeros(0)
        for document, count in enumerate(pieces):
            assert count == -(-lengths[document] // limit)
