"""Passages that stood in the source before are cut out where that is asked for, on record."""

from pathlib import Path

import pytest

from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.lake.schemas import EDITS, FILTERED_CORPUS, REPEATED_SPANS, VERDICTS
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import lake_of, materialise
from llm_data_assets.text.edits import Edit, apply_edits, merged
from llm_data_assets_tests.conftest import sentence, write_workspace

BANNER = "Welcome to the harbour library, visitor number 12 of today."
PASSAGE = " ".join(f"word{i}" for i in range(60))


def workspace_of(folder: Path, repeats: str) -> Workspace:
    texts = [f"{BANNER}\n\n{sentence(i)}" for i in range(3)]
    texts[2] = texts[2].replace("12", "13")
    texts += [f"{sentence(3)} {PASSAGE}", f"{PASSAGE} {sentence(4)}"]
    rows = [{"id": f"{i}", "text": text} for i, text in enumerate(texts)]
    workspace = write_workspace(folder, {"only": rows})
    path = workspace.pipeline.path
    text = path.read_text(encoding="utf-8").replace("rules: [gopher, clean]", "rules: []")
    path.write_text(f"{text}dedup: {{repeats: {repeats}}}\n", encoding="utf-8")
    workspace = open_workspace(workspace.home, workspace.catalog.path, path)
    for stage in STAGES.values():
        for partition in stage.partitions(workspace):
            done = materialise(stage, partition, workspace)
            assert not done.blocked_by(stage)
        if stage.name == "filtered_corpus":
            return workspace
    raise AssertionError("filtered_corpus is a stage")


def test_nothing_is_cut_unless_asked_for(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path, "{}")
    assert lake_of(workspace).read(REPEATED_SPANS).num_rows == 0
    assert BANNER in lake_of(workspace).read(FILTERED_CORPUS)["text"].to_pylist()[1]


@pytest.mark.parametrize("kind", ["lines", "paragraphs"])
def test_a_banner_stays_where_it_stands_first(tmp_path: Path, kind: str) -> None:
    workspace = workspace_of(tmp_path, f"{{{kind}: true}}")
    lake = lake_of(workspace)
    spans = lake.read(REPEATED_SPANS).to_pylist()
    assert [(row["doc_id"], row["start"], row["length"], row["copies"]) for row in spans] == [
        ("only/1", 0, len(BANNER) + 2, 3),
        ("only/2", 0, len(BANNER) + 2, 3),  # another number, the same line
    ]
    assert {row["first_doc_id"] for row in spans} == {"only/0"}
    texts = lake.read(FILTERED_CORPUS)["text"].to_pylist()
    assert ["harbour library" in text for text in texts] == [True, False, False, False, False]
    flags = [row for row in lake.read(VERDICTS).to_pylist() if row["reason"] == "repeated_passages"]
    assert [(row["doc_id"], row["kept"], row["detail"]) for row in flags] == [
        ("only/1", True, f"repeated_{kind[:-1]}"),
        ("only/2", True, f"repeated_{kind[:-1]}"),
    ]
    assert flags[0]["value"] == pytest.approx((len(BANNER) + 2) / len(f"{BANNER}\n\n{sentence(1)}"))
    assert texts[1] == sentence(1)
    kinds = lake.read(EDITS)["kind"].to_pylist()
    assert kinds.count(f"repeated_{kind[:-1]}") == 2


def test_a_substring_goes_where_it_comes_again(tmp_path: Path) -> None:
    pytest.importorskip("pydivsufsort", reason="the extra `substrings` is not installed")
    workspace = workspace_of(tmp_path, "{substring_words: 50}")
    texts = lake_of(workspace).read(FILTERED_CORPUS)["text"].to_pylist()
    assert ["word7 " in text for text in texts] == [False, False, False, True, False]


def test_removals_that_overlap_are_one() -> None:
    text = "0123456789"
    edits = merged(
        [Edit("b", 2, 4, ""), Edit("a", 0, 3, ""), Edit("b", 5, 1, ""), Edit("a", 8, 1, "")]
    )
    assert edits == [Edit("a+b", 0, 6, ""), Edit("a", 8, 1, "")]
    assert apply_edits(text, edits) == "679"
