"""Two configurations differ in the settings that were changed, told by their names."""

from typing import Any

import pytest

from llm_data_assets.config.difference import differences

SHORT = {"name": "short", "min": 50, "max": None}
LONG = {"name": "long", "min": None, "max": 9000}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, [("a.c", 2, 3)]),
        ([SHORT, LONG], [LONG, SHORT | {"min": 80}], [("short.min", 50, 80)]),
        ([SHORT], [SHORT, LONG], [("long", None, {"name": "long", "max": 9000})]),
        ({"rules": [SHORT]}, {"rules": []}, [("rules.short", {"name": "short", "min": 50}, None)]),
        ([SHORT, LONG], [LONG, SHORT], [("", ["short", "long"], ["long", "short"])]),
        ({"languages": ["en"]}, {"languages": ["en", "zh"]}, [("languages", ["en"], ["en", "zh"])]),
        ({"model": None}, {"model": {"vocabulary": 8000}}, [("model", None, {"vocabulary": 8000})]),
        (False, True, [("", False, True)]),
    ],
)  # fmt: skip
def test_each_change_is_told_by_its_place(
    before: Any, after: Any, told: list[tuple[str, Any, Any]]
) -> None:
    assert list(differences(before, after)) == told
