"""Drift: reference values, and no alarm from chance."""

import numpy as np
import pytest

from llm_data_assets.text.drift import drift, jensen_shannon, psi


def test_reference_values() -> None:
    # Methods reference B.14; SciPy's jensenshannon gives the root of the second.
    p, q = np.full(4, 0.25), np.array([0.4, 0.3, 0.2, 0.1])
    assert psi(p, q) == pytest.approx(0.228217, abs=1e-6)
    assert jensen_shannon(p, q) == pytest.approx(0.0278656, abs=1e-7)


def test_two_samples_of_one_distribution_drift_by_chance_alone() -> None:
    random = np.random.default_rng(1)
    found = [drift(random.normal(size=500), random.normal(size=500)) for _ in range(200)]
    mean = np.mean([each.psi for each in found if each])
    assert found[0] is not None
    assert mean == pytest.approx(found[0].chance, rel=0.15)


def test_a_shift_is_a_drift_and_constant_or_missing_values_are_none() -> None:
    values = np.arange(1000.0)
    moved = drift(values, values + 500)
    assert moved is not None and moved.psi > 1 and moved.js > 0.1
    assert drift(np.zeros(10), np.zeros(20)) is not None
    assert drift(np.zeros(10), np.zeros(20)).psi == 0  # type: ignore[union-attr]
    assert drift(np.array([np.nan]), values) is None
