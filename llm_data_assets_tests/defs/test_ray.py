"""Dagster attaches to the cluster by dagster-ray, and says what is wrong with it."""

import socket
import sys

import pytest
import yaml

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.definitions import build_definitions
from llm_data_assets.defs.instance import open_instance
from llm_data_assets.defs.run import run

pytest.importorskip("dagster_ray", reason="extra `ray` not installed: dagster-ray not tried")


def on_ray(workspace: Workspace, **engine: object) -> Workspace:
    """The workspace with another engine."""
    path = workspace.pipeline.path
    settings = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump(settings | {"engine": {"kind": "ray", **engine}}))
    return open_workspace(workspace.home, workspace.catalog.path, path)


def test_every_stage_asks_for_the_cluster_by_dagster_rays_resource(
    small_workspace: Workspace,
) -> None:
    from dagster_ray import RayResource

    definitions = build_definitions(on_ray(small_workspace, address="ray://head:10001"))
    resource = definitions.resources["ray"]
    assert isinstance(resource, RayResource)
    assert (resource.host, resource.ray_address) == ("head", "ray://head:10001")
    needing = definitions.resolve_assets_def("raw_corpus").required_resource_keys
    assert "ray" in needing


def test_on_this_machine_there_is_no_such_resource(small_workspace: Workspace) -> None:
    assert "ray" not in build_definitions(small_workspace).resources


def test_a_cluster_that_does_not_answer_fails_the_run_with_the_way_out(
    small_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        workspace = on_ray(small_workspace, address=address, wait_seconds=0.2)
        with open_instance(workspace.home) as instance:
            report = run(workspace, instance, to="raw_corpus")
    assert report.ran
    assert f"nothing answered at {address} within 0.2 s" in report.failures[0]
    assert all("kind: local" in failure for failure in report.failures)


def test_without_the_extra_the_error_names_the_line_of_the_pipeline(
    small_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = on_ray(small_workspace)
    monkeypatch.delitem(sys.modules, "llm_data_assets.defs.ray", raising=False)
    monkeypatch.setitem(sys.modules, "dagster_ray", None)
    with pytest.raises(ConfigError, match=r"pipeline\.yaml.*llm_data_assets\[ray\]"):
        build_definitions(workspace)
