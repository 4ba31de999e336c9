"""A file that holds other bytes than its name says is named, and it alone is made again."""

from pathlib import Path

import pytest

from llm_data_assets.config.workspace import Workspace
from llm_data_assets.doctor import diagnose
from llm_data_assets.lake.schemas import HISTORY, STAGE_STATS
from llm_data_assets.stages.damage import damaged, mend
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import ALL_TABLES, lake_of
from llm_data_assets.stages.stage import Context
from llm_data_assets.stages.versions import is_fresh
from llm_data_assets_tests.stages.test_whole_flow import contents, materialise_all


def one_bit(path: Path) -> None:
    """Turn a bit in the middle of a file."""
    held = bytearray(path.read_bytes())
    held[len(held) // 2] ^= 1
    path.write_bytes(held)


def on_disk(workspace: Workspace) -> dict[Path, int]:
    return {path: path.stat().st_ino for path in (workspace.home / "lake").rglob("*.parquet")
            if "stage_stats" not in path.parts and "checks" not in path.parts}  # fmt: skip


@pytest.fixture
def whole(small_workspace: Workspace) -> Workspace:
    materialise_all(small_workspace)
    assert list(damaged(small_workspace)) == []
    return small_workspace


def test_any_damaged_file_is_named_and_it_alone_is_made_again(whole: Workspace) -> None:
    expected, before = contents(whole), on_disk(whole)
    history = {table.name for table in HISTORY}
    hit = [paths[0] for table in ALL_TABLES if table.name not in history
           if (paths := lake_of(whole).files(table))]  # fmt: skip
    assert len(hit) > 15
    hit[0].unlink()
    for path in hit[1:]:
        one_bit(path)

    found = list(damaged(whole))
    assert [each.path for each in found] == hit
    assert {each.problem.split(" (")[0] for each in found} == {"is gone", "holds other bytes"}
    assert mend(whole, found) == []

    assert contents(whole) == expected and list(damaged(whole)) == []
    after = on_disk(whole)
    rewritten = {path for path in before if after.get(path) != before[path]}
    # The files that a stage writes with it are written again as well, to the same bytes.
    made_of = {path.name.rsplit("-", 1)[0] for path in hit}
    others = {path for path in rewritten if path.name.rsplit("-", 1)[0] not in made_of}
    assert {path for path in others if "duplicates" not in path.parts} == set()  # global: in one


def test_a_damaged_row_of_history_is_dropped_and_its_partition_is_no_longer_fresh(
    whole: Workspace,
) -> None:
    lake = lake_of(whole)
    stage = STAGES["filtered_corpus"]
    [path, _] = lake.files(STAGE_STATS, {"stage": stage.name})
    one_bit(path)
    assert mend(whole, list(damaged(whole))) == []
    fresh = [
        is_fresh(stage, Context(whole, lake, partition), STAGES)
        for partition in stage.partitions(whole)
    ]
    assert sorted(fresh) == [False, True]


def test_the_doctor_names_a_damaged_file_and_mends_it(
    whole: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_DATA_HOME", str(whole.home))
    monkeypatch.setenv("LLM_DATA_CATALOG", str(whole.catalog.path))
    monkeypatch.setenv("LLM_DATA_PIPELINE", str(whole.pipeline.path))
    path = lake_of(whole).files(STAGES["raw_corpus"].table)[0]
    one_bit(path)
    assert [each for each in diagnose() if each[0] == "file"] == []
    [named] = [each for each in diagnose(checksums=True) if each[0] == "file"]
    assert named[1] == "problem" and str(path) in named[2] and "--repair" in named[2]
    [mended] = [each for each in diagnose(repair=True) if each[0] == "file"]
    assert mended[1] == "note"
    assert ("files", "ok") in [each[:2] for each in diagnose(checksums=True)]
