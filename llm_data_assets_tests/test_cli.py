"""The command: exit codes, JSON for programs, messages with a way out."""

import json
from pathlib import Path

import pytest

import llm_data_assets
from llm_data_assets import cli
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import materialise
from llm_data_assets_tests.conftest import sentence, write_workspace


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A small workspace up to filtered_corpus, chosen by the environment."""
    spam = {"id": "spam", "text": "buy cheap clocks now " * 60}
    workspace = write_workspace(
        tmp_path,
        {
            "first": [{"id": "a", "text": sentence(1) + " Mail to jo@example.org."}, spam],
            "second": [{"id": "copy", "text": sentence(1) + " Mail to jo@example.org."}],
        },
    )
    for name in list(STAGES)[: list(STAGES).index("filtered_corpus") + 1]:
        for partition in STAGES[name].partitions(workspace):
            materialise(STAGES[name], partition, workspace)
    monkeypatch.setenv("LLM_DATA_HOME", str(workspace.home))
    monkeypatch.setenv("LLM_DATA_CATALOG", str(workspace.catalog.path))
    monkeypatch.setenv("LLM_DATA_PIPELINE", str(workspace.pipeline.path))
    return workspace


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Exit code and everything printed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["llm-data", *arguments])
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
    printed = capsys.readouterr()
    return code, printed.out + printed.err


def test_a_query_gives_json(made: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = call(capsys, "query", "SELECT doc_id FROM filtered_corpus", "--json")
    assert (code, json.loads(text)) == (0, [{"doc_id": "first/a"}])


def test_a_wrong_query_fails_in_words(made: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = call(capsys, "query", "SELECT nothing FROM nowhere")
    assert code == 1 and "SHOW TABLES" in text and "Traceback" not in text


def test_a_query_cannot_write(made: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = call(capsys, "query", "CREATE TABLE t (x INTEGER)")
    assert code == 2 and "exactly one SELECT" in text


def test_explain_follows_a_kept_document(
    made: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = call(capsys, "explain", "first/a")
    assert code == 0
    assert "repeated by      second/copy (exact, 1.000)" in text
    assert "edited: email, 14 characters" in text


def test_explain_names_the_partner_of_a_duplicate(
    made: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    _, text = call(capsys, "explain", "second/copy")
    assert "exact duplicate of first/a, similarity 1.000" in text


def test_explain_gives_every_failing_rule_of_a_dropped_document(
    made: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    _, text = call(capsys, "explain", "first/spam", "--json")
    passport = json.loads(text)
    assert passport["removed"]["reason"].startswith("gopher_")
    assert len(passport["verdicts"]) > 3
    assert all(each["value"] is not None for each in passport["verdicts"])


def test_explain_of_an_unknown_document(
    made: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = call(capsys, "explain", "nobody")
    assert code == 1 and "Try:" in text


def test_sources_check_shows_documents_without_writing(
    made: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = call(capsys, "sources", "check", "first", "--json")
    (found,) = json.loads(text)
    assert code == 0 and found["documents"] == 2 and found["samples"][0]["language"] == "en"


def test_wrong_use_has_exit_code_2(made: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, "sources", "check", "nowhere")[0] == 2
    code, text = call(capsys, "run", "--source", "nowhere")
    assert code == 2 and "one of first, second" in text
    assert call(capsys, "run", "--to", "nowhere")[0] == 2


def test_a_home_without_tables_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LLM_DATA_HOME", str(tmp_path / "nothing"))
    code, text = call(capsys, "query", "SELECT 1")
    assert code == 1 and "llm-data run" in text


def test_doctor_names_the_problem(
    made: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(capsys, "doctor", "--json")[0] == 0
    (made.catalog.path.parent / "second.jsonl").unlink()
    code, text = call(capsys, "doctor", "--json")
    problems = [row["check"] for row in json.loads(text) if row["state"] == "problem"]
    assert (code, problems) == (1, ["source second"])


def test_init_makes_a_workspace_that_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _ = call(capsys, "init", str(tmp_path / "mine"))
    assert code == 0
    monkeypatch.chdir(tmp_path / "mine")
    assert call(capsys, "sources", "list")[0] == 0


def test_python_connects_to_the_same_views(made: Workspace) -> None:
    found = llm_data_assets.connect().execute("SELECT doc_id FROM filtered_corpus").fetchall()
    assert found == [("first/a",)]


def test_a_source_is_added_once_it_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tale.txt").write_text("A tale of two words.", encoding="utf-8")
    add = ("sources", "add", "tales", "--format", "text", "--uri")
    code, text = call(capsys, *add, "nowhere/*.txt")
    assert code == 1 and "matches no file" in text and "Nothing was added" in text
    assert not (tmp_path / "catalog.yaml").exists()

    code, text = call(capsys, *add, "*.txt", "--license", "CC0-1.0", "--option", "max=3")
    assert code == 1 and "max" in text
    assert not (tmp_path / "catalog.yaml").exists()

    code, text = call(capsys, *add, "*.txt", "--license", "CC0-1.0")
    assert code == 0 and "en, CC0-1.0, utf-8" in text and "A tale of two words." in text
    code, text = call(capsys, "sources", "list", "--json")
    assert [row["source"] for row in json.loads(text)] == ["tales"]


def test_proxy_runs_become_weights_for_a_recipe(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shares = [number / 400 for number in range(401)]
    rows = [f"{share},{1 - share},{(share - 0.7) ** 2}" for share in shares]
    (tmp_path / "runs.csv").write_text("\n".join(["web,code,loss", *rows]))
    ask = ("fit-mixture", str(tmp_path / "runs.csv"), "--target", "loss", "--json")
    code, text = call(capsys, *ask, "--domain", "web", "--domain", "code")
    weights = json.loads(text)["weights"]
    assert code == 0 and weights["web"] == pytest.approx(0.7, abs=0.1)
    code, text = call(capsys, *ask, "--domain", "prose")
    assert code == 2 and "one of web, code, loss" in " ".join(text.split())
