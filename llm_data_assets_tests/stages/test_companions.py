"""A licence file or a card that changes has the files that it speaks for read again."""

from pathlib import Path

import pytest

from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.lake.schemas import RAW_CORPUS, REJECTS
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import lake_of, materialise
from llm_data_assets.stages.source_files import files_version
from llm_data_assets.stages.stage import Partition
from llm_data_assets_tests.sources import fixtures_code

SOURCE = Partition(source="only")


def workspace(folder: Path, format: str, uri: str) -> Workspace:
    (folder / "catalog.yaml").write_text(
        f"sources:\n  only:\n    format: {format}\n    uris: ['{uri}']\n"
    )
    (folder / "pipeline.yaml").write_text("engine: {workers: 1}\nchecks: {max_reject_share: 1.0}\n")
    return open_workspace(folder / "home", folder / "catalog.yaml", folder / "pipeline.yaml")


def licenses(home: Workspace) -> dict[str, str | None]:
    materialise(STAGES[RAW_CORPUS.name], SOURCE, home)
    rows = lake_of(home).read(RAW_CORPUS).to_pylist()
    return {row["origin"]["file"]: row["license"] for row in rows}


def test_a_changed_licence_file_is_seen_though_no_uri_names_it(tmp_path: Path) -> None:
    fixtures_code.source_tree(tmp_path)
    home = workspace(tmp_path, "source_tree", "tree/**/*.py")
    before, version = licenses(home), files_version(home, "only")
    assert before["tree/pkg/setup.py"] == "MIT"
    (tmp_path / "tree/pkg/LICENSE").write_text("Licensed under the Apache License, Version 2.0\n")
    assert files_version(home, "only") != version
    assert licenses(home) == dict.fromkeys(before, "Apache-2.0")


def missing(home: Workspace) -> list[str]:
    errors = lake_of(home).read(REJECTS)["error"].to_pylist()
    return [error for error in errors if error.startswith("missing resource")]


@pytest.mark.parametrize(
    ("format", "card", "place", "stated"),
    [("hf_dataset", "README.md", "hub", "cc-by-4.0"),
     ("kaggle", "dataset-metadata.json", "kaggle", "CC0-1.0")],
)  # fmt: skip
def test_a_changed_card_and_a_file_that_came_are_seen(
    tmp_path: Path, format: str, card: str, place: str, stated: str
) -> None:
    fixtures_code.CODE_FIXTURES[format](tmp_path)
    home = workspace(tmp_path, format, place)
    before = licenses(home)
    assert "MIT" not in before.values()
    path = tmp_path / place / card
    path.write_text(path.read_text().replace(stated, "mit"))
    assert licenses(home) == dict.fromkeys(before, "MIT")
    assert len(missing(home)) == 1
    came = tmp_path / place / ("data/small/more.jsonl" if format == "hf_dataset" else "absent.csv")
    came.write_text('{"text": "x"}\n' if format == "hf_dataset" else "text\nx\n")
    assert len(licenses(home)) == len(before) + 1
    assert missing(home) == []
