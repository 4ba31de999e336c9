"""From any token of a run to its document and back."""

from pathlib import Path

import pytest

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.explain import explain_document
from llm_data_assets.explain_position import documents_at, place_in_file
from llm_data_assets.lake.catalog import connect
from llm_data_assets.tokens import megatron
from llm_data_assets_tests.conftest import write_small_workspace
from llm_data_assets_tests.stages.test_whole_flow import materialise_all
from llm_data_assets_tests.test_cli import call


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A whole run; the tests only read it."""
    workspace = write_small_workspace(tmp_path_factory.mktemp("made"))
    materialise_all(workspace)
    return workspace


@pytest.fixture
def exported(made: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The run, chosen by the environment."""
    monkeypatch.setenv("LLM_DATA_HOME", str(made.home))
    monkeypatch.setenv("LLM_DATA_CATALOG", str(made.catalog.path))
    monkeypatch.setenv("LLM_DATA_PIPELINE", str(made.pipeline.path))
    return made


def the_file(workspace: Workspace) -> Path:
    return workspace.home / "exports" / "small" / "megatron" / "corpus-00000.bin"


def test_every_byte_of_a_file_leads_to_its_token_and_back(exported: Workspace) -> None:
    connection = connect(exported.home)
    tokens = dict(connection.execute("SELECT doc_id, tokens FROM tokenized_corpus").fetchall())
    file = the_file(exported)
    stored = megatron.read(file.with_suffix(""))
    for offset in range(0, file.stat().st_size, 37):
        recipe, position, token = place_in_file(file, offset)
        (place,) = documents_at(connection, recipe, position, token)
        at = place["first_token"] + token - place["at"]
        assert tokens[place["doc_id"]][at] == stored.tokens[offset // 2]
        passport = explain_document(connection, place["doc_id"])
        assert passport is not None
        assert position in passport["positions"][0]["positions"]


def test_a_position_names_every_document_of_its_sequence(exported: Workspace) -> None:
    connection = connect(exported.home)
    found = documents_at(connection, "small", 0)
    length = megatron.read(the_file(exported).with_suffix("")).lengths[0]
    assert sum(row["tokens"] for row in found) == length


def test_the_command_shows_the_whole_way(
    exported: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = call(capsys, "explain", "--file", str(the_file(exported)), "--offset", "100")
    assert code == 0
    assert "position 0: sequence" in text and "; token " in text
    assert "origin           first.jsonl at" in text or "origin           second.jsonl at" in text
    assert "licence          CC0-1.0" in text
    code, text = call(capsys, "explain", "--position", "1", "--json")
    assert code == 0 and '"first_token"' in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--position", "9999"), "is not in the run of small. Try: 0 to"),
        (("--position", "1", "--recipe", "big"), "has no run"),
        (("--file", "corpus.parquet"), "is no Megatron `.bin`"),
        (("--file", "other.bin"), "is not listed in a manifest.json"),
        ((), "nothing was named"),
    ],
)
def test_a_place_that_is_not_there_says_which_are(
    exported: Workspace,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    message: str,
) -> None:
    code, text = call(capsys, "explain", *arguments)
    assert code == 2 and message in " ".join(text.split())


def test_an_offset_after_the_end_is_refused(exported: Workspace) -> None:
    with pytest.raises(ConfigError, match="is not in the file"):
        place_in_file(the_file(exported), 10**9)
