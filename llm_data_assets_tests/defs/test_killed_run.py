"""A run that is killed at any moment is finished by the next, to the same bytes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.stages.materialise import lake_of
from llm_data_assets_tests.conftest import sentence, write_workspace
from llm_data_assets_tests.defs.test_run import environment
from llm_data_assets_tests.stages.test_whole_flow import contents, materialise_all


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace whose every table was made in peace."""
    workspace = write_workspace(
        tmp_path_factory.mktemp("undisturbed"),
        {name: [{"id": f"{i}", "text": sentence(i)} for i in range(12)] for name in ("a", "b")},
    )
    materialise_all(workspace)
    return workspace


@pytest.fixture
def disturbed(undisturbed: Workspace, tmp_path: Path) -> Workspace:
    """The same, opened on an empty home."""
    return open_workspace(tmp_path / "home", undisturbed.catalog.path, undisturbed.pipeline.path)


@pytest.mark.slow  # runs of the command, killed
def test_killed_runs_end_where_an_undisturbed_one_does(
    undisturbed: Workspace, disturbed: Workspace
) -> None:
    command = [sys.executable, "-m", "llm_data_assets.cli", "run"]
    for seconds in (3.0, 4.5, 6.0):
        run = subprocess.Popen(
            command,
            env=environment(disturbed),
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(seconds)
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    last = subprocess.run(command, env=environment(disturbed), capture_output=True, text=True)
    assert last.returncode == 0, last.stdout + last.stderr
    expected, found = contents(undisturbed), contents(disturbed)
    assert [name for name in expected if expected[name] != found[name]] == []
    assert list(lake_of(disturbed).root.rglob(".*.tmp")) == []


@pytest.mark.slow  # a run of the command, interrupted, and the next
def test_an_interrupted_run_says_so_and_is_finished_by_the_next(
    undisturbed: Workspace, disturbed: Workspace
) -> None:
    command = [sys.executable, "-m", "llm_data_assets.cli", "run"]
    run = subprocess.Popen(
        command,
        env=environment(disturbed),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert run.stderr is not None
    said = ""
    while "[3/" not in said:  # the third step has begun
        line = run.stderr.readline()
        assert line, f"the run ended before: {said}"
        said += line
    os.killpg(run.pid, signal.SIGINT)
    with run:
        said += run.stderr.read()
    assert run.returncode == 130, said
    assert "interrupted. Try: the same command again" in said
    assert "Traceback" not in said
    assert list(lake_of(disturbed).root.rglob(".*.tmp")) == []
    last = subprocess.run(command, env=environment(disturbed), capture_output=True, text=True)
    assert last.returncode == 0, last.stdout + last.stderr
    expected, found = contents(undisturbed), contents(disturbed)
    assert [name for name in expected if expected[name] != found[name]] == []
