"""An older version comes back by a commit, with what its stage wrote beside it."""

import json

import pytest

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.schemas import FILTERED_CORPUS, VERDICTS
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import lake_of
from llm_data_assets.stages.stage import Context, Partition
from llm_data_assets.stages.versions import is_fresh
from llm_data_assets.versions.history import versions
from llm_data_assets.versions.restore import restore
from llm_data_assets_tests.conftest import sentence
from llm_data_assets_tests.versions.conftest import UP_TO, make, reopen


def state(workspace: Workspace) -> tuple[list[str], list[str]]:
    """Documents of a source after the rules, and reasons of those that left."""
    lake = lake_of(workspace)
    kept = lake.read(FILTERED_CORPUS, {"source": "a"}, ["doc_id"])["doc_id"].to_pylist()
    reasons = lake.read(VERDICTS, {"source": "a", "stage": "filtered_corpus"}, ["reason"])
    return sorted(kept), sorted(reasons["reason"].to_pylist())


def numbers(workspace: Workspace, stage: str, partition: str) -> list[int]:
    return [r["version"] for r in versions(workspace, stage) if r["partition"] == partition]


def test_each_version_says_why_it_was_made(workspace: Workspace) -> None:
    changed = reopen(workspace, "rules: [gopher, clean]", "rules: [clean]")
    make(changed)
    with (workspace.catalog.path.parent / "a.jsonl").open("a") as file:
        file.write(json.dumps({"id": "late", "text": sentence(70)}) + "\n")
    make(changed)
    of_a = [row for row in versions(changed, "filtered_corpus") if row["partition"] == "a"]
    assert [row["changed"] for row in of_a] == ["first", "code or settings", "inputs"]
    assert [row["kept"] for row in of_a] == ["yes", "yes", "current"]
    assert [row["docs"] for row in of_a] == [8, 9, 10]


def test_a_restored_version_brings_its_verdicts_and_makes_the_rest_stale(
    workspace: Workspace,
) -> None:
    before = state(workspace)
    first = numbers(workspace, "filtered_corpus", "a")[0]
    changed = reopen(workspace, "rules: [gopher, clean]", "rules: [clean]")
    make(changed)
    assert state(changed) != before

    stage, partition, _ = restore(changed, "filtered_corpus/a", first)

    assert state(changed) == before
    lake = lake_of(changed)
    assert is_fresh(stage, Context(changed, lake, partition), STAGES)
    assert not is_fresh(STAGES["tokenizer"], Context(changed, lake, Partition()), STAGES)
    last = [row for row in versions(changed, stage.name) if row["partition"] == "a"][-1]
    assert (last["changed"], last["run"]) == ("restored", "restored run-filtered_corpus")


def test_verdicts_come_back_also_where_the_documents_stayed_the_same(
    workspace: Workspace,
) -> None:
    before = state(workspace)
    flag = "{name: short, signal: alphanumeric_fraction, max: 0, action: flag}"
    changed = reopen(workspace, "rules: [gopher, clean]", f"rules: [gopher, clean, {flag}]")
    make(changed)
    assert state(changed)[0] == before[0] and state(changed)[1] != before[1]
    restore(changed, "filtered_corpus/a", 1)
    assert state(changed) == before


def test_a_restored_version_stays_until_its_settings_change(workspace: Workspace) -> None:
    before = state(workspace)
    first = numbers(workspace, "filtered_corpus", "a")[0]
    changed = reopen(workspace, "rules: [gopher, clean]", "rules: [clean]")
    make(changed)
    loose = state(changed)
    restore(changed, "filtered_corpus/a", first)
    make(changed)
    assert state(changed) == before
    again = reopen(changed, "rules: [clean]", "rules: []")
    make(again)
    assert state(again)[0] == loose[0]


def test_a_global_stage_is_restored_in_all_its_parts(workspace: Workspace) -> None:
    with (workspace.catalog.path.parent / "b.jsonl").open("a") as file:
        file.write(json.dumps({"id": "copy", "text": sentence(1)}) + "\n")
    [first] = numbers(workspace, "duplicates", "")
    make(workspace)
    assert lake_of(workspace).read(STAGES["duplicates"].table).num_rows == 2
    restore(workspace, "duplicates", first)
    assert lake_of(workspace).read(STAGES["duplicates"].table).num_rows == 1


@pytest.mark.parametrize(
    ("name", "number", "message"),
    [
        ("filtered/a", 1, "'filtered' is not a stage. Try: one of evaluation_sets, raw_corpus"),
        ("filtered_corpus/c", 1, "is no partition. Try: one of filtered_corpus/a"),
        ("filtered_corpus/a", 99, "there was no version 99. Try: 1 to 1"),
        ("training_export/small", 1, "its files lie outside the lake. Try: restore what"),
    ],
)
def test_what_cannot_be_restored_is_refused_in_words(
    workspace: Workspace, name: str, number: int, message: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        restore(workspace, name, number)
    assert message in str(refused.value)


def test_a_clock_that_was_set_back_does_not_make_everything_stale(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import UTC, datetime

    from llm_data_assets.stages import versions as stage_versions

    class Yesterday(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return datetime(2001, 1, 1, tzinfo=UTC)

    monkeypatch.setattr(stage_versions, "datetime", Yesterday)
    changed = reopen(workspace, "rules: [gopher, clean]", "rules: [clean]")
    make(changed)
    for name in UP_TO:
        for partition in STAGES[name].partitions(changed):
            context = Context(changed, lake_of(changed), partition)
            assert is_fresh(STAGES[name], context, STAGES), (name, partition.key)
