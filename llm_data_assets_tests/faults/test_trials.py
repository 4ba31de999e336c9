"""A run that is killed, has no disk left or is started twice: nothing is lost, nobody sees a half.

Each test runs a few trials; `-m long` runs hundreds, and docs/operating.md has what they gave.
"""

import json
import subprocess
import sys
from typing import Any

import pytest


def trials(fault: str, number: int, seed: int) -> dict[str, Any]:
    """What `trials` found, run as its own process: it forks, and must have no threads."""
    command = [sys.executable, "-m", "llm_data_assets_tests.faults.trials", fault]
    run = subprocess.run(
        [*command, "--trials", str(number), "--seed", str(seed)], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def without_a_loss(found: dict[str, Any], number: int) -> None:
    if any("PermissionError: no " in said for each in found["lost"].values() for said in each):
        pytest.skip("no right to mount a small file system here: a full disk was not tried")
    assert found["lost"] == {}
    assert sum(found["trials"].values()) == number


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the trials fork: Linux only")
@pytest.mark.slow  # each trial is a run of the command
@pytest.mark.parametrize(("fault", "number"), [("kill", 2), ("space", 1), ("twice", 1)])
def test_a_disturbed_run_loses_nothing(fault: str, number: int) -> None:
    without_a_loss(trials(fault, number, seed=2), number)


@pytest.mark.long
@pytest.mark.parametrize(("fault", "number"), [("kill", 300), ("space", 100), ("twice", 40)])
def test_hundreds_of_disturbed_runs_lose_nothing(fault: str, number: int) -> None:
    without_a_loss(trials(fault, number, seed=0), number)
