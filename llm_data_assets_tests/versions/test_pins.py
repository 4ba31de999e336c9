"""A pin keeps its files from collection, and what it names can be made again to the byte."""

import json
from pathlib import Path

import pytest

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.takedowns import append_takedown
from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.lake.schemas import FILTERED_CORPUS
from llm_data_assets.stages.materialise import lake_of
from llm_data_assets.versions.changes import diff
from llm_data_assets.versions.garbage import collect, garbage
from llm_data_assets.versions.history import versions
from llm_data_assets.versions.pins import names, pin, read_pin
from llm_data_assets.versions.rebuild import differences, workspace_of
from llm_data_assets.versions.restore import restore
from llm_data_assets_tests.conftest import sentence
from llm_data_assets_tests.versions.conftest import make, reopen

GOPHER = "rules: [gopher, clean]"


def add_document(workspace: Workspace, source: str, number: int) -> None:
    with (workspace.catalog.path.parent / f"{source}.jsonl").open("a") as file:
        file.write(json.dumps({"id": f"late{number}", "text": sentence(number)}) + "\n")


def files_on_disk(workspace: Workspace) -> set[Path]:
    return set((workspace.home / "lake").rglob("*.parquet"))


def test_a_pinned_set_is_made_again_byte_for_byte_in_an_empty_home(
    workspace: Workspace, tmp_path: Path
) -> None:
    add_document(workspace, "a", 70)  # the home has a past that the rebuild has not
    make(workspace)
    pin(workspace, "first")
    loose = reopen(workspace, GOPHER, "rules: []")
    made = workspace_of(read_pin(loose, "first"), loose, tmp_path / "again")
    make(made)
    assert differences(read_pin(loose, "first"), made) == []
    bytes_of = {
        path.relative_to(workspace.home): path.read_bytes()
        for path in lake_of(workspace).files(FILTERED_CORPUS)
    }
    assert bytes_of == {
        path.relative_to(made.home): path.read_bytes()
        for path in lake_of(made).files(FILTERED_CORPUS)
    }


def test_a_rebuild_says_which_partition_is_not_the_pinned_one(
    workspace: Workspace, tmp_path: Path
) -> None:
    first = next(row for row in versions(workspace, "filtered_corpus", "a"))["version"]
    loose = reopen(workspace, GOPHER, "rules: []")
    make(loose)
    restore(loose, "filtered_corpus/a", first)  # no rebuild under these settings gives it
    make(loose)
    pin(loose, "mixed")
    made = workspace_of(read_pin(loose, "mixed"), loose, tmp_path / "again")
    make(made)
    found = differences(read_pin(loose, "mixed"), made)
    assert "filtered_corpus source=a" in found
    assert "filtered_corpus source=b" not in found and "raw_corpus source=a" not in found


def test_collection_keeps_what_is_current_or_pinned(workspace: Workspace) -> None:
    pin(workspace, "first")
    first = files_on_disk(workspace)
    changed = reopen(workspace, GOPHER, "rules: []")
    make(changed)
    add_document(changed, "a", 70)
    make(changed)
    old = {path for each in garbage(changed) for path in each.files}
    assert old and not old & first
    assert files_on_disk(changed) >= old, "a dry run removes nothing"

    went = {path for each in collect(changed) for path in each.files}

    assert went == old == {path for path in old if not path.exists()}
    kept = [row["kept"] for row in versions(changed, "filtered_corpus", "a")]
    assert kept == ["yes", "collected", "current"]
    assert collect(changed) == []
    assert {row["stage"] for row in diff(changed, "first")} >= {"filtered_corpus", "tokenizer"}


def test_a_collected_version_is_not_restored(workspace: Workspace) -> None:
    first = versions(workspace, "filtered_corpus", "a")[0]["version"]
    loose = reopen(workspace, GOPHER, "rules: []")
    make(loose)
    collect(loose)
    with pytest.raises(ConfigError, match=rf"version {first} was collected. Try: .*rebuild"):
        restore(loose, "filtered_corpus/a", first)
    with pytest.raises(ConfigError, match=r"was collected. Try: "):
        diff(loose, f"filtered_corpus/a@{first}", "now")


def test_a_shard_of_an_unfinished_run_is_not_collected(workspace: Workspace) -> None:
    lake = lake_of(workspace)
    rows = lake.read(FILTERED_CORPUS, {"source": "a"}, FILTERED_CORPUS.schema.names)
    file = lake.write_shard(FILTERED_CORPUS, {"source": "a"}, "0", "unfinished", [rows])
    collect(workspace)
    assert (lake.folder(FILTERED_CORPUS, {"source": "a"}) / file.name).exists()


