"""Scorers: perplexity and IFD by a tiny model, and scorers that fail or talk nonsense."""

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from llm_data_assets.instructions.scorers import ifd, load_scorer, perplexity, run_scorer


class Bigrams:
    """A language model of characters, trained on a few lines."""

    def __init__(self, text: str) -> None:
        self.pairs = Counter(itertools.pairwise(text))
        self.singles = Counter(text)

    def log_probability(self, text: str, given: str = "") -> tuple[float, int]:
        total = 0.0
        for before, after in zip((given[-1:] or " ") + text, text, strict=False):
            total += math.log((self.pairs[before, after] + 1) / (self.singles[before] + 100))
        return total, len(text)


MODEL = Bigrams("the cat sat on the mat and the hat of the cat sat on the rat " * 20)


def test_text_like_the_models_own_is_less_perplexing() -> None:
    usual, odd = perplexity(MODEL, "", "the cat"), perplexity(MODEL, "", "xqz vvk")
    assert usual is not None and odd is not None and usual < 5 < odd


def test_ifd_is_below_one_where_the_question_helps() -> None:
    # "a" is likely after "c", unlikely after the space that stands before an answer alone
    helped, hindered = ifd(MODEL, "c", "at"), ifd(MODEL, "q", "the")
    assert helped is not None and hindered is not None and helped < 1 < hindered
    assert ifd(MODEL, "q", "") is None


class Moody:
    meta: Mapping[str, Any] = {"model": "moody"}

    def score(self, batch: Sequence[Mapping[str, Any]]) -> Sequence[Any]:
        if any(row["say"] == "fail" for row in batch):
            raise RuntimeError("out of memory")
        return [row["say"] for row in batch]


def test_a_scorer_that_fails_or_talks_nonsense_costs_those_rows_alone() -> None:
    said = [1, "fail", "2.5", "good", float("inf"), None]
    values, faults = run_scorer(Moody(), [{"say": each} for each in said])
    assert values == [1.0, None, 2.5, None, None, None]
    assert faults == ["none", "failed: RuntimeError: out of memory", "none",
                      "nonsense: 'good' is no number", "nonsense: inf", "none"]  # fmt: skip


def test_too_few_answers_are_nonsense() -> None:
    class Short(Moody):
        def score(self, batch: Sequence[Mapping[str, Any]]) -> Sequence[Any]:
            return []

    values, faults = run_scorer(Short(), [{"say": 1}, {"say": 2}])
    assert values == [None, None] and faults == ["nonsense: 0 scores for 1 rows"] * 2


def test_an_unknown_scorer_says_where_it_was_looked_for() -> None:
    with pytest.raises(ValueError, match=r"entry points of llm_data_assets\.scorers"):
        load_scorer("reward_model")
