"""A failure that may pass is tried again; one that stays is told to whom it concerns."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.definitions import build_definitions
from llm_data_assets.defs import stage_assets
from llm_data_assets.defs.failure_hook import failure_sensor, tell
from llm_data_assets.defs.run import run
from llm_data_assets.defs.sources import new_files_sensor, observe
from llm_data_assets.engine.errors import WorkerDiedError

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def with_automation(workspace: Workspace, **settings: Any) -> Workspace:
    """The workspace after `automation:` was written into pipeline.yaml."""
    path = workspace.pipeline.path
    path.write_text(path.read_text() + f"automation: {json.dumps(settings)}\n")
    return open_workspace(workspace.home, workspace.catalog.path, path)


@pytest.fixture
def posts() -> Iterator[tuple[str, list[Any]]]:
    """A URL on this machine, and what was posted to it."""
    got: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(404 if self.path == "/gone" else 204)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", got
        server.shutdown()
        thread.join()


def failing(monkeypatch: pytest.MonkeyPatch, error: Exception, times: int) -> list[str]:
    """Let the first `times` materialisations fail; returns the stages that were tried."""
    tried: list[str] = []
    real = stage_assets.materialise

    def materialise(stage: Any, *args: Any, **more: Any) -> Any:
        tried.append(stage.name)
        if len(tried) <= times:
            raise error
        return real(stage, *args, **more)

    monkeypatch.setattr(stage_assets, "materialise", materialise)
    return tried


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        (WorkerDiedError("killed for memory"), 3),
        (ConnectionResetError(104, "reset by the server"), 3),
        (OSError(28, "No space left on device"), 1),
        (ValueError("a wrong setting"), 1),
    ],
)
def test_only_what_may_pass_is_tried_again(
    small_workspace: Workspace, monkeypatch: pytest.MonkeyPatch, error: Exception, tries: int
) -> None:
    workspace = with_automation(small_workspace, retries=2, retry_seconds=0)
    tried = failing(monkeypatch, error, times=9)
    job = build_definitions(workspace).resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(
            instance=instance,
            asset_selection=[dg.AssetKey("raw_corpus")],
            partition_key="first",
            run_config=QUIET,
            raise_on_error=False,
        )
    assert not result.success and tried == ["raw_corpus"] * tries


def test_a_worker_that_died_once_costs_no_run(
    small_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = with_automation(small_workspace, retry_seconds=0)
    failing(monkeypatch, WorkerDiedError("killed for memory"), times=1)
    with dg.DagsterInstance.ephemeral() as instance:
        report = run(workspace, instance, to="raw_corpus")
    assert report.failures == []


def test_a_command_reads_the_failure_as_json_and_none_of_it_is_run(
    small_workspace: Workspace, tmp_path: Path
) -> None:
    heard, broken = tmp_path / "heard.json", tmp_path / "broken"
    workspace = with_automation(small_workspace, on_failure=f"cat > {heard}")
    assert tell(workspace, [f"'; touch {broken}; $(touch {broken})"], {"id": "1"}) is None
    said = json.loads(heard.read_text())
    assert said["run"] == {"id": "1"} and said["home"] == str(workspace.home)
    assert "touch" in said["failures"][0] and not broken.exists()


def test_a_run_of_the_command_posts_its_failures(
    small_workspace: Workspace, posts: tuple[str, list[Any]]
) -> None:
    url, got = posts
    workspace = with_automation(small_workspace, on_failure=url)
    (workspace.catalog.path.parent / "first.jsonl").unlink()
    with dg.DagsterInstance.ephemeral() as instance:
        report = run(workspace, instance, to="raw_corpus")
    assert [each["failures"] for each in got] == [report.failures]
    assert "first" in got[0]["failures"][0] and report.warnings == []


@pytest.mark.parametrize("hook", ["exit 3", "/gone"])
def test_a_hook_that_fails_is_a_warning(
    small_workspace: Workspace, posts: tuple[str, list[Any]], hook: str
) -> None:
    hook = posts[0] + hook if hook.startswith("/") else hook
    workspace = with_automation(small_workspace, on_failure=hook)
    (workspace.catalog.path.parent / "first.jsonl").unlink()
    with dg.DagsterInstance.ephemeral() as instance:
        report = run(workspace, instance, to="raw_corpus")
    assert len(report.failures) == 1
    assert [each.split(":")[0] for each in report.warnings] == ["automation.on_failure"]


def test_the_daemon_tells_of_a_run_that_failed(
    small_workspace: Workspace, posts: tuple[str, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = with_automation(small_workspace, on_failure=posts[0])
    failing(monkeypatch, ValueError("a wrong setting"), times=9)
    job = build_definitions(workspace).resolve_implicit_global_asset_job_def()
    sensor = failure_sensor(workspace)
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(
            instance=instance,
            asset_selection=[dg.AssetKey("raw_corpus")],
            partition_key="first",
            run_config=QUIET,
            raise_on_error=False,
        )
        context = dg.build_run_status_sensor_context(
            "tell_of_failures", result.get_run_failure_event(), instance, result.dagster_run
        )
        sensor(context.for_run_failure())
    [said] = posts[1]
    assert said["run"]["assets"] == ["raw_corpus"] and said["run"]["partition"] == "first"


def test_nobody_is_told_unless_it_is_asked_for(small_workspace: Workspace) -> None:
    assert tell(small_workspace, ["failed"], {}) is None
    assert failure_sensor(small_workspace).default_status == dg.DefaultSensorStatus.STOPPED


def test_only_what_reads_the_sources_has_a_freshness_policy(small_workspace: Workspace) -> None:
    workspace = with_automation(small_workspace, fresh_hours=26)
    graph = build_definitions(workspace).resolve_asset_graph()
    held = {key.to_user_string() for key in graph.get_all_asset_keys()
            if graph.get(key).freshness_policy is not None}  # fmt: skip
    assert held == {"raw_corpus", "raw_instructions", "raw_pairs"}


def test_a_source_that_came_or_went_since_is_named(small_workspace: Workspace) -> None:
    path = small_workspace.catalog.path
    path.write_text(path.read_text().replace("  second:\n", "  third:\n"))
    with dg.DagsterInstance.ephemeral() as instance:
        for source in small_workspace.sources:
            event = observe(instance, small_workspace, source)
            assert event is not None
            instance.report_runless_asset_event(event)
        said = new_files_sensor(small_workspace)(dg.build_sensor_context(instance=instance))
    assert isinstance(said, dg.SkipReason)
    assert "has changed (new: third; gone: second). Try: reload" in (said.skip_message or "")