def test_nothing_is_collected_while_a_run_writes(workspace: Workspace) -> None:
    lake = lake_of(workspace)
    loose = reopen(workspace, GOPHER, "rules: []")
    make(loose)
    with (
        pytest.raises(ConfigError, match="is being written by a run"),
        lake.shard_writer(FILTERED_CORPUS, {"source": "a"}, "0", "key"),
    ):
        collect(loose)
    assert garbage(loose)


def test_a_difference_counts_documents_and_verdicts(workspace: Workspace) -> None:
    pin(workspace, "first")
    first = versions(workspace, "filtered_corpus", "a")[-1]["version"]
    add_document(workspace, "a", 70)
    loose = reopen(workspace, GOPHER, "rules: []")
    make(loose)
    found = {(row["stage"], row["partition"]): row for row in diff(loose, "first")}
    raw = found["raw_corpus", "a"]
    assert (raw["came"], raw["left"], raw["changed_verdict"]) == (1, 0, None)
    kept = found["filtered_corpus", "a"]
    assert (kept["came"], kept["left"], kept["changed_verdict"]) == (2, 0, 1)
    assert ("raw_corpus", "b") not in found
    assert diff(loose, f"filtered_corpus/a@{first}", "now") == [kept]
    back = diff(loose, "now", "first")
    assert [(row["came"], row["left"]) for row in back if row["stage"] == "raw_corpus"] == [(0, 1)]
    assert diff(loose, "now", "now") == []


def test_a_pin_never_changes(workspace: Workspace) -> None:
    path = pin(workspace, "first")
    with pytest.raises(ConfigError, match=r"a pin never changes. Try: another name"):
        pin(workspace, "first")
    path.write_text(path.read_text().replace("gopher", "nobody"))
    with pytest.raises(ConfigError, match=r"is not what was pinned. Try: restore the file"):
        read_pin(workspace, "first")
    with pytest.raises(ConfigError, match="is not what was pinned"):
        collect(workspace)


@pytest.mark.parametrize("name", ["../up", "", "A b", ".hidden"])
def test_a_name_that_leads_elsewhere_is_refused(workspace: Workspace, name: str) -> None:
    with pytest.raises(ConfigError, match="is no name for a pin"):
        pin(workspace, name)


def test_only_what_could_be_made_again_is_pinned(workspace: Workspace) -> None:
    add_document(workspace, "a", 70)
    with pytest.raises(ConfigError, match=r"raw_corpus/a: is not what .* Try: `llm-data run`"):
        pin(workspace, "late")
    empty = open_workspace(workspace.home / "new", workspace.catalog.path, workspace.pipeline.path)
    with pytest.raises(ConfigError, match=r"nothing to pin yet. Try: `llm-data run`"):
        pin(empty, "late")
    assert names(workspace) == []


def test_a_rebuild_without_its_inputs_is_refused_by_name(
    workspace: Workspace, tmp_path: Path
) -> None:
    pin(workspace, "first")
    add_document(workspace, "a", 70)
    pinned = read_pin(workspace, "first")
    with pytest.raises(ConfigError, match=r"not there: a: a.jsonl \(changed\). Try: put the"):
        workspace_of(pinned, workspace, tmp_path / "again")
    (workspace.catalog.path.parent / "a.jsonl").unlink()
    with pytest.raises(ConfigError, match=r"not there: a \(.*Try: put the files back"):
        workspace_of(pinned, workspace, tmp_path / "again")


def test_what_was_taken_down_since_is_not_made_again(workspace: Workspace, tmp_path: Path) -> None:
    pin(workspace, "first")
    append_takedown(workspace.audit, "doc_id", ["a/1"], "", [])
    with pytest.raises(ConfigError, match=r"1 takedowns were recorded since.* Try: `llm-data run`"):
        workspace_of(read_pin(workspace, "first"), workspace, tmp_path / "again")


def test_a_rebuild_by_other_code_is_refused_by_stage(workspace: Workspace, tmp_path: Path) -> None:
    pin(workspace, "first")
    pinned = read_pin(workspace, "first")
    for row in pinned["partitions"]:
        row["code_version"] += "x" if row["stage"] == "tokenizer" else ""
    with pytest.raises(ConfigError, match=r"what differs: tokenizer \(.*Try: install"):
        workspace_of(pinned, workspace, tmp_path / "again")


def test_a_rebuild_wants_an_empty_home_or_its_own(workspace: Workspace, tmp_path: Path) -> None:
    pin(workspace, "first")
    pinned = read_pin(workspace, "first")
    with pytest.raises(ConfigError, match=r"is not empty. Try: a new folder"):
        workspace_of(pinned, workspace, workspace.home)
    for _ in range(2):
        workspace_of(pinned, workspace, tmp_path / "again")
