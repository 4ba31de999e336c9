"""A code location that is reloaded while a run of it is going on: the run ends as any other."""

import time
from typing import Any

import dagster as dg
import pytest
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import ModuleTarget
from dagster._grpc.constants import GrpcServerCommand
from dagster_graphql.cli import execute_query
from filelock import FileLock

from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.defs.instance import dagster_home, open_instance
from llm_data_assets.lake.shard_files import ShardFile
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import lake_of, materialise
from llm_data_assets.stages.stage import Partition

LOCATION = "llm_data_assets"
ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE)
RUN_STAGES = ("raw_corpus", "document_signatures")
LAUNCH = """mutation($run: ExecutionParams!) { launchPipelineExecution(executionParams: $run) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
RELOAD = """mutation($name: String!) { reloadRepositoryLocation(repositoryLocationName: $name) {
  __typename ... on WorkspaceLocationEntry { loadStatus locationOrLoadError {
    __typename ... on PythonError { message } } } ... on PythonError { message } } }"""
SERVER = """query($name: String!) { workspaceLocationEntryOrError(name: $name) {
  ... on WorkspaceLocationEntry { locationOrLoadError {
    ... on RepositoryLocation { serverId } ... on PythonError { message } } } } }"""


def asked(served: WorkspaceProcessContext, query: str, **variables: object) -> dict[str, Any]:
    """What Dagster's own pages ask for, answered as they are answered."""
    found = execute_query(served, query, variables)
    assert "errors" not in found, found
    (answer,) = found["data"].values()
    return answer


def server(served: WorkspaceProcessContext) -> str:
    return asked(served, SERVER, name=LOCATION)["locationOrLoadError"]["serverId"]


def made(workspace: Workspace) -> dict[str, list[ShardFile]]:
    """The shard files of what the run makes, whose names hold their checksums."""
    return {
        name: lake_of(workspace).shards(STAGES[name].table, {"source": "first"})
        for name in RUN_STAGES
    }


# Dagster leaves the server that it started to end by itself.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.slow  # two code servers and a run, each a process that loads all definitions
def test_a_reload_in_mid_run_loses_nothing(
    small_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = open_workspace(
        small_workspace.home.with_name("undisturbed"),
        small_workspace.catalog.path,
        small_workspace.pipeline.path,
    )
    for name in RUN_STAGES:
        materialise(STAGES[name], Partition("first"), undisturbed)
    for name, value in (
        ("HOME", small_workspace.home),
        ("CATALOG", small_workspace.catalog.path),
        ("PIPELINE", small_workspace.pipeline.path),
    ):
        monkeypatch.setenv(f"LLM_DATA_{name}", str(value))
    # However busy the machine is.
    with (dagster_home(small_workspace.home) / "dagster.yaml").open("a") as settings:
        settings.write("code_servers: {local_startup_timeout: 3600, reload_timeout: 3600}\n")
    target = ModuleTarget("llm_data_assets.definitions", "defs", None, LOCATION)
    # As `dagster dev` serves code: by a server that starts another one at each reload.
    with (
        open_instance(small_workspace.home) as instance,
        WorkspaceProcessContext(
            instance, target, server_command=GrpcServerCommand.CODE_SERVER_START
        ) as served,
    ):
        # Whoever publishes waits for this lock, so the run stands still in its first step.
        with FileLock(small_workspace.home / ".catalog.lock"):
            before = server(served)
            run_id = launched(served, instance)
            while not made(small_workspace)["raw_corpus"]:  # until the first step commits
                assert status(instance, run_id) not in ENDED
                time.sleep(0.1)
            reloaded = asked(served, RELOAD, name=LOCATION)
            assert reloaded.get("loadStatus") == "LOADED", reloaded
            assert server(served) != before
            assert status(instance, run_id) == dg.DagsterRunStatus.STARTED
        while status(instance, run_id) not in ENDED:
            time.sleep(0.1)
        assert status(instance, run_id) == dg.DagsterRunStatus.SUCCESS
    assert made(small_workspace) == made(undisturbed)
    assert list(lake_of(small_workspace).root.rglob(".*.tmp")) == []


def launched(served: WorkspaceProcessContext, instance: dg.DagsterInstance) -> str:
    """A run of one source's first stages, handed to the code server as the daemon does."""
    run = {
        "selector": {
            "repositoryLocationName": LOCATION,
            "repositoryName": "__repository__",
            "jobName": "__ASSET_JOB",
            "assetSelection": [{"path": [name]} for name in RUN_STAGES],
        },
        "mode": "default",
        "executionMetadata": {"tags": [{"key": "dagster/partition", "value": "first"}]},
    }
    answer = asked(served, LAUNCH, run=run)
    assert answer["__typename"] == "LaunchRunSuccess", answer
    run_id = answer["run"]["runId"]
    instance.launch_run(run_id, served.create_request_context())
    return run_id


def status(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    found = instance.get_run_by_id(run_id)
    assert found is not None
    return found.status
