"""Big files become many shards, small ones share one; both are read once, and go on where a run
was cut off."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.lake.schemas import EDITS, RAW_CORPUS, REJECTS
from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.stages import read_group
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import lake_of, materialise
from llm_data_assets.stages.stage import Partition
from llm_data_assets_tests.conftest import sentence

SOURCE = Partition(source="only")
TEXTS = [sentence(number) + " caf\u0065\u0301" for number in range(300)]


def workspace(folder: Path, format: str, shard_mb: float, home: str = "home") -> Workspace:
    (folder / "catalog.yaml").write_text(
        f"sources:\n  only:\n    format: {format}\n    uris: [data]\n    options: {{id: id}}\n"
    )
    (folder / f"pipeline-{home}.yaml").write_text(f"engine: {{shard_mb: {shard_mb}, workers: 1}}\n")
    return open_workspace(folder / home, folder / "catalog.yaml", folder / f"pipeline-{home}.yaml")


def write_lines(path: Path, numbers: range, broken: bool = False) -> None:
    path.parent.mkdir(exist_ok=True)
    lines = [json.dumps({"id": f"d{number}", "text": TEXTS[number]}) for number in numbers]
    if broken:
        lines.insert(1, "{not json")
    path.write_text("\n".join(lines) + "\n")


def rows(home: Workspace) -> list[list[dict[str, Any]]]:
    """Every row of the raw tables; the order of rows follows shards, and means nothing."""
    return [
        sorted(lake_of(home).read(table).to_pylist(), key=str)
        for table in (RAW_CORPUS, REJECTS, EDITS)
    ]


def files(home: Workspace) -> list[str]:
    return [path.name for table in (RAW_CORPUS, EDITS) for path in lake_of(home).files(table)]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of records in the order in which they are read from files."""
    seen: list[str] = []
    original = read_group.read_documents

    def watch(*arguments: Any) -> Iterator[Document | Reject]:
        for record in original(*arguments):
            seen.append(getattr(record, "native_id", None) or "reject")
            yield record

    monkeypatch.setattr(read_group, "read_documents", watch)
    return seen


def test_what_is_made_of_a_text_does_not_depend_on_the_format(tmp_path: Path) -> None:
    texts = [
        "clean", "naïve and clean", "", "\u3000 \n", "x" * 100 + "\u3000", "caf\u0065\u0301",
        "schÃ¶n", "a\r\nb", "\x00", "a\x00b", " " * 90 + "late", "\u3000" * 90, "日本語 " * 40,
    ]  # fmt: skip
    names = [f"d{number}" for number in range(len(texts))]
    made = []
    for format in ("jsonl", "parquet", "arrow"):
        folder = tmp_path / format
        (folder / "data").mkdir(parents=True)
        table = pa.table({"id": names, "text": texts})
        if format == "jsonl":
            lines = [json.dumps(row) for row in table.to_pylist()]
            (folder / "data" / "a").write_text("\n".join(lines))
        elif format == "parquet":
            pq.write_table(table, folder / "data" / "a")
        else:
            with pa.ipc.new_file(folder / "data" / "a", table.schema) as writer:
                writer.write_table(table)
        home = workspace(folder, format, 16)
        materialise(STAGES["raw_corpus"], SOURCE, home)
        documents, rejects, edits = rows(home)
        for row in documents:
            del row["origin"]["offset"]
        for row in rejects:
            del row["offset"]
        made.append((documents, sorted(rejects, key=str), edits))
    assert made[0] == made[1] == made[2]
    documents, rejects, edits = made[0]
    assert {row["doc_id"]: row["text"] for row in documents} == {
        "only/d0": "clean", "only/d1": "naïve and clean", "only/d4": "x" * 100 + "\u3000",
        "only/d5": "café", "only/d6": "schön", "only/d7": "a\nb", "only/d9": "ab",
        "only/d10": " " * 90 + "late", "only/d12": "日本語 " * 40,
    }  # fmt: skip
    assert [row["error"] for row in rejects] == ["empty text"] * 4
    assert {row["kind"] for row in edits} == {"nfc", "mojibake", "newline", "control"}


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_parts_of_a_big_file_give_the_rows_of_the_whole(tmp_path: Path, format: str) -> None:
    if format == "jsonl":
        write_lines(tmp_path / "data" / "big.jsonl", range(300), broken=True)
    else:
        (tmp_path / "data").mkdir()
        table = pa.table({"id": [f"d{number}" for number in range(300)], "text": TEXTS})
        pq.write_table(table, tmp_path / "data" / "big.parquet", row_group_size=20)
    whole = workspace(tmp_path, format, 256)
    cut = workspace(tmp_path, format, 0.002, "cut")
    materialise(STAGES["raw_corpus"], SOURCE, whole)
    materialise(STAGES["raw_corpus"], SOURCE, cut)
    assert len(lake_of(whole).files(RAW_CORPUS)) == 1
    assert len({path.name.split("-")[0] for path in lake_of(cut).files(RAW_CORPUS)}) > 3
    assert rows(cut) == rows(whole)
    assert len(rows(cut)[0]) == 300


