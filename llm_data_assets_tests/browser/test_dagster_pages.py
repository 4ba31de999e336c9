"""Dagster's own pages of a home that it ran: lineage, a partition, a failing check, an asset."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

import pytest

from llm_data_assets.config.workspace import Workspace
from llm_data_assets_tests.browser.conftest import PICTURES, Tab

pytestmark = pytest.mark.skipif(
    not PICTURES, reason="needs a home that Dagster ran: set LLM_DATA_PICTURES and LLM_DATA_HOME"
)


@pytest.fixture(scope="module")
def address(shown: Workspace) -> Iterator[str]:
    """Dagster's webserver on the instance of the home, in place of the studio."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "DAGSTER_HOME": str(shown.home / "dagster"),
        "LLM_DATA_HOME": str(shown.home),
    }
    server = subprocess.Popen(
        [sys.executable, "-m", "dagster_webserver", "-m", "llm_data_assets.definitions",
         "-h", "127.0.0.1", "-p", str(port)],
        env=environment, cwd=shown.home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    base = f"http://127.0.0.1:{port}"
    try:
        for _ in range(1500):  # a busy machine takes minutes to load the definitions
            try:
                urllib.request.urlopen(f"{base}/server_info", timeout=5).read()
                break
            except OSError:
                time.sleep(0.2)
        yield base
    finally:
        server.terminate()
        server.wait()


@pytest.mark.parametrize(
    ("name", "path", "said"),
    [
        ("dagster_lineage", "/assets/filtered_corpus?view=lineage", "quality_signals"),
        ("dagster_partition", "/assets/filtered_corpus?view=partitions&partition=c4", "c4"),
        ("dagster_catalogue", "/assets/survival?view=overview", "Columns"),
        ("dagster_failing_check", "/assets/tokenizer?view=checks", "every_rule_fires"),
    ],
)
def test_a_page_of_dagster_shows_it(tab: Tab, name: str, path: str, said: str) -> None:
    page = tab.open(path)
    page.get_by_text(said).first.wait_for(timeout=180_000)
    page.wait_for_timeout(3000)  # the graph is laid out after its names are there
    tab.keep(name)
    tab.complaints.clear()  # Dagster's pages have their own
