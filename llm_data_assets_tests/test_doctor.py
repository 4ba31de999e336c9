"""The doctor says what holds the home, what does not answer, and what to do about memory."""

import socket
from pathlib import Path

import pytest
from filelock import FileLock

from llm_data_assets import doctor
from llm_data_assets.config.workspace import Workspace, open_workspace


def with_engine(workspace: Workspace, engine: str) -> Workspace:
    """The workspace with another line `engine:`."""
    path = workspace.pipeline.path
    path.write_text(f"{path.read_text()}engine: {engine}\n")
    return open_workspace(workspace.home, workspace.catalog.path, path)


def test_a_cluster_that_does_not_answer_is_a_problem(small_workspace: Workspace) -> None:
    assert doctor._engine(small_workspace) == [("engine", "ok", "local on this machine")]
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        settings = f"{{kind: ray, address: '{address}', wait_seconds: 0.2}}"
        ((check, state, said),) = doctor._engine(with_engine(small_workspace, settings))
    assert (check, state) == ("engine", "problem")
    assert f"nothing answered at {address}" in said


def test_a_held_lock_and_what_writers_left_are_named(small_workspace: Workspace) -> None:
    assert doctor._locks(small_workspace) == [("locks", "ok", "nobody holds the home")]
    left = small_workspace.home / "lake" / "raw_corpus" / ".shard-1-a.tmp"
    left.parent.mkdir(parents=True)
    left.touch()
    with FileLock(small_workspace.home / ".catalog.lock"):
        (held, temporary) = doctor._locks(small_workspace)
    assert held == ("locks", "note", ".catalog.lock held: a run or a publication is under way")
    assert temporary[2].startswith("0 of killed writers, 1 of writers under way")
    assert doctor._locks(small_workspace)[0][1] == "ok"


def test_more_workers_than_memory_names_how_many_fit(
    small_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        Path, "read_text", lambda path: f"MemTotal: 9 kB\nMemAvailable: {3 << 20} kB"
    )
    few = with_workers(small_workspace, 2)
    assert doctor._memory(few) == ("memory", "ok", "3.0 GiB free for 2 workers")
    many = with_workers(small_workspace, 8)
    assert doctor._memory(many)[1:] == (
        "note",
        "3.0 GiB free for 8 workers. Try: engine: {workers: 3} in pipeline.yaml",
    )


def with_workers(workspace: Workspace, workers: int) -> Workspace:
    """The workspace with so many workers, whatever its file says."""
    model = workspace.pipeline.model
    engine = model.engine.model_copy(update={"workers": workers})
    loaded = workspace.pipeline.__class__(
        **{
            **vars(workspace.pipeline),
            "model": model.model_copy(update={"engine": engine}),
        }
    )
    return Workspace(workspace.home, workspace.catalog, loaded)
