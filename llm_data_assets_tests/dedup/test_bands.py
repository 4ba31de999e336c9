"""Bands: equal keys for equal bands, found as often as theory says."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_data_assets.dedup.bands import band_keys, hit_probability, parameters
from llm_data_assets.dedup.minhash import signatures


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 1), min_size=6, max_size=6), min_size=1, max_size=9))
def test_keys_are_equal_exactly_where_bands_are(values: list[list[int]]) -> None:
    matrix = np.array(values, np.uint32)
    keys = band_keys(matrix, bands=3, rows=2)
    assert keys.shape == (len(values), 3)
    assert keys.dtype == np.uint64
    for i, left in enumerate(values):
        for j, right in enumerate(values):
            bands_agree = [left[at : at + 2] == right[at : at + 2] for at in (0, 2, 4)]
            assert (keys[i] == keys[j]).tolist() == bands_agree


@pytest.mark.parametrize("rows", range(1, 15))
def test_keys_are_mixed_polynomials_of_the_values(rows: int) -> None:
    matrix = np.random.default_rng(rows).integers(0, 1 << 32, (9, 2 * rows), np.uint32)
    np.testing.assert_array_equal(
        band_keys(matrix, bands=2, rows=rows),
        [[_plain_key(row[rows * band :][:rows], band) for band in (0, 1)] for row in matrix],
    )


def _plain_key(values: np.ndarray, band: int) -> int:
    """Values, two as one if they are even in number, as a polynomial; half of MurmurHash3's end."""
    key = band + 1
    for value in values.view(np.uint64) if len(values) % 2 == 0 else values:
        key = (key * 0x9E3779B185EBCA87 + int(value)) % 2**64
    key = (key ^ key >> 33) * 0xFF51AFD7ED558CCD % 2**64
    return key ^ key >> 33


def test_equal_values_in_two_bands_have_two_keys() -> None:
    keys = band_keys(np.zeros((1, 8), np.uint32), bands=4, rows=2)
    assert len(set(keys[0].tolist())) == 4


def test_values_past_the_last_band_do_not_count() -> None:
    matrix = np.arange(10, dtype=np.uint32).reshape(2, 5)
    np.testing.assert_array_equal(
        band_keys(matrix, bands=2, rows=2), band_keys(matrix[:, :4], bands=2, rows=2)
    )


def test_bands_that_do_not_fit_say_so() -> None:
    with pytest.raises(ValueError, match="3 bands of 2 rows do not fit a signature of 5 values"):
        band_keys(np.zeros((1, 5), np.uint32), bands=3, rows=2)


@pytest.mark.parametrize(
    ("similarity", "bands", "rows", "probability"),
    [  # 1 - (1 - s ** rows) ** bands, worked out beforehand
        (0.5, 14, 8, 0.0533),
        (0.8, 14, 8, 0.9235),
        (0.8, 9, 13, 0.3988),
        (0.75, 450, 20, 0.7605),
        (0.95, 5, 25, 0.8030),
    ],
)
def test_hit_probability(similarity: float, bands: int, rows: int, probability: float) -> None:
    assert hit_probability(similarity, bands, rows) == pytest.approx(probability, abs=5e-5)


@pytest.mark.parametrize(
    ("threshold", "bands", "rows"),
    [(0.5, 25, 5), (0.7, 14, 9), (0.75, 11, 11), (0.8, 9, 13), (0.85, 8, 16), (0.9, 5, 25)],
)
def test_parameters_are_datasketchs(threshold: float, bands: int, rows: int) -> None:
    assert parameters(threshold, 128) == (bands, rows)


def test_a_threshold_without_bands_says_so() -> None:
    with pytest.raises(ValueError, match=r"threshold 1\.1"):
        parameters(1.1, 128)


@pytest.mark.parametrize("threshold", [0.999, 1.0])
def test_near_one_there_are_two_bands(threshold: float) -> None:
    assert parameters(threshold, 112) == (2, 56)


@pytest.mark.parametrize("ngram", [1, 5])
@pytest.mark.parametrize(("bands", "rows"), [(14, 8), (9, 12)])
@pytest.mark.parametrize("similarity", [0.6, 0.75, 0.9])
def test_planted_pairs_meet_as_often_as_theory_says(
    similarity: float, bands: int, rows: int, ngram: int
) -> None:
    """2000 pairs of known Jaccard similarity; the hit rate is within four standard deviations."""
    pairs, size = 2000, 120
    shared = round(2 * size * similarity / (1 + similarity))
    exact = shared / (2 * size - shared)
    left, right = [], []
    for pair in range(pairs):
        # Two runs of words, each with words of its own at one end: all shingles are distinct.
        words = [f"{pair}x{i}" for i in range(2 * size - shared + ngram - 1)]
        left.append(" ".join(words[: size + ngram - 1]))
        right.append(" ".join(words[size - shared :]))
    keys = [
        band_keys(signatures(pa.array(texts), ngram=ngram), bands=bands, rows=rows)
        for texts in (left, right)
    ]
    rate = (keys[0] == keys[1]).any(axis=1).mean()
    expected = hit_probability(exact, bands, rows)
    assert abs(rate - expected) <= 4 * (expected * (1 - expected) / pairs) ** 0.5
