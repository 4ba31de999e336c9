"""A restricted source: counted everywhere, read and taken out by whoever holds its role alone."""

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from starlette.testclient import TestClient

import llm_data_assets
from llm_data_assets.config.audit import read_audit
from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace, keep_private, make_home, open_workspace
from llm_data_assets.lake.catalog import connect, model_file
from llm_data_assets.lake.models import load_models
from llm_data_assets.stages import materialise as materialise_module
from llm_data_assets.stages.export_out import export_to
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import materialise
from llm_data_assets.stages.preview import preview
from llm_data_assets.stages.publication import open_catalog, publish_catalog
from llm_data_assets.studio.app import make_app
from llm_data_assets.studio.reader import Reader
from llm_data_assets.studio.report import report_html
from llm_data_assets.studio.sql_box import ask
from llm_data_assets_tests.conftest import sentence, write_workspace
from llm_data_assets_tests.test_cli import call

WORD = "heliotrope"  # stands in every document of the restricted source, and nowhere else
DIALOGUES = [
    {"conversations": [{"from": "human", "value": f"Which {WORD} is number {i}? {sentence(i)}"},
                       {"from": "gpt", "value": f"The {WORD} {i}. {sentence(i + 40)}"}]}
    for i in range(4)
]  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Every stage; `law` and `talks` are restricted, the exports refused, so left out."""
    folder = tmp_path_factory.mktemp("restricted")
    law = [{"id": f"l{i}", "title": f"{WORD} {i}", "text": f"{WORD}. {sentence(i)}"}
           for i in range(20, 28)]  # fmt: skip
    law += [{"id": "short", "text": f"{WORD} alone"}, {"id": "spam", "text": f"{WORD} now " * 90}]
    written = write_workspace(
        folder, {"law": law, "web": [{"id": f"w{i}", "text": sentence(i)} for i in range(8)]}
    )
    (folder / "talks.json").write_text(json.dumps(DIALOGUES))
    catalog = yaml.safe_load(written.catalog.path.read_text())
    catalog["sources"]["law"] |= {"restricted": ["legal", "board"]}
    catalog["sources"]["talks"] = {
        "format": "sharegpt", "uris": ["talks.json"], "restricted": ["legal"],
    }  # fmt: skip
    written.catalog.path.write_text(yaml.safe_dump(catalog))
    workspace = open_workspace(written.home, written.catalog.path, written.pipeline.path)
    with pytest.MonkeyPatch.context() as patch:  # once, at the end: half of the time
        patch.setattr(materialise_module, "publish_catalog", lambda workspace: None)
        for stage in STAGES.values():
            for partition in stage.partitions(workspace):
                if stage.name not in ("training_export", "instruction_mix"):
                    materialise(stage, partition, workspace)
    publish_catalog(workspace)
    return workspace


@pytest.fixture
def of_legal(made: Workspace) -> Workspace:
    return replace(made, roles=frozenset({"legal"}))


@pytest.fixture(autouse=True)
def no_log_between(made: Workspace) -> Iterator[None]:
    yield
    made.audit.unlink(missing_ok=True)


def everything(workspace: Workspace) -> dict[str, str]:
    """Every row of every table and model, as text."""
    connection = open_catalog(workspace)
    names = [name for (name,) in connection.execute("SHOW TABLES").fetchall()]
    return {name: str(connection.execute(f'FROM "{name}"').fetchall()) for name in names}


def test_no_table_and_no_model_shows_a_word_of_it(made: Workspace) -> None:
    shown = everything(made)
    assert [name for name, rows in shown.items() if WORD in rows] == []
    tokens = "SELECT source, bool_and(tokens IS NULL) FROM tokenized_corpus GROUP BY 1 ORDER BY 1"
    assert connect(made.home).execute(tokens).fetchall() == [("law", True), ("web", False)]


def test_who_holds_a_role_of_it_sees_it(made: Workspace, of_legal: Workspace) -> None:
    shown = [name for name, rows in everything(of_legal).items() if WORD in rows]
    assert {"raw_corpus", "filtered_corpus", "raw_instructions", "drop_samples"} <= set(shown)
    board = connect(made.home, ["board"])
    seen = "SELECT count(text) FROM raw_corpus WHERE source = 'law'"
    assert board.execute(seen).fetchall() == [(10,)]
    assert board.execute("SELECT count(turns) FROM raw_instructions").fetchall() == [(0,)]
    assert connect(made.home, ["guest"]).execute(seen).fetchall() == [(0,)]


def test_it_is_counted_all_the_same(made: Workspace) -> None:
    counts = "SELECT source, docs FROM funnel WHERE stage = 'raw_corpus' ORDER BY source"
    assert connect(made.home).execute(counts).fetchall() == [("law", 10), ("web", 8)]


def test_the_environment_gives_the_roles_of_connect(
    made: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = "SELECT count(text) FROM raw_corpus WHERE source = 'law'"
    assert llm_data_assets.connect(made.home).execute(seen).fetchall() == [(0,)]
    monkeypatch.setenv("LLM_DATA_ROLES", "guest, legal")
    assert llm_data_assets.connect(made.home).execute(seen).fetchall() == [(10,)]


def test_no_page_of_the_studio_shows_it(made: Workspace, of_legal: Workspace) -> None:
    paths = [
        "/",
        "/checks",
        "/duplicates",
        "/filters",
        "/filters?gopher_short_doc.min=1",
        "/mix",
        "/explore",
        "/tokenizer",
        "/compare",
        "/instructions",
        "/card",
        "/doc?id=law/short",
        "/doc?id=law/l20",
        "/?source=law&stage=filtered_corpus&reason=gopher_short_doc",
    ]

    def pages(workspace: Workspace) -> list[str]:
        client = TestClient(make_app(workspace), base_url="http://127.0.0.1")
        found = [(path, client.get(path)) for path in paths]
        assert [path for path, page in found if page.status_code != 200] == []
        return [path for path, page in found if WORD in page.text]

    assert pages(made) == []
    assert "/doc?id=law/l20" in pages(of_legal)
    assert WORD not in report_html(made)


def test_the_sql_box_reads_by_the_readers_roles(made: Workspace, of_legal: Workspace) -> None:
    sql = "SELECT text FROM raw_corpus WHERE doc_id = 'law/l20'"
    assert WORD not in str(ask(Reader(made), sql).rows)
    assert WORD in str(ask(Reader(of_legal), sql).rows)
    assert WORD not in str(ask(Reader(made), sql).rows)  # one database, another reader


def test_a_preview_names_it_without_its_text(made: Workspace, of_legal: Workspace) -> None:
    assert preview(made, "law").documents == 10 and WORD not in str(preview(made, "law"))
    assert WORD in str(preview(of_legal, "law"))


def test_an_export_is_refused_by_name_with_the_way_out(made: Workspace, tmp_path: Path) -> None:
    for stage in ("training_export", "instruction_mix"):
        for partition in STAGES[stage].partitions(made):
            with pytest.raises(ConfigError, match=r"restricted to roles: .*Try: `llm-data --role"):
                materialise(STAGES[stage], partition, made)
    with pytest.raises(ConfigError, match=r"export small: .* law \(legal or board\)"):
        export_to(made, "small", "jsonl", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists() and read_audit(made.audit) == []


def test_an_export_by_who_holds_the_role_is_put_down(of_legal: Workspace, tmp_path: Path) -> None:
    files = export_to(of_legal, "small", "jsonl", str(tmp_path / "out"))
    (entry,) = read_audit(of_legal.audit)
    assert (entry.act, entry.told["what"], entry.told["to"]) == (
        "export", "small", str(tmp_path / "out"),
    )  # fmt: skip
    written = {Path(file).relative_to(tmp_path / "out").as_posix() for file in files}
    assert set(entry.told["files"]) == written - {"manifest.json"}


def test_another_restriction_is_honoured_at_the_next_look(made: Workspace, tmp_path: Path) -> None:
    before = made.catalog.path.read_text()
    built = model_file(made.home, "drop_samples", made.restricted)
    built.parent.mkdir(exist_ok=True)
    built.touch()
    try:
        made.catalog.path.write_text(before.replace("- legal", "- court"))
        now = open_workspace(made.home, made.catalog.path, made.pipeline.path)
        assert WORD not in everything(replace(now, roles=frozenset({"legal"})))["raw_corpus"]
        assert WORD in everything(replace(now, roles=frozenset({"court"})))["raw_corpus"]
        assert not built.exists()
    finally:
        made.catalog.path.write_text(before)
        publish_catalog(made)


def test_the_command_takes_roles_and_puts_a_reveal_down(
    made: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (("HOME", made.home), ("CATALOG", made.catalog.path),
                        ("PIPELINE", made.pipeline.path), ("ROLES", "")):  # fmt: skip
        monkeypatch.setenv(f"LLM_DATA_{name}", str(value))
    sql = "SELECT text FROM raw_corpus WHERE doc_id = 'law/l20'"
    assert WORD not in call(capsys, "query", sql)[1]
    assert read_audit(made.audit) == []
    assert WORD in call(capsys, "--role", "legal", "query", sql)[1]
    code, text = call(capsys, "audit")
    assert code == 0 and "reveal" in text and '"law", "talks"' in text and "1 entries" in text
    assert call(capsys, "query", "SELECT 1; SELECT 2")[0] == 2
    assert call(capsys, "query", f"COPY (SELECT 1) TO '{made.home}/x.csv'")[0] == 2
    assert not (made.home / "x.csv").exists()


def test_a_role_that_is_no_name_is_refused(made: Workspace, tmp_path: Path) -> None:
    catalog = tmp_path / "catalog.yaml"
    catalog.write_text(made.catalog.path.read_text().replace("- legal", '- "legal\'); --"'))
    with pytest.raises(ConfigError, match="cannot be a role"):
        open_workspace(made.home, catalog, made.pipeline.path)


def test_a_home_is_its_owners_alone(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        keep_private()
        make_home(tmp_path / "a" / "home")
        file = tmp_path / "a" / "home" / "file"
        file.touch()
    finally:
        os.umask(umask)
    assert stat.S_IMODE((tmp_path / "a" / "home").stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o660  # of the group, if the home is opened to it


def test_every_model_is_read_through_the_views(made: Workspace) -> None:
    names = {name for (name,) in connect(made.home).execute("SHOW TABLES").fetchall()}
    assert set(load_models()) <= names
