"""Names that come with the data (ids, titles, addresses, files) and mean to be SQL or HTML."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from starlette.testclient import TestClient

from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.explain import explain_document
from llm_data_assets.lake.catalog import connect
from llm_data_assets.stages.takedown import effect_of
from llm_data_assets.studio.app import make_app
from llm_data_assets.studio.report import report_html
from llm_data_assets_tests.conftest import sentence, write_workspace
from llm_data_assets_tests.stages.test_whole_flow import materialise_all

pytestmark = pytest.mark.slow

SQL = "x'; DROP VIEW raw_corpus; --"
HTML = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>"
NAMES = [SQL, HTML, "{{ 7 * 7 }}{% raw %}", "a\u202eb", "=1+1", "%s%n", "../../up", "a\nb\rc"]


class Active(HTMLParser):
    """What a browser would run or load of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            told = (value or "").strip().lower()
            if name.startswith("on") or told.startswith(("javascript:", "vbscript:")):
                self.found.append(f"{tag} {name}={value}")
            if name in ("src", "href") and "//" in told.partition("?")[0]:
                self.found.append(f"{tag} {name}={value}")
        if tag in ("iframe", "object", "embed", "base", "form") and tag != "form":
            self.found.append(tag)
        if tag == "script" and dict(attributes).get("src") is None:
            self.found.append("inline script")


def active(page: str) -> list[str]:
    parser = Active()
    parser.feed(page)
    return parser.found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A flow over documents whose every name is an attack, in a file whose name is one."""
    folder = tmp_path_factory.mktemp("names")
    written = write_workspace(folder, {"web": [{"id": "a", "text": sentence(0)}]})
    file = folder / "web'; DROP VIEW funnel; --<script>alert(3)<script>.jsonl"
    records = [
        {"id": name, "title": name, "url": f"javascript:alert('{name}')", "text": f"{name} {text}",
         "license": name, "language": name}
        for name, text in zip(NAMES, map(sentence, (1, 2, 3, 3, 4, 5, 6, 7)), strict=True)
    ]  # fmt: skip
    records += [{"id": f"short {name}", "text": name} for name in NAMES]
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    catalog = yaml.safe_load(written.catalog.path.read_text())
    catalog["sources"]["web"] |= {"description": HTML, "domain": SQL, "license": HTML}
    written.catalog.path.write_text(yaml.safe_dump(catalog))
    pipeline = yaml.safe_load(written.pipeline.path.read_text())
    pipeline["rules"].append({"name": HTML, "signal": "ccnet_length", "min": 40})
    pipeline["rules"].append({"name": SQL, "signal": "title", "none_of": ["=1+1"]})
    written.pipeline.path.write_text(yaml.safe_dump(pipeline))
    workspace = open_workspace(written.home, written.catalog.path, written.pipeline.path)
    materialise_all(workspace)
    return workspace


def test_every_document_comes_through_under_its_name(made: Workspace) -> None:
    connection = connect(made.home)
    rows = connection.execute("SELECT doc_id FROM raw_corpus").fetchall()
    assert len(rows) == 1 + 2 * len(NAMES)
    for (doc_id,) in rows:
        passport = explain_document(connection, doc_id)
        assert passport is not None and passport["document"]["doc_id"] == doc_id
        assert effect_of(made, "doc_id", [doc_id]).met[0][2] == doc_id


def test_no_page_and_no_report_runs_a_name(made: Workspace) -> None:
    client = TestClient(make_app(made), base_url="http://127.0.0.1")
    ids = [row[0] for row in connect(made.home).execute("SELECT doc_id FROM raw_corpus").fetchall()]
    asked = [("/doc", {"id": doc_id}) for doc_id in ids]
    asked += [(path, {}) for path in ("/", "/checks", "/duplicates", "/filters", "/explore", "/mix",
                                      "/compare", "/tokenizer", "/card")]  # fmt: skip
    asked += [("/", {"stage": "filtered_corpus", "reason": name}) for name in (SQL, HTML)]
    asked += [("/filters", {f"{HTML}.min": "1"}), ("/sql", {"q": HTML}),
              ("/duplicates", {"kept": ids[3], "removed": ids[4]}), ("/card", {"recipe": HTML}),
              ("/sql", {"q": "SELECT * FROM raw_corpus"})]  # fmt: skip
    for path, query in asked:
        page = client.get(path, params=query)
        assert page.status_code == 200 and active(page.text) == [], (path, query)
    without_style = report_html(made)
    assert active(without_style) == []


def test_a_table_to_download_holds_no_formula(made: Workspace) -> None:
    client = TestClient(make_app(made), base_url="http://127.0.0.1")
    table = client.get("/csv/document/some")
    lines = table.text.splitlines() if table.status_code == 200 else []
    assert not [cell for line in lines for cell in line.split(",") if cell.startswith(("=", "+"))]


def test_nothing_lies_outside_of_the_home(made: Workspace) -> None:
    folder = made.catalog.path.parent
    names = sorted(path.name for path in folder.iterdir() if path != made.home)
    assert [name for name in names if not name.startswith(("web", ".audit"))] == [
        "audit.log", "catalog.yaml", "pipeline.yaml",
    ]  # fmt: skip
    assert not (folder.parent / "up").exists()
    assert Path(made.home / "lake").is_dir()
