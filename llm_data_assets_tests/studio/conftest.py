"""A small home with a document for every fate: copied, spam, short, with personal data."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from llm_data_assets.config.workspace import Workspace
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import materialise
from llm_data_assets.studio.app import make_app
from llm_data_assets.studio.reader import Reader
from llm_data_assets_tests.conftest import sentence, write_workspace

MAIL = "jo.harbour@ferries-of-the-bay.org"


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Every stage of two sources."""
    spam = {"id": "spam", "text": "buy cheap clocks now " * 60}
    hostile = {"id": "hostile", "text": f"<script>alert(1)</script> {sentence(9)} Mail {MAIL}."}
    workspace = write_workspace(
        tmp_path_factory.mktemp("studio"),
        {
            "first": [*({"id": f"a{i}", "text": sentence(i)} for i in range(8)), spam, hostile],
            "second": [
                {"id": "copy", "text": sentence(3)},
                {"id": "short", "text": "Too short to stay."},
                *({"id": f"b{i}", "text": sentence(i)} for i in range(20, 26)),
            ],
        },
    )
    for stage in STAGES.values():
        for partition in stage.partitions(workspace):
            materialise(stage, partition, workspace)
    return workspace


@pytest.fixture
def reader(home: Workspace) -> Reader:
    return Reader(home)


@pytest.fixture
def client(home: Workspace) -> TestClient:
    return TestClient(make_app(home), base_url="http://127.0.0.1")


@pytest.fixture
def empty_client(home: Workspace, tmp_path: Path) -> TestClient:
    """A studio of a home in which nothing was run."""
    nothing = Workspace(tmp_path / "nothing", home.catalog, home.pipeline)
    return TestClient(make_app(nothing), base_url="http://127.0.0.1")
