"""Dialogues as vectors, without a model: TF-IDF of hashed words, reduced by SVD."""

from collections.abc import Sequence

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from threadpoolctl import threadpool_limits

from llm_data_assets.instructions.repeats import words

_FEATURES = 1 << 16
_READ = 1000  # characters of a dialogue: its question and how the answer begins


def embed(texts: Sequence[str], dimensions: int, seed: int) -> np.ndarray:
    """float32[n, dimensions], rows of length 1 (0 where a text has no words).

    Latent semantic analysis (Deerwester et al. 1990) by a randomised SVD on one thread, so that
    equal texts, order and seed give equal bytes on one machine. Meaning beyond shared words is not
    in it.
    """
    if not len(texts):
        return np.empty((0, dimensions), np.float32)
    with threadpool_limits(1):
        counts = HashingVectorizer(
            analyzer=lambda text: words(text[:_READ]), n_features=_FEATURES, norm=None,
            alternate_sign=False,
        ).transform(texts)  # fmt: skip
        weighted = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
        size = min(dimensions, len(texts))
        found = TruncatedSVD(size, n_iter=4, random_state=seed).fit_transform(weighted)
    vectors = np.zeros((len(texts), dimensions), np.float32)
    vectors[:, : found.shape[1]] = found
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, lengths, out=vectors, where=lengths > 0)
