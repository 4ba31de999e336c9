"""Dialogues that repeat another: exactly, by shingles, or by ROUGE-L of what is asked.

ROUGE-L F above 0.7 against every kept instruction is the filter of Self-Instruct (Wang et al. 2023,
section 2.2). F = 2 LCS / (m + n) over `words`.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from llm_data_assets.dedup.bands import band_keys
from llm_data_assets.dedup.buckets import equal_keys
from llm_data_assets.dedup.exact import text_hashes
from llm_data_assets.dedup.minhash import shingle_sets, signatures
from llm_data_assets.dedup.settle import by_member
from llm_data_assets.instructions.kernels import EXACT, NEAR, settle_dialogues
from llm_data_assets.instructions.words import word_hashes, words

# 25 bands of 5 rows: half of the pairs at Jaccard 0.48, 0.9999 at 0.8 (methods: B.8).
BANDS, ROWS = 25, 5
METHODS = {EXACT: "exact", NEAR: "near", NEAR + 1: "rouge"}


def rouge_l(one: str, other: str) -> float:
    """ROUGE-L F1 of two texts (Lin 2004, equation 4 with beta 1): the plain reference.

    Example:
        >>> round(rouge_l("请解释量子纠缠原理", "解释量子纠缠的原理"), 4)
        0.8889
    """
    a, b = words(one), words(other)
    row = [0] * (len(b) + 1)
    for token in a:
        before = 0
        for j, theirs in enumerate(b):
            above = row[j + 1]
            row[j + 1] = before + 1 if token == theirs else max(above, row[j])
            before = above
    return 2 * row[-1] / (len(a) + len(b)) if a and b else 0.0


def find_repeats(
    dialogues: pa.Array,
    questions: Sequence[str | None],
    order: np.ndarray,
    *,
    near: float | None,
    rouge: float | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Choose, in `order`, the dialogues that go: each repeats a *kept* one before it.

    A dialogue goes as `exact` if its normalised text is a kept one's; as `near` if it shares a
    band and has at least `near` true Jaccard similarity of shingles; as `rouge` if the ROUGE-L F of
    the questions is above `rouge`. Candidates of ROUGE-L are found by a prefix filter over word
    multisets, which misses none: F > t needs more than t (m + n) / 2 words in common.

    Args:
        dialogues: string without nulls, what `exact` and `near` compare.
        questions: what ROUGE-L compares; None takes part in `exact` alone.
        order: int64[n], rows in the order that decides who stays.

    Returns:
        partner int64[n], the row it repeats, -1 where it stays; similarity float64[n]; method
        int8[n], a key of METHODS, 0 where it stays.
    """
    n = len(dialogues)
    hashes = np.frombuffer(text_hashes(dialogues).buffers()[1] or b"", "V16", n)
    _, originals = np.unique(hashes[order], return_inverse=True)
    first = np.full(n, -1, np.int64)
    rows = np.arange(n)[::-1]
    first[originals[rows]] = rows  # of equal texts the first in order
    takes_part = np.array([questions[row] is not None for row in order], np.bool_)
    texts = dialogues.take(pa.array(order))
    if near is None or not n:
        shingles = np.empty(0, np.uint64), np.zeros(n + 1, np.int64)
        buckets, n_buckets = (np.zeros(n + 1, np.int64), np.empty(0, np.int32)), 0
    else:
        shingles = shingle_sets(texts)
        buckets, n_buckets = _buckets(texts, takes_part & (np.diff(shingles[1]) > 0))
    tokens, starts = _token_ids([questions[row] if rouge else None for row in order])
    elements = _rare_first(tokens, starts)
    partner, similarity, method = settle_dialogues(
        first[originals], *shingles, *buckets, n_buckets, near or 2.0,
        tokens, elements, starts, int(tokens.max(initial=-1)) + 1,
        int(elements.max(initial=-1)) + 1, rouge or 1.0,
    )  # fmt: skip
    result = np.full(n, -1, np.int64), np.zeros(n), np.zeros(n, np.int8)
    result[0][order] = np.where(partner >= 0, order[partner], -1)
    result[1][order], result[2][order] = similarity, method
    return result


def _buckets(texts: pa.Array, takes_part: np.ndarray) -> tuple[tuple[np.ndarray, np.ndarray], int]:
    """Each dialogue's buckets (offsets, buckets), a bucket being a shared band key."""
    rows = np.flatnonzero(takes_part)
    keys = band_keys(
        signatures(texts.take(pa.array(rows)), num_perm=BANDS * ROWS), bands=BANDS, rows=ROWS
    )
    members, buckets, n = [np.empty(0, np.int32)], [np.empty(0, np.int32)], 0
    for band in range(BANDS):
        alike, groups, firsts = equal_keys(np.ascontiguousarray(keys[:, band]))
        members.append(rows[alike].astype(np.int32))
        buckets.append((groups + n).astype(np.int32))
        n += len(firsts)
    offsets = by_member(np.concatenate(members), np.concatenate(buckets), len(texts))
    return offsets, n


def _token_ids(questions: Sequence[str | None]) -> tuple[np.ndarray, np.ndarray]:
    """(int32[...], int64[n + 1]) numbers of the words of each question."""
    hashes, starts = word_hashes(questions)
    ids = np.unique(hashes, return_inverse=True)[1]
    return ids.astype(np.int32), starts


def _rare_first(tokens: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """int32[...]: each question's words as elements of a set, the rarest first.

    The k-th occurrence of a word is an element of its own, so that sets compare as multisets.
    """
    if not len(tokens):
        return np.empty(0, np.int32)
    row = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    by_word = np.lexsort((tokens, row))
    is_new = np.append(
        True,
        (tokens[by_word][1:] != tokens[by_word][:-1]) | (row[by_word][1:] != row[by_word][:-1]),
    )
    place = np.arange(len(tokens))
    occurrence = place - np.maximum.accumulate(np.where(is_new, place, 0))
    pairs = tokens[by_word].astype(np.int64) * (occurrence.max() + 1) + occurrence
    _, element, counts = np.unique(pairs, return_inverse=True, return_counts=True)
    rank = np.empty(len(counts), np.int32)
    rank[np.argsort(counts, kind="stable")] = np.arange(len(counts), dtype=np.int32)
    ranked = rank[element]
    return ranked[np.lexsort((ranked, row[by_word]))]
