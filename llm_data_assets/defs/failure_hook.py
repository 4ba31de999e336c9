"""Telling somebody that a run failed: a shell command or a webhook, as pipeline.yaml says."""

import json
import subprocess
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from llm_data_assets.config.workspace import Workspace

COMMAND = "llm_data/command"  # the tag of runs whose command tells of them itself
_SECONDS = 30
_SENSOR_SECONDS = 30


def tell(workspace: Workspace, failures: Sequence[str], run: Mapping[str, Any]) -> str | None:
    """Hand `{"home", "failures", "run"}` as JSON to the command's input or to the URL.

    Nothing of it becomes part of a command line. Returns why it could not be told, or None: a
    hook that fails never fails a run.
    """
    hook = workspace.pipeline.model.automation.on_failure
    if hook is None:
        return None
    said = {"home": str(workspace.home), "failures": list(failures), "run": dict(run)}
    body = json.dumps(said).encode()
    try:
        if hook.startswith(("http://", "https://")):
            request = urllib.request.Request(hook, body, {"Content-Type": "application/json"})
            urllib.request.urlopen(request, timeout=_SECONDS).close()
        else:
            subprocess.run(
                hook, shell=True, input=body, capture_output=True, check=True, timeout=_SECONDS
            )
    except (OSError, subprocess.SubprocessError) as error:
        return f"automation.on_failure: {error}. Try: run it by hand with a line of JSON as input"
    return None


def failure_sensor(workspace: Workspace) -> dg.SensorDefinition:
    """Tells of runs that failed under the daemon; on as soon as there is somebody to tell."""
    on = workspace.pipeline.model.automation.on_failure is not None
    status = dg.DefaultSensorStatus.RUNNING if on else dg.DefaultSensorStatus.STOPPED

    @dg.run_failure_sensor(
        name="tell_of_failures",
        description="Runs `automation.on_failure` of pipeline.yaml for each run that failed.",
        minimum_interval_seconds=_SENSOR_SECONDS,
        default_status=status,
    )
    def tell_of_failures(context: dg.RunFailureSensorContext) -> None:
        run = context.dagster_run
        if COMMAND in run.tags:
            return
        assets = sorted(key.to_user_string() for key in run.asset_selection or ())
        about = {"id": run.run_id, "partition": run.tags.get("dagster/partition"), "assets": assets}
        if problem := tell(workspace, [context.failure_event.message or "failed"], about):
            context.log.warning(problem)

    return tell_of_failures
