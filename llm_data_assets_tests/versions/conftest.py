"""A small workspace with a past."""

import shutil
from pathlib import Path

import pytest

from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import lake_of, materialise
from llm_data_assets.stages.stage import Context
from llm_data_assets.stages.versions import is_fresh
from llm_data_assets_tests.conftest import sentence, write_workspace

UP_TO = list(STAGES)[: list(STAGES).index("tokenizer") + 1]


def make(workspace: Workspace) -> None:
    """Every partition that is not fresh, up to the tokenizer."""
    for name in UP_TO:
        for partition in STAGES[name].partitions(workspace):
            context = Context(workspace, lake_of(workspace), partition)
            if not is_fresh(STAGES[name], context, STAGES):
                materialise(STAGES[name], partition, workspace, run_id=f"run-{name}")


def reopen(workspace: Workspace, old: str = "", new: str = "") -> Workspace:
    """The workspace after a change to pipeline.yaml."""
    pipeline = workspace.pipeline.path
    pipeline.write_text(pipeline.read_text().replace(old, new))
    return open_workspace(workspace.home, workspace.catalog.path, pipeline)


@pytest.fixture(scope="package")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Two sources up to the tokenizer; made once, and copied for each test."""
    spam = {"id": "spam", "text": "buy cheap clocks now " * 60}
    workspace = write_workspace(
        tmp_path_factory.mktemp("made"),
        {name: [*({"id": f"{i}", "text": sentence(i)} for i in some), spam]
         for name, some in (("a", range(8)), ("b", range(20, 26)))},
    )  # fmt: skip
    make(workspace)
    return workspace


@pytest.fixture
def workspace(made: Workspace, tmp_path: Path) -> Workspace:
    """A copy of one's own."""
    folder = shutil.copytree(made.home.parent, tmp_path / "own")
    return open_workspace(folder / "home", folder / "catalog.yaml", folder / "pipeline.yaml")
