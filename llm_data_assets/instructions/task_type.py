"""What kind of task a question is: a small classifier trained on a seed list that ships with it.

The seeds (`task_seeds.yaml`) were written for this project: a hundred and odd questions in English
and Chinese, four kinds. So it is a rough sorter, and `report` says how rough: cross-validated on
its own seeds. Quotas by task type are the mission's and have no other source.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

import numpy as np
import yaml
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

from llm_data_assets.config.instructions import TASK_TYPES
from llm_data_assets.instructions.words import character_gram_hashes, word_hashes

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
    model = _model()
    with threadpool_limits(1):
        shares = model.classifier.predict_proba(_weighed(questions, model.features))
    names = model.classifier.classes_
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
    found = np.empty_like(truth)
    folds = StratifiedKFold(5, shuffle=True, random_state=1)
    for learnt, held_out in folds.split(given, truth):
        model = _trained([given[row] for row in learnt])
        asked = [given[row][0] for row in held_out]
        found[held_out] = model.classifier.predict(_weighed(asked, model.features))
    recalls: Mapping[str, float] = {
        name: float((found[truth == name] == name).mean()) for name in TASK_TYPES
    }
    return {"seeds": len(given), "accuracy": float((found == truth).mean()), "recall": recalls}


class _Features(NamedTuple):
    """Hashes of a kind that the seeds have, ascending, and what each weighs."""

    hashes: Callable[[Sequence[str]], tuple[np.ndarray, np.ndarray]]
    known: np.ndarray
    tf_idf: TfidfTransformer


class _Model(NamedTuple):
    features: Sequence[_Features]
    classifier: LogisticRegression


@cache
def _model() -> _Model:
    return _trained(seeds())


def _trained(given: Sequence[tuple[str, str]]) -> _Model:
    questions = [question for question, _ in given]
    features = []
    for hashes in (_word_features, character_gram_hashes):
        found, starts = hashes(questions)
        known = np.unique(found)
        tf_idf = TfidfTransformer(sublinear_tf=True).fit(_counts(found, starts, known))
        features.append(_Features(hashes, known, tf_idf))
    with threadpool_limits(1):
        classifier = LogisticRegression(C=10, max_iter=1000).fit(
            _weighed(questions, features), [name for _, name in given]
        )
    return _Model(features, classifier)


def _weighed(questions: Sequence[str], features: Sequence[_Features]) -> csr_matrix:
    """TF-IDF of each kind of feature, side by side, float64[questions, features]."""
    asked = [question[:_READ] for question in questions]
    return hstack(
        [kind.tf_idf.transform(_counts(*kind.hashes(asked), kind.known)) for kind in features],
        format="csr",
    )


def _counts(hashes: np.ndarray, starts: np.ndarray, known: np.ndarray) -> csr_matrix:
    """How often each text has each of the known hashes; others count for nothing."""
    place = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    counts = csr_matrix(
        ((known[place] == hashes).astype(np.float64), place, starts), (len(starts) - 1, len(known))
    )
    counts.sum_duplicates()
    counts.eliminate_zeros()
    return counts


def _word_features(questions: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Words, pairs of words, and the first two with their place: an instruction starts with what
    it asks for. As hashes: uint64[...] and int64[n + 1]."""
    words, starts = word_hashes(questions)
    row = np.repeat(np.arange(len(questions)), np.diff(starts))
    place = np.arange(len(words)) - starts[row]
    second = place > 0
    pairs = words[np.flatnonzero(second) - 1] * np.uint64(3) + words[second]
    early = place < 2
    placed = words[early] * np.uint64(5) + place[early].astype(np.uint64)
    rows = np.concatenate([row, row[second], row[early]])
    by_row = np.argsort(rows, kind="stable")
    ends = np.cumsum(np.bincount(rows, minlength=len(questions)))
    return np.concatenate([words, pairs, placed])[by_row], np.append(0, ends)
