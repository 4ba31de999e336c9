"""The system's Chromium on a studio of a small home; skipped, with the reason, where there is none.

    LLM_DATA_PICTURES=docs/pictures LLM_DATA_HOME=... pytest llm_data_assets_tests/browser -n 0

shows the home that the environment names instead, and keeps a picture of every screen.
"""

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import uvicorn

from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import materialise
from llm_data_assets.studio.app import make_app
from llm_data_assets_tests.studio.conftest import home  # noqa: F401

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

PICTURES = os.environ.get("LLM_DATA_PICTURES")


@dataclass
class Tab:
    """A page of the browser, and what it asked for or complained of."""

    page: "playwright.Page"
    base: str
    foreign: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> "playwright.Page":
        self.page.goto(self.base + path)
        return self.page

    def keep(self, name: str) -> None:
        """Keep a picture, if pictures are asked for."""
        if PICTURES:
            folder = Path(PICTURES)
            folder.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=str(folder / f"{name}.png"))


@pytest.fixture(scope="session")
def shown(home: Workspace) -> Workspace:  # noqa: F811
    """The small home with a second version of filtered_corpus, or the one to take pictures of."""
    if PICTURES:
        return open_workspace()
    stricter = home.pipeline.path.with_name("stricter.yaml")
    text = home.pipeline.path.read_text(encoding="utf-8")
    rule = "{name: fewer_words, signal: rps_doc_word_count, max: 156}"
    stricter.write_text(text.replace("[gopher, clean]", f"[gopher, clean, {rule}]"), "utf-8")
    workspace = open_workspace(home.home, home.catalog.path, stricter)
    for partition in STAGES["filtered_corpus"].partitions(workspace):
        materialise(STAGES["filtered_corpus"], partition, workspace)
    return workspace


@pytest.fixture(scope="session")
def address(shown: Workspace) -> Iterator[str]:
    """Where the studio answers."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(make_app(shown), log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def chromium() -> Iterator["playwright.Browser"]:
    """The system's browser: playwright's own is never downloaded."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        pytest.skip("no Chromium on this machine: `apt-get install chromium` brings it")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def tab(chromium: "playwright.Browser", address: str) -> Iterator[Tab]:
    """A fresh tab; the test fails if it asked anything of another machine or met an error."""
    page = chromium.new_page(viewport={"width": 1360, "height": 850})
    page.set_default_navigation_timeout(180_000)  # a machine that does much else is no fault
    opened = Tab(page, address)

    def asked(request: "playwright.Request") -> None:
        there = urlsplit(request.url)
        if there.scheme in ("http", "https", "ws", "wss") and there.hostname != "127.0.0.1":
            opened.foreign.append(request.url)

    page.on("request", asked)
    page.on(
        "console",
        lambda said: opened.complaints.append(said.text) if said.type == "error" else None,
    )
    page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    yield opened
    page.close()
    assert opened.foreign == []
    assert opened.complaints == []
