"""A linear classifier over hashed n-grams, trained here: does a text look like A rather than B?

As fastText's (Joulin et al. 2017): words and pairs of words, hashed, averaged, then a logistic
regression; here without the embedding between, whose product with the output layer is one vector.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

# Words; of scripts without spaces, single characters.
_ALONE = r"\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_TOKEN = re.compile(rf"[{_ALONE}]|[^\W{_ALONE}]+")
FEATURES = 1 << 18
# The beginning decides as well as all, at a bounded cost.
READ_CHARACTERS = 5_000
# One document in five is held out for the report.
HELD_OUT = 5


@dataclass(frozen=True)
class Classifier:
    """weights: float32[FEATURES]; bias. The score is the probability of "like"."""

    weights: np.ndarray
    bias: float


def train_classifier(
    like: Sequence[str], unlike: Sequence[str]
) -> tuple[Classifier, dict[str, float]]:
    """Train on four documents in five of each side, and report on the fifth.

    Args:
        like, unlike: texts in an order that says nothing of them; at least HELD_OUT each.

    Returns:
        the classifier, and of the held-out documents: auc, accuracy, precision and recall of
        "like" at 0.5, and how many documents taught and judged.

    Raises:
        ValueError: too few texts on one side.
    """
    # 115 MB and a second to import: only where one is trained, not where rules are read.
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import precision_score, recall_score, roc_auc_score

    if min(len(like), len(unlike)) < HELD_OUT:
        raise ValueError(
            f"{len(like)} documents are like and {len(unlike)} unlike; a classifier needs "
            f"{HELD_OUT} of each. Try: other sources"
        )
    texts = [*like, *unlike]
    labels = np.array([1] * len(like) + [0] * len(unlike))
    held = np.array([i % HELD_OUT == 0 for side in (like, unlike) for i in range(len(side))])
    features = _features(texts)
    # Liblinear goes one way whatever the threads; classes weigh alike whatever their sizes.
    model = LogisticRegression(C=10.0, solver="liblinear", class_weight="balanced", random_state=0)
    model.fit(features[~held], labels[~held])
    found = Classifier(model.coef_[0].astype(np.float32), float(np.float32(model.intercept_[0])))
    scores = classify(found, [text for text, out in zip(texts, held, strict=True) if out])
    truth, guess = labels[held], scores >= 0.5
    return found, {
        "auc": float(roc_auc_score(truth, scores)),
        "accuracy": float((truth == guess).mean()),
        "precision": float(precision_score(truth, guess, zero_division=0.0)),
        "recall": float(recall_score(truth, guess)),
        "taught": int((~held).sum()),
        "judged": int(held.sum()),
    }


def classify(model: Classifier, texts: Sequence[str]) -> np.ndarray:
    """Probability in [0, 1] that each text is like, float64[n]; 0 of a text without words."""
    features = _features(texts)
    # In double, in the order of the features: the sum is the same whatever the library.
    margins = np.zeros(len(texts), np.float64)
    weights = model.weights.astype(np.float64)
    for row in range(len(texts)):
        span = slice(features.indptr[row], features.indptr[row + 1])
        products = features.data[span] * weights[features.indices[span]]
        margins[row] = float(np.add.accumulate(products)[-1]) if len(products) else np.nan
    return np.nan_to_num(1 / (1 + np.exp(-(margins + model.bias))), nan=0.0)


def tokens(text: str) -> list[str]:
    """Words in lower case; single characters of scripts without spaces."""
    return _TOKEN.findall(text.lower())


def _features(texts: Sequence[str]):  # type: ignore[no-untyped-def]
    """Sparse float64[n, FEATURES], each row of length 1."""
    from sklearn.feature_extraction.text import HashingVectorizer

    hashing = HashingVectorizer(
        analyzer=_grams, n_features=FEATURES, alternate_sign=False, norm="l2"
    )
    return hashing.transform(texts)


def _grams(text: str) -> list[str]:
    words = tokens(text[:READ_CHARACTERS])
    return words + [f"{one} {two}" for one, two in pairwise(words)]
