"""Dialogues as vectors, without a model: TF-IDF of hashed words, reduced by SVD."""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from threadpoolctl import threadpool_limits

from llm_data_assets.instructions.words import word_hashes

_FEATURES = 1 << 16
_READ = 1000  # characters of a dialogue: its question and how the answer begins
# Directions are found on so many rows at most: more of them move the directions little, and cost
# nine tenths of the time at 100,000 rows.
_FITTED = 20_000


def embed(texts: Sequence[str], dimensions: int, seed: int) -> np.ndarray:
    """float32[n, dimensions], rows of length 1 (0 where a text has no words).

    Latent semantic analysis (Deerwester et al. 1990) by a randomised SVD on one thread, so that
    equal texts, order and seed give equal bytes on one machine. Of many texts it is fitted to
    20,000 drawn by the seed. Meaning beyond shared words is not in it.
    """
    if not len(texts):
        return np.empty((0, dimensions), np.float32)
    hashes, starts = word_hashes([text[:_READ] for text in texts])
    features = (hashes % np.uint64(_FEATURES)).astype(np.int32)
    counts = csr_matrix((np.ones(len(features)), features, starts), (len(texts), _FEATURES))
    counts.sum_duplicates()
    drawn = np.random.default_rng(seed).permutation(len(texts))[:_FITTED]
    with threadpool_limits(1):
        weighted = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
        svd = TruncatedSVD(min(dimensions, len(texts)), n_iter=4, random_state=seed)
        found = svd.fit(weighted[np.sort(drawn)]).transform(weighted)
    vectors = np.zeros((len(texts), dimensions), np.float32)
    vectors[:, : found.shape[1]] = found
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, lengths, out=vectors, where=lengths > 0)
