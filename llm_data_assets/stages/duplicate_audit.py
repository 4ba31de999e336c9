"""Deduplication looked at again: are removals right, and how many true pairs were missed?

All checks read a sample afresh, drawn by a hash of the ids: the same documents, the same sample.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from llm_data_assets.dedup.bands import hit_probability
from llm_data_assets.dedup.choose import distinct
from llm_data_assets.engine.run import InOrder, side_by_side
from llm_data_assets.lake.schemas import DUPLICATES
from llm_data_assets.stages.draw_ids import draw
from llm_data_assets.stages.semantic import unit_vectors
from llm_data_assets.stages.signed import (
    Signed,
    bands_and_rows,
    exact_by,
    keys_of,
    open_signed,
    shingle_reader,
)
from llm_data_assets.stages.stage import Check, CheckResult, Context

# Removals read again: enough for an interval from 0.99 to 1 where all are right.
REMOVALS = 400
# Documents whose true pairs are looked for, each beside so many others at most.
DOCUMENTS, OTHERS = 400, 25
# Bands that a pair of 0.7 meets in with probability 0.9995 and one of 0.8 with 1 - 4e-7.
_FINER_ROWS = 4
_SAMPLES = 5
# A cosine moves by this at most where a model reads the same text beside others, or sums are taken
# in another order.
_ROUNDING = 1e-4


def wilson(successes: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's score interval of a share (Wilson 1927), 95 % by default.

    Example:
        >>> tuple(round(each, 3) for each in wilson(400, 400))
        (0.99, 1.0)
    """
    if n == 0:
        return 0.0, 1.0
    share, spread = successes / n, z * z / n
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * sqrt(share * (1 - share) / n + spread / (4 * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def _confirmed(context: Context) -> CheckResult:
    """Removals by similarity, read again: the share that reaches the threshold."""
    threshold = context.workspace.pipeline.model.dedup.threshold
    sample = _removals(context, ["exact", "near"])
    if not sample:
        return CheckResult(True, 1.0, "no removals to confirm")
    with _opened(context) as again:
        found = again.jaccard(*_sides(again, sample))
    asked = np.array([threshold if each["method"] == "near" else 1.0 for each in sample])
    # Texts without shingles are equal as they stand, or not at all.
    return _share_confirmed(context, sample, found, (found >= asked) | np.isnan(found))


def _confirmed_by_meaning(context: Context) -> CheckResult:
    """Removals by meaning: vectors made again, the share whose cosine is above the bound."""
    semantic = context.workspace.pipeline.model.dedup.semantic
    sample = _removals(context, ["semantic"])
    if not sample or semantic is None:
        return CheckResult(True, 1.0, "no removals by meaning to confirm")
    with _opened(context) as again:
        found = again.cosines(*_sides(again, sample))
    return _share_confirmed(context, sample, found, found > semantic.max_cosine - _ROUNDING)


def _removals(context: Context, methods: Sequence[str]) -> list[dict[str, Any]]:
    """A sample of the removals by these methods."""
    rows = context.lake.read(DUPLICATES)
    rows = rows.filter(pc.is_in(rows["method"], pa.array(methods)))
    found: list[dict[str, Any]] = rows.take(draw(rows["doc_id"], REMOVALS)).to_pylist()
    return found


def _sides(again: "_Again", sample: Sequence[Mapping[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
    """Rows of those that went, and of those they went for."""
    return (
        again.rows_of([each["doc_id"] for each in sample]),
        again.rows_of([each["kept_doc_id"] for each in sample]),
    )


def _share_confirmed(
    context: Context,
    sample: Sequence[Mapping[str, Any]],
    found: np.ndarray,
    is_right: np.ndarray,
) -> CheckResult:
    bound = context.workspace.pipeline.model.checks.min_duplicate_precision
    n, right_ones = len(sample), int(is_right.sum())
    low, high = wilson(right_ones, n)
    wrong = [
        {"doc_id": each["doc_id"], "kept_doc_id": each["kept_doc_id"], "found": float(alike)}
        for each, alike, right in zip(sample, found, is_right, strict=True)
        if not right
    ]
    return CheckResult(
        right_ones / n >= bound,
        right_ones / n,
        f"at least {bound:g} of removals confirmed; of {n} read again {right_ones} are: "
        f"{low:.3f} to {high:.3f} with 95 % confidence",
        wrong[:_SAMPLES],
    )


def _missed(context: Context) -> CheckResult:
    """Pairs at or above the threshold that share no band, beside what theory expects."""
    dedup = context.workspace.pipeline.model.dedup
    bands, rows = bands_and_rows(context.workspace)
    finer = dedup.num_perm // _FINER_ROWS if rows > _FINER_ROWS else 0
    if not finer:
        return CheckResult(True, 0.0, "bands are too fine to be audited by finer ones")
    with _opened(context) as again:
        drawn = np.sort(draw(again.signed.documents["doc_id"], DOCUMENTS).to_numpy())
        left, right = _candidates(again.signed, again.keys(finer, _FINER_ROWS), drawn)
        found = again.jaccard(left, right)
        true = found >= dedup.threshold
        left, right, found = left[true], right[true], found[true]
        keys = again.keys(bands, rows)
        met = (keys[:, left] == keys[:, right]).any(axis=0) if len(left) else np.empty(0, bool)
    n, missed = len(met), int((~met).sum())
    expected = [1 - hit_probability(float(each), bands, rows) for each in found]
    mean, spread = (float(np.mean(expected)), _spread(expected)) if n else (0.0, 0.0)
    # Four standard deviations of so many coin tosses, and one pair for samples of a few.
    bound = mean + 4 * spread + 1 / max(1, n)
    return CheckResult(
        not n or missed / n <= bound,
        missed / n if n else 0.0,
        f"about {mean:.4f} of true pairs missed by {bands} x {rows} bands, at most {bound:.4f}; "
        f"of {n} pairs of {len(drawn)} sampled documents {missed} are",
    )


def _spread(misses: list[float]) -> float:
    """Standard deviation of the share missed, if each pair is missed with its probability."""
    return sqrt(sum(p * (1 - p) for p in misses)) / len(misses)


def _candidates(
    signed: Signed, keys: np.ndarray, drawn: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (drawn document, another of its scope) that agree in a finer band."""
    has_shingles = signed.documents["n_shingles"].to_numpy() > 0
    pairs: set[tuple[int, int]] = set()
    of_document: dict[int, int] = {}
    for band in keys:
        by_key: dict[int, list[int]] = {}
        for row in drawn[has_shingles[drawn]].tolist():
            by_key.setdefault(int(band[row]), []).append(row)
        hits = np.flatnonzero(np.isin(band, np.fromiter(by_key, np.uint64, len(by_key))))
        for other in hits[has_shingles[hits]].tolist():
            for row in by_key[int(band[other])]:
                pair = (min(row, other), max(row, other))
                if row != other and pair not in pairs and of_document.get(row, 0) < OTHERS:
                    of_document[row] = of_document.get(row, 0) + 1
                    pairs.add(pair)
    left, right = np.array(sorted(pairs), np.int64).reshape(-1, 2).T
    scopes = signed.documents["scope"]
    same = pc.equal(scopes.take(pa.array(left)), scopes.take(pa.array(right))).to_numpy()
    return left[same.astype(bool)], right[same.astype(bool)]


@dataclass(frozen=True)
class _Again:
    """All documents as they are signed now, and their texts on demand."""

    context: Context
    in_order: InOrder
    signed: Signed

    def keys(self, bands: int, rows: int) -> np.ndarray:
        # The file goes with the array that it is mapped into.
        with tempfile.TemporaryFile(dir=self.context.workspace.home) as scratch:
            return keys_of(self.context, self.in_order, self.signed, scratch, bands, rows)

    def rows_of(self, ids: list[str]) -> np.ndarray:
        return pc.index_in(pa.array(ids), self.signed.documents["doc_id"]).to_numpy()

    def jaccard(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """By sets of NumPy, apart from the kernel that decided; NaN where both are empty."""
        rows = np.unique(np.concatenate([left, right]))
        read = shingle_reader(self.context, self.signed)
        values, ends = read(rows)
        sets = {row: values[ends[i] : ends[i + 1]] for i, row in enumerate(rows.tolist())}
        found = []
        for a, b in zip(left.tolist(), right.tolist(), strict=True):
            shared = len(np.intersect1d(sets[a], sets[b], assume_unique=True))
            union = len(sets[a]) + len(sets[b]) - shared
            found.append(shared / union if union else np.nan)
        return np.array(found, np.float64)

    def cosines(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Of vectors made again, by NumPy in double precision, clusters aside."""
        workspace = self.context.workspace
        rows, place_of = distinct(self.signed.documents, exact_by(workspace))
        semantic = workspace.pipeline.model.dedup.semantic
        assert semantic is not None
        pairs = place_of[np.concatenate([left, right])]
        if semantic.vectors or semantic.sentence_model:
            asked, pairs = np.unique(pairs, return_inverse=True)
            rows = rows[asked]
        vectors = unit_vectors(self.context, self.signed, rows).astype(np.float64)[pairs]
        return np.einsum("ij,ij->i", vectors[: len(left)], vectors[len(left) :])


@contextmanager
def _opened(context: Context) -> Iterator[_Again]:
    engine, home = context.workspace.pipeline.model.engine, context.workspace.home
    with side_by_side(engine, home) as in_order:
        yield _Again(context, in_order, open_signed(context, in_order))


REMOVALS_CONFIRMED = Check(
    "removals_confirmed",
    "A fresh sample of removals is as similar as the threshold asks.",
    _confirmed,
)
MEANING_CONFIRMED = Check(
    "meaning_confirmed",
    "A fresh sample of removals by meaning has cosines above the bound.",
    _confirmed_by_meaning,
)
PAIRS_MISSED = Check(
    "pairs_missed",
    "No more similar pairs are missed than the bands' curve expects.",
    _missed,
)
