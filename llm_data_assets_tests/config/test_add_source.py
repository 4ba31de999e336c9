"""A source is added at its place; comments, order and what follows stay as they were."""

from pathlib import Path

import pytest

from llm_data_assets.config.add_source import add_source
from llm_data_assets.config.errors import ConfigError

SOURCE = {"format": "text", "uris": ["books/*.txt"]}
ADDED = "  new:\n    format: text\n    uris:\n    - books/*.txt\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, f"sources:\n{ADDED}"),
        (
            "# mine\nsources:\n  # first\n  old: {format: text, uris: [a]}  # kept\n",
            f"# mine\nsources:\n  # first\n  old: {{format: text, uris: [a]}}  # kept\n{ADDED}",
        ),
        (
            "sources:\n    old:\n        format: text\n        uris: [a]\n\n# the end\n",
            "sources:\n    old:\n        format: text\n        uris: [a]\n"
            + ADDED.replace("\n  ", "\n    ").replace("  new", "    new", 1)
            + "\n# the end\n",
        ),
    ],
)
def test_a_source_is_added_at_the_end(tmp_path: Path, before: str | None, after: str) -> None:
    catalog = tmp_path / "catalog.yaml"
    if before:
        catalog.write_text(before)
    loaded = add_source(catalog, "new", SOURCE)
    assert catalog.read_text() == after
    assert loaded.model.sources["new"].uris == ["books/*.txt"]


@pytest.mark.parametrize(
    ("name", "before", "message"),
    [
        ("old", "sources:\n  old: {format: text, uris: [a]}\n", "is there already"),
        ("New", "sources:\n  old: {format: text, uris: [a]}\n", "cannot be a partition"),
        ("new", "sources: {old: {format: text, uris: [a]}}\n", "in braces"),
    ],
)
def test_what_cannot_be_added_changes_nothing(
    tmp_path: Path, name: str, before: str, message: str
) -> None:
    catalog = tmp_path / "catalog.yaml"
    catalog.write_text(before)
    with pytest.raises(ConfigError, match=message):
        add_source(catalog, name, SOURCE)
    assert catalog.read_text() == before
    assert [path.name for path in tmp_path.iterdir()] == ["catalog.yaml"]
