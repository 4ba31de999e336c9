"""Automation carries a change down the graph, and stops where contents stop changing."""

import json

import dagster as dg
import pytest

from llm_data_assets.config.workspace import Workspace
from llm_data_assets.definitions import build_definitions
from llm_data_assets.defs.sources import observe
from llm_data_assets_tests.conftest import sentence

RAW, SIGNED = dg.AssetKey("raw_corpus"), dg.AssetKey("document_signatures")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_changed_file_requests_its_source_and_no_other(small_workspace: Workspace) -> None:
    definitions = build_definitions(small_workspace)
    job = definitions.resolve_implicit_global_asset_job_def()
    cursor = None

    with dg.DagsterInstance.ephemeral() as instance:

        def requested(key: dg.AssetKey) -> set[str | None]:
            nonlocal cursor
            result = dg.evaluate_automation_conditions(definitions, instance, cursor=cursor)
            cursor = result.cursor
            return set(result.get_requested_partitions(key))

        def make(key: dg.AssetKey, source: str) -> None:
            quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
            job.execute_in_process(
                instance=instance, asset_selection=[key], partition_key=source, run_config=quiet
            )

        def notice() -> None:
            for source in small_workspace.sources:
                if event := observe(instance, small_workspace, source):
                    instance.report_runless_asset_event(event)

        requested(RAW)
        notice()
        assert requested(RAW) == {"first", "second"}
        make(RAW, "first")
        make(RAW, "second")
        assert requested(SIGNED) == {"first", "second"}
        make(SIGNED, "first")
        make(SIGNED, "second")
        requested(SIGNED)

        make(RAW, "first")  # nothing changed: the version is the same
        assert requested(SIGNED) == set()

        with (small_workspace.catalog.path.parent / "first.jsonl").open("a") as file:
            file.write(json.dumps({"id": "late", "text": sentence(70)}) + "\n")
        notice()
        assert requested(RAW) == {"first"}
        make(RAW, "first")
        assert requested(SIGNED) == {"first"}
