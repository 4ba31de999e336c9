"""Adding, changing and removing files ends where a rebuild from nothing ends."""

import json
from pathlib import Path

import pytest

from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.lake.catalog import connect
from llm_data_assets.lake.schemas import RAW_CORPUS
from llm_data_assets.stages import read_group
from llm_data_assets.stages.filtered_corpus import edit
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import lake_of, materialise
from llm_data_assets.stages.stage import Context, Partition
from llm_data_assets.stages.versions import is_fresh
from llm_data_assets_tests.conftest import sentence, write_workspace
from llm_data_assets_tests.stages.test_whole_flow import contents, materialise_all


def reopened(workspace: Workspace, home: Path | None = None) -> Workspace:
    return open_workspace(home or workspace.home, workspace.catalog.path, workspace.pipeline.path)


@pytest.mark.slow  # the whole flow five times
def test_adding_a_file_then_a_source_then_removing_both_equals_a_rebuild(
    small_workspace: Workspace, tmp_path: Path
) -> None:
    folder = small_workspace.catalog.path.parent
    materialise_all(small_workspace)
    before = contents(small_workspace)

    extra = folder / "first-2.jsonl"
    records = [{"id": "a1", "text": sentence(40)}, {"id": "new", "text": sentence(22)}]
    extra.write_text("".join(json.dumps(each) + "\n" for each in records), encoding="utf-8")
    materialise_all(reopened(small_workspace))
    rebuilt = reopened(small_workspace, tmp_path / "rebuilt")
    materialise_all(rebuilt)
    assert contents(small_workspace) == contents(rebuilt)
    assert contents(small_workspace) != before

    extra.unlink()
    materialise_all(reopened(small_workspace))
    assert contents(small_workspace) == before

    catalog = small_workspace.catalog.path.read_text(encoding="utf-8")
    third = "  third:\n    format: jsonl\n    uris: [first.jsonl]\n    license: MIT\n"
    small_workspace.catalog.path.write_text(catalog + third, encoding="utf-8")
    materialise_all(reopened(small_workspace))
    assert contents(small_workspace) != before
    small_workspace.catalog.path.write_text(catalog, encoding="utf-8")
    materialise_all(reopened(small_workspace))
    assert contents(small_workspace) == before


def test_a_file_that_did_not_change_is_not_read_again(
    small_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = STAGES["raw_corpus"]
    materialise(stage, Partition(source="first"), small_workspace)

    def refuse(*_: object) -> object:
        raise AssertionError("a finished shard was read again")

    monkeypatch.setattr(read_group, "read_documents", refuse)
    done = materialise(stage, Partition(source="first"), small_workspace)
    assert done.outcome.docs == 8


def test_freshness_follows_files_settings_and_tables(small_workspace: Workspace) -> None:
    stage = STAGES["raw_corpus"]
    partition = Partition(source="first")
    context = Context(small_workspace, lake_of(small_workspace), partition)
    assert not is_fresh(stage, context, STAGES)
    materialise(stage, partition, small_workspace)
    assert is_fresh(stage, context, STAGES)
    with (small_workspace.catalog.path.parent / "first.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"id": "late", "text": sentence(50)}) + "\n")
    assert not is_fresh(stage, context, STAGES)
    materialise(stage, partition, small_workspace)
    lake_of(small_workspace).replace_partition(RAW_CORPUS, partition.values, [])
    assert not is_fresh(stage, context, STAGES)


def test_the_first_of_two_records_with_one_id_stays(tmp_path: Path) -> None:
    workspace = write_workspace(
        tmp_path,
        {"only": [{"id": "same", "text": sentence(1)}, {"id": "same", "text": sentence(2)}]},
    )
    done = materialise(STAGES["raw_corpus"], Partition(source="only"), workspace)
    assert done.outcome.drops == {"repeated id": 1}
    connection = connect(workspace.home)
    assert connection.execute("SELECT doc_id, text FROM raw_corpus").fetchall() == [
        ("only/same", sentence(1))
    ]
    error = connection.execute("SELECT error FROM rejects").fetchall()[0][0]
    assert error == "repeated id: only/same stands earlier in this source"


def test_an_empty_source_fails_its_check(tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path, {"empty": []})
    stage = STAGES["raw_corpus"]
    done = materialise(stage, Partition(source="empty"), workspace)
    assert [check.name for check in done.blocked_by(stage)] == ["not_empty"]


def test_a_missing_file_names_the_line_of_the_catalog(small_workspace: Workspace) -> None:
    (small_workspace.catalog.path.parent / "first.jsonl").unlink()
    with pytest.raises(ValueError, match=r"catalog.yaml:4.*matches no file.*Try:"):
        materialise(STAGES["raw_corpus"], Partition(source="first"), small_workspace)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("format: jsonl", "format: jsonnl", r"catalog.yaml:3: sources.first.format: .*Try: jsonl"),
        ("{id: id}", "{idd: id}", r"catalog.yaml:7: sources.first.options: option 'idd'"),
    ],
)
def test_a_wrong_format_or_option_names_the_line_of_the_catalog(
    small_workspace: Workspace, before: str, after: str, message: str
) -> None:
    path = small_workspace.catalog.path
    path.write_text(path.read_text(encoding="utf-8").replace(before, after, 1), encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        materialise(STAGES["raw_corpus"], Partition(source="first"), reopened(small_workspace))


def test_line_edits_leave_code_alone() -> None:
    settings = {
        "edits": {"lines": ["javascript", "citation"], "personal_data": []},
        "domain": "code",
    }
    assert edit("return a[0]  # javascript", settings) == ("return a[0]  # javascript", [])
    assert edit("A fact.[12]", settings | {"domain": "web"})[0] == "A fact."