def test_a_compressed_file_is_cut_by_its_text(tmp_path: Path) -> None:
    import gzip

    write_lines(tmp_path / "data" / "big.jsonl", range(300))
    lines = (tmp_path / "data" / "big.jsonl").read_bytes()
    (tmp_path / "data" / "big.jsonl").unlink()
    (tmp_path / "data" / "big.jsonl.gz").write_bytes(gzip.compress(lines, mtime=0))
    cut = workspace(tmp_path, "jsonl", 0.004)
    materialise(STAGES["raw_corpus"], SOURCE, cut)
    shards = sorted(path.name.split("-")[0] for path in lake_of(cut).files(RAW_CORPUS))
    assert len(shards) > 3
    assert [shard[16:] for shard in shards] == ["", *(f"n{k:04d}" for k in range(1, len(shards)))]
    assert len(rows(cut)[0]) == 300


def test_reading_goes_on_after_the_last_finished_shard(
    tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import gzip

    write_lines(tmp_path / "data" / "big.jsonl", range(300))
    path = tmp_path / "data" / "big.jsonl"
    (tmp_path / "data" / "big.jsonl.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    path.unlink()
    undisturbed = workspace(tmp_path, "jsonl", 0.004, "undisturbed")
    materialise(STAGES["raw_corpus"], SOURCE, undisturbed)

    read.clear()
    killed = workspace(tmp_path, "jsonl", 0.004, "killed")
    watched = read_group.read_documents

    def die(*arguments: Any) -> Iterator[Document | Reject]:
        for number, record in enumerate(watched(*arguments)):
            if number == 200:
                raise KeyboardInterrupt
            yield record

    monkeypatch.setattr(read_group, "read_documents", die)
    with pytest.raises(KeyboardInterrupt):
        materialise(STAGES["raw_corpus"], SOURCE, killed)
    monkeypatch.setattr(read_group, "read_documents", watched)
    first, again = len(read), 0
    materialise(STAGES["raw_corpus"], SOURCE, killed)
    again = len(read) - first
    assert 100 <= again < 150
    assert read[-1] == "d299"
    assert files(killed) == files(undisturbed)


def test_a_changed_file_of_a_shared_shard_is_read_alone(tmp_path: Path, read: list[str]) -> None:
    for number in range(6):
        write_lines(
            tmp_path / "data" / f"{number}.jsonl", range(number * 10, number * 10 + 10), number == 4
        )
    home = workspace(tmp_path, "jsonl", 256)
    materialise(STAGES["raw_corpus"], SOURCE, home)
    assert len(lake_of(home).files(RAW_CORPUS)) == 1

    read.clear()
    write_lines(tmp_path / "data" / "3.jsonl", range(100, 103))
    write_lines(tmp_path / "data" / "7.jsonl", range(200, 202))
    (tmp_path / "data" / "1.jsonl").unlink()
    materialise(STAGES["raw_corpus"], SOURCE, home)
    assert read == ["d100", "d101", "d102", "d200", "d201"]

    rebuilt = workspace(tmp_path, "jsonl", 256, "rebuilt")
    materialise(STAGES["raw_corpus"], SOURCE, rebuilt)
    assert files(home) == files(rebuilt)
    assert len(rows(home)[0]) == 45


def test_another_option_reads_everything_again(tmp_path: Path, read: list[str]) -> None:
    for number in range(3):
        write_lines(tmp_path / "data" / f"{number}.jsonl", range(number * 10, number * 10 + 10))
    materialise(STAGES["raw_corpus"], SOURCE, workspace(tmp_path, "jsonl", 256))
    read.clear()
    changed = workspace(tmp_path, "jsonl", 256)
    text = changed.catalog.path.read_text().replace("options: {", "license: MIT\n    options: {")
    changed.catalog.path.write_text(text)
    changed = open_workspace(changed.home, changed.catalog.path, changed.pipeline.path)
    materialise(STAGES["raw_corpus"], SOURCE, changed)
    assert len(read) == 30


def test_without_the_cache_everything_is_read_again_to_the_same_files(
    tmp_path: Path, read: list[str]
) -> None:
    import shutil

    for number in range(3):
        write_lines(tmp_path / "data" / f"{number}.jsonl", range(number * 10, number * 10 + 10))
    home = workspace(tmp_path, "jsonl", 256)
    materialise(STAGES["raw_corpus"], SOURCE, home)
    before = files(home)
    shutil.rmtree(home.home / "cache")
    read.clear()
    materialise(STAGES["raw_corpus"], SOURCE, home)
    assert len(read) == 30
    assert files(home) == before
