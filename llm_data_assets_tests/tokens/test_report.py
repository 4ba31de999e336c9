"""The figures of the tokenizer report."""

import numpy as np
import pytest

from llm_data_assets.tokens.report import (
    Tally,
    figures,
    glitch_candidates,
    longest_pieces,
    premium,
    renyi_efficiency,
)

COUNTS = np.array([8, 4, 2, 1, 1])


def test_renyi_efficiency_of_published_counts() -> None:
    """Worked by hand from the definition, and with tokenization-scorer's power."""
    assert renyi_efficiency(COUNTS) == pytest.approx(0.635740, abs=1e-6)
    assert renyi_efficiency(np.ones(7)) == pytest.approx(1)
    assert renyi_efficiency(np.array([5, 0])) == 0
    assert renyi_efficiency(np.zeros(4)) == renyi_efficiency(np.array([3])) == 0


def test_rates_of_a_tally() -> None:
    tally = Tally(1, n_bytes=48, n_words=8, n_tokens=16, n_unknown=2, counts=COUNTS)
    found = figures(tally, np.array([False, False, True, True, False]))
    assert found["bytes_per_token"] == 3
    assert found["tokens_per_word"] == 2
    assert found["unknown_rate"] == 2 / 16
    assert found["byte_fallback_rate"] == 3 / 16
    assert found["vocabulary_used"] == 1
    assert figures(Tally(), np.zeros(0, bool)) == {}


def test_tallies_add_up() -> None:
    whole = Tally()
    whole.add(Tally(1, 10, 2, 3, 0, np.array([1, 2])))
    whole.add(Tally(2, 5, 1, 1, 1, np.array([0, 1])))
    assert (whole.n_documents, whole.n_bytes, whole.n_tokens) == (3, 15, 4)
    assert whole.counts.tolist() == [1, 3]


def test_premium_is_against_the_language_with_most_text() -> None:
    tallies = {
        "en": Tally(n_bytes=400, n_tokens=100),
        "de": Tally(n_bytes=200, n_tokens=75),
        "xx": Tally(n_bytes=0, n_tokens=0),
    }
    assert premium(tallies) == {"en": 1.0, "de": 1.5}
    assert premium({}) == {}


def test_pieces_that_stand_out() -> None:
    pieces = ["<unk>", "a", "abcdef", "xyz", "longest one"]
    assert longest_pieces(pieces, 2) == [4, 2]
    counts = np.array([0, 9, 0, 1, 5])
    ordinary = np.array([False, True, True, True, True])
    assert glitch_candidates(pieces, counts, ordinary, 5) == [2, 3]
