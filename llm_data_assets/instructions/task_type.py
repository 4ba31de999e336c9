"""What kind of task a question is: a small classifier trained on a seed list that ships with it.

The seeds (`task_seeds.yaml`) were written for this project: a hundred and odd questions in English
and Chinese, four kinds. So it is a rough sorter, and `report` says how rough: cross-validated on
its own seeds. Quotas by task type are the mission's and have no other source.
"""

import itertools
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import yaml
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from threadpoolctl import threadpool_limits

from llm_data_assets.config.instructions import TASK_TYPES
from llm_data_assets.instructions.repeats import words

_READ = 1000  # characters of a question
# What asks for a tool reads much like what asks for an answer: less sure than this, none.
_SURE_OF_TOOL = 0.6
# Dolly's seven categories (Conover et al. 2023), as the publisher's own label.
DOLLY = {
    "open_qa": "recall", "closed_qa": "recall", "information_extraction": "recall",
    "general_qa": "recall", "classification": "reasoning", "summarization": "recall",
    "brainstorming": "creative", "creative_writing": "creative",
}  # fmt: skip


def seeds() -> list[tuple[str, str]]:
    """(question, task type) of the shipped list."""
    text = (resources.files("llm_data_assets.instructions") / "task_seeds.yaml").read_text("utf-8")
    return [(question, name) for name, each in yaml.safe_load(text).items() for question in each]


def task_types(
    questions: Sequence[str], uses_tools: Sequence[bool], labels: Sequence[str | None]
) -> tuple[list[str], np.ndarray]:
    """Task type of each question, and how sure that is, float64[n].

    A dialogue that offers or calls tools is `tool_use`, one with a label of Dolly's is what the
    label says (both with certainty 1); the classifier decides about the others.
    """
    if not questions:
        return [], np.empty(0)
    with threadpool_limits(1):
        shares = _model().predict_proba([question[:_READ] for question in questions])
    names = _model().classes_
    tool = names.tolist().index("tool_use")
    shares[shares[:, tool] < _SURE_OF_TOOL, tool] = 0
    types = [str(names[best]) for best in shares.argmax(1)]
    sure = shares.max(1)
    for row, (has_tools, label) in enumerate(zip(uses_tools, labels, strict=True)):
        if has_tools or label in DOLLY:
            types[row], sure[row] = "tool_use" if has_tools else DOLLY[label or ""], 1.0
    return types, sure


def report() -> dict[str, Any]:
    """How the classifier does on its seeds: accuracy and recall by type, 5-fold cross-validated."""
    given = seeds()
    truth = np.array([name for _, name in given])
    with threadpool_limits(1):
        found = cross_val_predict(
            _untrained(), [question for question, _ in given], truth,
            cv=StratifiedKFold(5, shuffle=True, random_state=1),
        )  # fmt: skip
    recalls: Mapping[str, float] = {
        name: float((found[truth == name] == name).mean()) for name in TASK_TYPES
    }
    return {"seeds": len(given), "accuracy": float((found == truth).mean()), "recall": recalls}


@cache
def _model() -> Pipeline:
    given = seeds()
    return _untrained().fit([question for question, _ in given], [name for _, name in given])


def _untrained() -> Pipeline:
    return make_pipeline(
        make_union(
            TfidfVectorizer(analyzer=_features, sublinear_tf=True),
            TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True),
        ),
        LogisticRegression(C=10, max_iter=1000),
    )


def _features(question: str) -> list[str]:
    """Words, pairs of words, and the first two with their place: an instruction starts with what
    it asks for."""
    found = words(question)
    pairs = [f"{a} {b}" for a, b in itertools.pairwise(found)]
    return [*found, *pairs, *(f"^{place} {word}" for place, word in enumerate(found[:2]))]
