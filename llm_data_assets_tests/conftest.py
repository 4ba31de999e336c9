"""Fixtures shared by every room's tests."""

from pathlib import Path

import pytest
from hypothesis import settings

from llm_data_assets.config.workspace import Workspace, open_workspace

# The gate gives the same answer for the same code; look for new cases with --hypothesis-profile
# default.
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.load_profile("fixed")

PROJECT = Path(__file__).resolve().parent.parent
SHARED_DATA = PROJECT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real files in native formats; tests that need it skip where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("../shared/data not present: tests on real native files skipped")
    return SHARED_DATA


@pytest.fixture
def small_workspace(tmp_path: Path) -> Workspace:
    """Two sources of a few JSON lines each, one of them with a copy of the other's document."""
    return write_small_workspace(tmp_path)


def write_small_workspace(folder: Path) -> Workspace:
    """`small_workspace` in any folder, for fixtures that outlive a test."""
    return write_workspace(
        folder,
        {
            "first": [{"id": f"a{i}", "text": sentence(i)} for i in range(8)],
            "second": [
                {"id": "copy", "text": sentence(3)},
                *({"id": f"b{i}", "text": sentence(i)} for i in range(20, 26)),
            ],
        },
    )


def sentence(number: int) -> str:
    """A distinct, clean document of about eighty words."""
    from llm_data_assets_tests.quickstart.prose import article

    return article(number, 8)[1]


def write_workspace(folder: Path, sources: dict[str, list[dict[str, str]]]) -> Workspace:
    """A workspace whose sources are JSON-lines files, one for each name, in `folder`."""
    import json

    lines = ["sources:"]
    for priority, (name, records) in enumerate(sources.items()):
        (folder / f"{name}.jsonl").write_text(
            "".join(json.dumps(record) + "\n" for record in records), encoding="utf-8"
        )
        lines += [
            f"  {name}:",
            "    format: jsonl",
            f"    uris: ['{name}*.jsonl']",
            "    license: CC0-1.0",
            f"    priority: {priority}",
            "    options: {id: id}",
        ]
    (folder / "catalog.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "pipeline.yaml").write_text(
        "rules: [gopher, clean]\n"
        "tokenizer: {vocab_size: 400, sample_mb: 1}\n"
        "recipes: {small: {sequence_length: 64, formats: [megatron, parquet]}}\n"
        "checks: {max_reject_share: 0.5, max_duplicate_share: 1.0}\n",
        encoding="utf-8",
    )
    return open_workspace(folder / "home", folder / "catalog.yaml", folder / "pipeline.yaml")
