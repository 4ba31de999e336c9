"""`llm-data run` through Dagster: what is stale runs, what is fresh does not."""

import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest

from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.defs.instance import open_instance
from llm_data_assets.defs.run import run
from llm_data_assets.defs.sources import new_files_sensor
from llm_data_assets.lake.catalog import connect
from llm_data_assets.stages import publication
from llm_data_assets_tests.conftest import sentence, write_workspace


def reopened(workspace: Workspace) -> Workspace:
    return open_workspace(workspace.home, workspace.catalog.path, workspace.pipeline.path)


def partitions_of(report: object) -> list[str]:
    return [step.label for step in report.ran]  # type: ignore[attr-defined]


def test_everything_runs_once_and_then_nothing_until_a_file_changes(
    small_workspace: Workspace,
) -> None:
    with open_instance(small_workspace.home) as instance:
        first = run(small_workspace, instance)
        assert first.failures == []
        assert any("training_export" in label for label in partitions_of(first))
        second = run(reopened(small_workspace), instance)
        assert (partitions_of(second), second.failures) == ([], [])

        with (small_workspace.catalog.path.parent / "second.jsonl").open("a") as file:
            file.write(json.dumps({"id": "copy2", "text": sentence(3)}) + "\n")
        third = run(reopened(small_workspace), instance)
        labels = partitions_of(third)
        assert "second: raw_corpus > document_signatures" in labels
        assert not any(label.startswith("first:") for label in labels)
        # The new document is a duplicate: nothing after the filter changed, so nothing ran.
        assert not any("tokenizer" in label for label in labels)

        records = instance.fetch_materializations(dg.AssetKey("filtered_corpus"), limit=50).records
        assert {record.partition_key for record in records} == {"first", "second"}
        stored = instance.get_latest_materialization_event(dg.AssetKey("raw_corpus"))
        assert stored is not None and stored.asset_materialization is not None
        assert stored.asset_materialization.metadata["dagster/row_count"].value == 8


def test_short_stages_share_a_publication_and_the_last_is_never_missing(
    small_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    times: list[float] = []
    publish = publication.publish

    def noted(*args: object) -> object:
        times.append(time.monotonic())
        return publish(*args)

    monkeypatch.setattr(publication, "publish", noted)
    with open_instance(small_workspace.home) as instance:
        report = run(small_workspace, instance, to="deduped_corpus")
    assert len(times) < sum(len(step.stages) for step in report.ran)
    # But for the last, which the end of the run asks for.
    assert all(after - before >= 2 for before, after in itertools.pairwise(times[:-1]))
    rows = connect(small_workspace.home).execute("SELECT count(*) FROM latest_stats").fetchall()
    assert rows == [(sum(len(step.stages) for step in report.ran),)]


def test_what_a_killed_run_did_not_publish_the_next_run_does(
    small_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages = "SELECT count(*) FROM latest_stats"
    with open_instance(small_workspace.home) as instance:
        run(small_workspace, instance, to="raw_corpus")
        with monkeypatch.context() as killed:
            killed.setattr(publication, "publish", lambda *args: None)
            ran = run(reopened(small_workspace), instance, to="document_signatures").ran
        before = connect(small_workspace.home).execute(stages).fetchall()
        assert run(reopened(small_workspace), instance, to="document_signatures").ran == []
    after = connect(small_workspace.home).execute(stages).fetchall()
    assert after[0][0] - before[0][0] == sum(len(step.stages) for step in ran) > 0


def test_models_are_built_and_published(small_workspace: Workspace) -> None:
    with open_instance(small_workspace.home) as instance:
        assert run(small_workspace, instance).failures == []
    rows = (
        connect(small_workspace.home)
        .execute("SELECT source, docs FROM funnel WHERE stage = 'deduped_corpus' ORDER BY source")
        .fetchall()
    )
    assert rows == [("first", 8), ("second", 6)]
    assert (small_workspace.home / "models" / "funnel.parquet").is_file()


def test_a_failed_blocking_check_stops_what_follows_and_says_why(tmp_path: Path) -> None:
    records = [{"id": "a", "text": sentence(1)}]
    workspace = write_workspace(tmp_path, {"bad": [], "good": records})
    with open_instance(workspace.home) as instance:
        report = run(workspace, instance)
    assert len(report.failures) == 1
    assert "raw_corpus bad: check not_empty: observed 0" in report.failures[0]
    ran = {name for step in report.ran for name in step.stages}
    assert ran == {"evaluation_sets", "raw_corpus", "document_signatures"}
    assert any(step.partition.source == "good" for step in report.ran)


def test_a_missing_file_fails_one_source_in_one_message(small_workspace: Workspace) -> None:
    (small_workspace.catalog.path.parent / "second.jsonl").unlink()
    command = [sys.executable, "-m", "llm_data_assets.cli", "run"]
    found = subprocess.run(
        command, env=environment(small_workspace), capture_output=True, text=True
    )
    assert found.returncode == 1
    assert "first: raw_corpus" in found.stderr  # the other source goes on
    assert "catalog.yaml:10" in found.stdout + found.stderr
    assert "Traceback" not in found.stdout + found.stderr


def environment(workspace: Workspace) -> dict[str, str]:
    return os.environ | {
        "LLM_DATA_HOME": str(workspace.home),
        "LLM_DATA_CATALOG": str(workspace.catalog.path),
        "LLM_DATA_PIPELINE": str(workspace.pipeline.path),
        "PYTHONWARNINGS": "ignore",
    }


@pytest.mark.slow  # runs of the command beside readers
def test_a_query_a_reader_and_a_materialisation_never_lock_each_other_out(
    small_workspace: Workspace,
) -> None:
    with open_instance(small_workspace.home) as instance:
        assert run(small_workspace, instance).failures == []
    env = environment(small_workspace)
    # A reader that holds the catalog open all the while.
    held = connect(small_workspace.home)
    for number in range(60, 66):
        with (small_workspace.catalog.path.parent / "first.jsonl").open("a") as file:
            file.write(json.dumps({"id": f"late{number}", "text": sentence(number)}) + "\n")
    command = [sys.executable, "-m", "llm_data_assets.cli"]
    writer = subprocess.Popen([*command, "run"], env=env, stdout=subprocess.DEVNULL)
    queries = 0
    while writer.poll() is None:
        found = subprocess.run(
            [*command, "query", "SELECT count(*) AS n FROM raw_corpus", "--json"],
            env=env,
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(found.stdout)[0]["n"] in (15, 21)
        assert held.execute("SELECT count(*) FROM raw_corpus").fetchall() == [(15,)]
        queries += 1
        time.sleep(0.05)
    assert writer.returncode == 0
    assert queries > 1
    assert connect(small_workspace.home).execute("SELECT count(*) FROM raw_corpus").fetchall() == [
        (21,)
    ]


def test_the_sensor_reports_changed_files_once(small_workspace: Workspace) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        sensor = new_files_sensor(small_workspace)
        first = sensor(dg.build_sensor_context(instance=instance))
        assert {event.partition for event in first.asset_events} == {"first", "second"}
        for event in first.asset_events:
            instance.report_runless_asset_event(event)
        assert sensor(dg.build_sensor_context(instance=instance)).asset_events == []
