"""The graph that Dagster loads: assets, dependencies, partitions and checks, as documented."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from llm_data_assets.config.workspace import Workspace, open_workspace, quickstart_folder
from llm_data_assets.definitions import build_definitions
from llm_data_assets.stages.graph import STAGES


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = quickstart_folder()
    home = tmp_path_factory.mktemp("home")
    return open_workspace(home, folder / "catalog.yaml", folder / "pipeline.yaml")


@pytest.fixture(scope="module")
def definitions(workspace: Workspace) -> dg.Definitions:
    return build_definitions(workspace)


def test_definitions_load(definitions: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(definitions)


def test_what_is_loaded_is_the_same_with_a_home_and_without(
    workspace: Workspace, definitions: dg.Definitions, tmp_path: Path
) -> None:
    there = workspace.home / "cache" / "models.json"
    assert there.exists()
    nowhere = open_workspace(tmp_path / "none", workspace.catalog.path, workspace.pipeline.path)
    without = build_definitions(nowhere).resolve_asset_graph()
    assert not nowhere.home.exists(), "to load definitions makes no home"
    remembered = build_definitions(workspace).resolve_asset_graph()
    assert without.get_all_asset_keys() == remembered.get_all_asset_keys()
    model = dg.AssetKey("largest_drops")
    assert without.get(model).metadata == remembered.get(model).metadata
    assert without.get(model).parent_keys == remembered.get(model).parent_keys


@pytest.mark.parametrize(
    ("asset", "upstream"),
    [
        ("raw_corpus", {"source_files"}),
        ("document_signatures", {"raw_corpus"}),
        ("duplicates", {"document_signatures"}),
        ("deduped_corpus", {"raw_corpus", "duplicates"}),
        ("signal_models", {"raw_corpus", "deduped_corpus"}),
        ("quality_signals", {"raw_corpus", "deduped_corpus", "signal_models"}),
        ("removed_signals", {"raw_corpus", "duplicates", "signal_models"}),
        ("evaluation_sets", set()),
        ("contamination", {"raw_corpus", "deduped_corpus", "evaluation_sets"}),
        ("repeated_spans", {"raw_corpus", "deduped_corpus"}),
        (
            "filtered_corpus",
            {"raw_corpus", "quality_signals", "contamination", "repeated_spans"},
        ),
        ("tokenizer", {"filtered_corpus"}),
        ("tokenized_corpus", {"filtered_corpus", "tokenizer"}),
        ("tokenizer_report", {"filtered_corpus", "tokenizer", "tokenized_corpus"}),
        ("mixture_plan", {"tokenized_corpus"}),
        ("mixed_corpus", {"mixture_plan"}),
        ("budget_plan", {"scaling_fit"}),
        ("data_gap", {"budget_plan", "mixture_plan"}),
        ("training_export", {"mixed_corpus", "data_gap"}),
        ("largest_drops", {"drops"}),
    ],
)
def test_lineage(definitions: dg.Definitions, asset: str, upstream: set[str]) -> None:
    graph = definitions.resolve_asset_graph()
    parents = graph.get(dg.AssetKey(asset)).parent_keys
    assert {key.to_user_string() for key in parents} == upstream


def test_partitions_come_from_the_catalog(
    definitions: dg.Definitions, workspace: Workspace
) -> None:
    graph = definitions.resolve_asset_graph()
    raw = graph.get(dg.AssetKey("raw_corpus")).partitions_def
    mixed = graph.get(dg.AssetKey("mixed_corpus")).partitions_def
    assert raw is not None and raw.get_partition_keys() == workspace.sources
    assert mixed is not None and "demo|wiki_zh" in mixed.get_partition_keys()
    assert graph.get(dg.AssetKey("duplicates")).partitions_def is None


def test_every_stage_has_its_checks_and_a_described_schema(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for name, stage in STAGES.items():
        node = graph.get(dg.AssetKey(name))
        assert {key.name for key in node.check_keys} == {check.name for check in stage.checks}
        assert node.description and node.group_name != "default" and node.kinds and node.owners
        columns = node.metadata["dagster/column_schema"].columns
        assert all(column.description for column in columns), name
        assert not any("<" in column.description for column in columns), name  # it is Markdown


def test_a_changed_setting_changes_the_code_version(workspace: Workspace, tmp_path: Path) -> None:
    text = workspace.pipeline.path.read_text(encoding="utf-8")
    changed = tmp_path / "pipeline.yaml"
    folder = quickstart_folder().as_posix()
    text = text.replace("uri: files", f"uri: {folder}/files").replace(
        "max_epochs: 4", "max_epochs: 2"
    )
    changed.write_text(text, encoding="utf-8")
    other = build_definitions(open_workspace(workspace.home, workspace.catalog.path, changed))
    before = build_definitions(workspace).resolve_asset_graph()
    after = other.resolve_asset_graph()
    differ = {
        name
        for name in STAGES
        if before.get(dg.AssetKey(name)).code_version != after.get(dg.AssetKey(name)).code_version
    }
    assert differ == {"mixture_plan", "data_gap"}


def test_schedule_and_sensors_are_off_until_switched_on(definitions: dg.Definitions) -> None:
    repository = definitions.get_repository_def()
    assert [each.default_status.value for each in repository.schedule_defs] == ["STOPPED"]
    assert {each.default_status.value for each in repository.sensor_defs} == {"STOPPED"}


def test_the_nightly_schedule_reads_the_sources_of_every_branch(tmp_path: Path) -> None:
    entries = {"prose": "jsonl", "dialogues": "alpaca", "pictures": "laion"}
    catalog = tmp_path / "catalog.yaml"
    catalog.write_text(
        "sources:\n"
        + "".join(
            f"  {name}: {{format: {format}, uris: ['{name}/*'], license: CC0-1.0}}\n"
            for name, format in entries.items()
        ),
        encoding="utf-8",
    )
    (tmp_path / "pipeline.yaml").write_text("schedule: {cron: '0 3 * * *'}\n", encoding="utf-8")
    workspace = open_workspace(tmp_path / "home", catalog, tmp_path / "pipeline.yaml")
    repository = build_definitions(workspace).get_repository_def()
    context = dg.build_schedule_context(
        scheduled_execution_time=datetime(2026, 1, 2, 3, tzinfo=UTC), repository_def=repository
    )
    read = {
        (key.to_user_string(), request.partition_key)
        for schedule in repository.schedule_defs
        for request in schedule.evaluate_tick(context).run_requests or []
        for key in repository.get_job(schedule.job_name).asset_layer.executable_asset_keys
    }
    assert read == {
        ("raw_corpus", "prose"),
        ("document_signatures", "prose"),
        ("raw_instructions", "dialogues"),
        ("raw_pairs", "pictures"),
    }
