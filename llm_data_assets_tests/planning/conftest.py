"""The reference values that the planning room is held to."""

import json
from pathlib import Path
from typing import Any

import pytest

from llm_data_assets_tests.conftest import PROJECT

REFERENCE = PROJECT.parent / "shared" / "reference"


@pytest.fixture(scope="session")
def points() -> dict[str, Any]:
    """`reference_points.json`; tests that need it skip where it is absent."""
    path = _reference() / "reference_points.json"
    return dict(json.loads(path.read_text(encoding="utf-8")))


@pytest.fixture(scope="session")
def published_runs() -> Path:
    """The 245 points of Chinchilla's figure 4."""
    return _reference() / "data" / "chinchilla_fig4_svg_extracted_245.csv"


def _reference() -> Path:
    if not REFERENCE.is_dir():
        pytest.skip("../shared/reference not present: published values not compared")
    return REFERENCE
