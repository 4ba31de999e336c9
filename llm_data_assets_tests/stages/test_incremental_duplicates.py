"""Files come, change and go in any order: duplicates end where a rebuild from nothing ends."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.lake.schemas import DEDUPED_CORPUS, DUPLICATES, RAW_CORPUS, VERDICTS
from llm_data_assets.stages import deduped_corpus, document_signatures
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import lake_of
from llm_data_assets.stages.stage import Context
from llm_data_assets_tests.conftest import sentence, write_workspace
from llm_data_assets_tests.stages.test_whole_flow import contents

UP_TO = ("raw_corpus", "document_signatures", "duplicates", "deduped_corpus", "removed_signals")
SOURCES = ("first", "second")
# A few texts and versions of each, so that files repeat each other in part, exactly and nearly.
TEXTS = [f"{sentence(i)}{end}" for i in range(3) for end in ("", " Once more.", " Not this one.")]
FILES = st.lists(st.sampled_from(range(len(TEXTS))), max_size=4)
# (source, file of it, its new documents or None to remove it)
CHANGES = st.lists(
    st.tuples(st.sampled_from(SOURCES), st.sampled_from("abc"), st.none() | FILES),
    min_size=1,
    max_size=4,
)


def run(workspace: Workspace) -> None:
    """The stages without checks and views: what they leave in the tables is what counts."""
    for name in UP_TO:
        for partition in STAGES[name].partitions(workspace):
            STAGES[name].run(Context(workspace, lake_of(workspace), partition))


def write(folder: Path, source: str, name: str, texts: list[int]) -> None:
    rows = [{"id": f"{name}{i}", "text": TEXTS[text]} for i, text in enumerate(texts)]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / f"{source}-{name}.jsonl").write_text(lines, encoding="utf-8")


def opened(folder: Path, home: str) -> Workspace:
    return open_workspace(folder / home, folder / "catalog.yaml", folder / "pipeline.yaml")


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(CHANGES)
def test_any_sequence_of_files_equals_a_rebuild(
    changes: list[tuple[str, str, list[int] | None]],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_workspace(folder, {source: [] for source in SOURCES})
        for source in SOURCES:
            write(folder, source, "always", [0])
        run(opened(folder, "home"))
        for source, file, texts in changes:
            if texts is None:
                (folder / f"{source}-{file}.jsonl").unlink(missing_ok=True)
            else:
                write(folder, source, file, texts)
            run(opened(folder, "home"))
        run(opened(folder, "rebuilt"))
        found, expected = (contents(opened(folder, home)) for home in ("home", "rebuilt"))
        assert [table for table in expected if found[table] != expected[table]] == []
        for table in (DUPLICATES, DEDUPED_CORPUS):
            for source in SOURCES:
                kept, rebuilt = (
                    [
                        each.content
                        for each in lake_of(opened(folder, home)).shards(table, {"source": source})
                    ]
                    for home in ("home", "rebuilt")
                )
                assert kept == rebuilt, (table.name, source)  # byte for byte


def test_a_new_file_is_signed_and_deduplicated_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_workspace(tmp_path, {source: [] for source in SOURCES})
    with (tmp_path / "pipeline.yaml").open("a", encoding="utf-8") as pipeline:
        pipeline.write("engine: {workers: 1, shard_mb: 0.003}\n")  # a file, a shard
    for name in "abc":
        write(tmp_path, "first", name, [0, 1, 3])
    write(tmp_path, "second", "a", [2])
    run(opened(tmp_path, "home"))
    met: list[tuple[str, str]] = []
    for module, function in (
        (document_signatures, "sign_shard"),
        (deduped_corpus, "dedupe_shard"),
    ):
        monkeypatch.setattr(module, function, noted(met, getattr(module, function)))
    write(tmp_path, "first", "d", [4, 5, 6])
    run(opened(tmp_path, "home"))
    (signed, shard), (deduplicated, same) = met
    assert (signed, deduplicated, shard) == ("sign_shard", "dedupe_shard", same)
    lake = lake_of(opened(tmp_path, "home"))
    verdicts = lake.read(VERDICTS)["doc_id"].to_pylist()
    assert "first/d0" in verdicts
    raw = {each.shard for each in lake.shards(RAW_CORPUS, {"source": "first"})}
    assert {each.shard for each in lake.shards(DUPLICATES, {"source": "first"})} <= raw


def noted(met: list[tuple[str, str]], function: Callable) -> Callable:
    """The function, which says which shard it was called for."""
    return lambda task: (met.append((function.__name__, task.shard)), function(task))[1]
