"""The command over versions: from wrong words to a rebuild through Dagster."""

import json
from pathlib import Path

import pytest

from llm_data_assets.config.workspace import Workspace
from llm_data_assets_tests.test_cli import call
from llm_data_assets_tests.versions.conftest import reopen


@pytest.fixture
def chosen(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The workspace that the environment names."""
    monkeypatch.setenv("LLM_DATA_HOME", str(workspace.home))
    monkeypatch.setenv("LLM_DATA_CATALOG", str(workspace.catalog.path))
    monkeypatch.setenv("LLM_DATA_PIPELINE", str(workspace.pipeline.path))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return workspace


@pytest.mark.slow  # the demo made, pinned and made again
def test_restored_pinned_collected_and_rebuilt(
    chosen: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(*arguments: str, code: int = 0) -> str:
        found, text = call(capsys, *arguments)
        assert found == code, text
        return text

    def contents() -> list[str]:
        asked = ("versions", "--stage", "filtered_corpus", "--source", "a", "--json")
        return [row["content"] for row in json.loads(said(*asked))]

    assert "first" in said("versions")
    reopen(chosen, "rules: [gopher, clean]", "rules: []")
    said("run")
    first, loose = contents()
    rows = json.loads(said("diff", "filtered_corpus/a@1", "now", "--json"))
    assert [(row["came"], row["left"], row["changed_verdict"]) for row in rows] == [(1, 0, 1)]
    said("restore", "filtered_corpus/a", "1")
    said("run")
    assert contents() == [first, loose, first], "a run leaves a restored version in its place"
    reopen(chosen, "rules: []", "rules: [gopher, clean]")
    said("run")
    assert "pinned as first" in said("pin", "first")
    assert "first" in said("pin")
    assert " would go" in said("gc", "--dry-run")
    assert " went" in said("gc")
    assert "byte for byte what was pinned" in said("rebuild", "first", str(tmp_path / "again"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["versions", "--stage", "filter"], "is not a stage. Try: one of"),
        (["versions", "--source", "web"], "is not in the catalog. Try: one of a, b"),
        (["restore", "filtered_corpus/a", "7"], "there was no version 7. Try: 1 to 1"),
        (["diff", "nothing", "now"], "there is no such pin. Try: `llm-data pin NAME`"),
        (["diff", "raw_corpus/a@1", "raw_corpus/b@1"], "are of different partitions. Try:"),
        (["rebuild", "nothing", "new"], "there is no such pin. Try:"),
    ],
)
def test_wrong_words_are_answered_with_a_way_out(
    chosen: Workspace,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    code, text = call(capsys, *arguments)
    assert code == 2 and message in text and "Traceback" not in text
