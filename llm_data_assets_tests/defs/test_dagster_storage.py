"""The event log of an embedded home: Dagster's own files, made and written for less."""

import shutil
import sqlite3
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage

from llm_data_assets.config.workspace import Workspace
from llm_data_assets.defs import dagster_storage
from llm_data_assets.defs.instance import dagster_home, open_instance


@dg.asset
def numbers() -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(metadata={"rows": 3})


def events_of(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    return [each.message for each in instance.all_logs(run_id)]


def as_dagster_opens_it(home: Path) -> DagsterSqliteStorage:
    return DagsterSqliteStorage(str(dagster_home(home) / "storage"))


def test_what_a_run_says_is_read_by_dagsters_own_storage(small_workspace: Workspace) -> None:
    with open_instance(small_workspace.home) as instance:
        runs = [dg.materialize([numbers], instance=instance).run_id for _ in range(3)]
        said = [events_of(instance, run_id) for run_id in runs]
    plain = as_dagster_opens_it(small_workspace.home)
    read = [[each.message for each in plain.event_log_storage.get_logs_for_run(run)]
            for run in runs]  # fmt: skip
    assert read == said
    assert plain.event_log_storage.all_asset_keys() == [dg.AssetKey("numbers")]


def test_a_runs_file_is_the_one_that_dagster_would_have_made(small_workspace: Workspace) -> None:
    with open_instance(small_workspace.home) as instance:
        runs = [dg.materialize([numbers], instance=instance).run_id for _ in range(2)]
    folder = dagster_home(small_workspace.home) / "storage" / "history" / "runs"
    made, copied = (described(folder / f"{run}.db") for run in runs)
    assert made == copied
    assert made["version"] and made["journal"] == "wal"


def test_a_home_that_is_made_again_has_files_of_its_own(small_workspace: Workspace) -> None:
    for _ in range(2):
        with open_instance(small_workspace.home) as instance:
            dg.materialize([numbers], instance=instance)
            assert len(instance.get_runs()) == 1
        assert len(as_dagster_opens_it(small_workspace.home).run_storage.get_runs()) == 1
        shutil.rmtree(small_workspace.home)


def test_without_hard_links_each_file_is_made_anew(
    small_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*paths: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(dagster_storage.os, "link", refused)
    with open_instance(small_workspace.home) as instance:
        runs = [dg.materialize([numbers], instance=instance).run_id for _ in range(2)]
        assert len({len(events_of(instance, run)) for run in runs}) == 1


def described(path: Path) -> dict[str, object]:
    connection = sqlite3.connect(path)
    try:
        return {
            "schema": connection.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall(),
            "version": connection.execute("SELECT * FROM alembic_version").fetchall(),
            "journal": connection.execute("PRAGMA journal_mode").fetchone()[0],
        }
    finally:
        connection.close()
