"""Settings of deduplication, from the pipeline file to who goes, for whom."""

import json
from pathlib import Path

import pytest

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.dedup.minhash import chunked_shingle_sets
from llm_data_assets.engine import local
from llm_data_assets.lake.schemas import DEDUPED_CORPUS, DUPLICATES, VERDICTS
from llm_data_assets.stages import signed
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import lake_of, materialise
from llm_data_assets.stages.stage import Partition
from llm_data_assets_tests.conftest import sentence, write_workspace

PAGES = {
    "first": [
        {"id": "a", "text": sentence(1), "url": "https://a.example/", "stars": 3, "sha": "x"},
        {"id": "b", "text": sentence(2), "url": "https://b.example/", "stars": 1, "sha": "y"},
    ],
    "second": [
        {"id": "c", "text": sentence(3), "url": "https://a.example/", "stars": 5, "sha": "z"},
        {"id": "d", "text": sentence(4), "url": "https://d.example/", "stars": 9, "sha": "y"},
        {"id": "e", "text": sentence(1) + " Again.", "url": "https://e.example/", "stars": 7},
    ],
    "third": [{"id": "f", "text": sentence(1), "url": None, "stars": None}],
}


def with_dedup(folder: Path, dedup: str, priorities: bool = True) -> Workspace:
    workspace = write_workspace(folder, PAGES)
    catalog = workspace.catalog.path
    text = catalog.read_text(encoding="utf-8").replace("{id: id}", "{id: id, url: url}")
    if not priorities:
        text = "\n".join(line for line in text.split("\n") if "priority" not in line)
    catalog.write_text(text, encoding="utf-8")
    pipeline = workspace.pipeline.path
    rest = pipeline.read_text(encoding="utf-8")
    pipeline.write_text(f"{rest}dedup: {dedup}\n", encoding="utf-8")
    return open_workspace(workspace.home, catalog, pipeline)


def run_up_to(workspace: Workspace, *names: str) -> None:
    for name in names:
        for partition in STAGES[name].partitions(workspace):
            materialise(STAGES[name], partition, workspace)


def removed(workspace: Workspace) -> dict[str, tuple[str, str]]:
    run_up_to(workspace, "raw_corpus", "document_signatures", "duplicates")
    return {
        row["doc_id"].split("/")[1]: (row["kept_doc_id"].split("/")[1], row["method"])
        for row in lake_of(workspace).read(DUPLICATES).to_pylist()
    }


@pytest.mark.parametrize(
    ("dedup", "expected"),
    [
        ("{}", {"e": ("a", "near"), "f": ("a", "exact")}),
        (
            "{same_url: true}",
            {"c": ("a", "url"), "e": ("a", "near"), "f": ("a", "exact")},
        ),
        (
            "{same_key: meta.sha}",
            {"d": ("b", "key"), "e": ("a", "near"), "f": ("a", "exact")},
        ),
        ("{scope: within}", {}),
        ("{scope: groups, groups: {g: [first, second]}}", {"e": ("a", "near")}),
        ("{threshold: 0.999}", {"f": ("a", "exact")}),
        ("{preset: datatrove}", {"e": ("a", "near"), "f": ("a", "exact")}),
        ("{preset: nemo_curator}", {"e": ("a", "near"), "f": ("a", "exact")}),
        ("{preset: redpajama, bands: 32, rows: 4}", {"e": ("a", "near"), "f": ("a", "exact")}),
        (
            "{sources: {second: {unit: character, ngram: 20}}}",
            {"f": ("a", "exact")},  # shingles of words and of characters have nothing in common
        ),
    ],
)
def test_settings_say_who_goes(
    tmp_path: Path, dedup: str, expected: dict[str, tuple[str, str]]
) -> None:
    assert removed(with_dedup(tmp_path, dedup)) == expected


def test_at_equal_priority_quality_decides_where_it_is_named(tmp_path: Path) -> None:
    workspace = with_dedup(tmp_path, "{quality: meta.stars}", priorities=False)
    assert removed(workspace) == {"a": ("e", "near"), "f": ("e", "near")}


def test_what_is_equal_in_address_alone_has_no_threshold(tmp_path: Path) -> None:
    workspace = with_dedup(tmp_path, "{same_url: true}")
    run_up_to(workspace, "raw_corpus", "document_signatures", "duplicates", "deduped_corpus")
    rows = lake_of(workspace).read(VERDICTS).to_pylist()
    assert {row["reason"]: row["threshold"] for row in rows} == {
        "url": None,
        "near": 0.8,
        "exact": 0.8,
    }


def test_signatures_of_other_settings_are_refused_by_name(tmp_path: Path) -> None:
    workspace = with_dedup(tmp_path, "{}")
    run_up_to(workspace, "raw_corpus", "document_signatures")
    pipeline = workspace.pipeline.path
    text = pipeline.read_text(encoding="utf-8").replace("dedup: {}", "dedup: {ngram: 3}")
    pipeline.write_text(text, encoding="utf-8")
    changed = open_workspace(workspace.home, workspace.catalog.path, pipeline)
    with pytest.raises(
        ValueError, match=r"'first' were made with ngram 5, .*asks for ngram 3, "
    ) as e:
        run_up_to(changed, "duplicates")
    assert "Try: materialise document_signatures of 'first' again" in str(e.value)
    run_up_to(changed, "document_signatures", "duplicates")


def test_signatures_of_other_text_are_refused_by_name(tmp_path: Path) -> None:
    workspace = with_dedup(tmp_path, "{}")
    run_up_to(workspace, "raw_corpus", "document_signatures")
    with (tmp_path / "second.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"id": "g", "text": sentence(7)}) + "\n")
    workspace = open_workspace(workspace.home, workspace.catalog.path, workspace.pipeline.path)
    materialise(STAGES["raw_corpus"], Partition(source="second"), workspace)
    with pytest.raises(ValueError, match=r"'second' were made from other text.*Try: materialise"):
        run_up_to(workspace, "duplicates")


@pytest.mark.parametrize(
    ("dedup", "message"),
    [
        ("{groups: {g: [first]}}", "scope: groups with groups, or neither"),
        ("{scope: groups, groups: {g: [first], h: [first]}}", "'first' stands in two groups"),
        ("{scope: groups, groups: {g: [fist]}}", "there is no source 'fist'"),
        ("{sources: {fist: {ngram: 3}}}", "there is no source 'fist'"),
        ("{bands: 7, rows: null}", "bands and rows go together"),
        ("{preset: datatrov}", "datatrov"),
        ("{same_key: text}", "same_key"),
    ],
)
def test_settings_that_cannot_be_meant_say_so(tmp_path: Path, dedup: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        with_dedup(tmp_path, dedup)


@pytest.mark.parametrize(("other", "gone"), [(2, {}), (1, {"two/same": "one/same"})])
def test_an_id_that_two_sources_claim_names_two_documents(
    tmp_path: Path, other: int, gone: dict[str, str]
) -> None:
    pages = {"one": sentence(1), "two": sentence(other)}
    workspace = write_workspace(
        tmp_path, {source: [{"id": "same", "text": text}] for source, text in pages.items()}
    )
    run_up_to(workspace, "raw_corpus", "document_signatures", "duplicates", "deduped_corpus")
    lake = lake_of(workspace)
    removed = {row["doc_id"]: row["kept_doc_id"] for row in lake.read(DUPLICATES).to_pylist()}
    assert removed == gone
    kept = lake.read(DEDUPED_CORPUS)["doc_id"].to_pylist()
    assert sorted([*kept, *removed]) == ["one/same", "two/same"]


def test_texts_that_changed_under_their_signatures_are_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = with_dedup(tmp_path, "{}")
    run_up_to(workspace, "raw_corpus", "document_signatures")
    monkeypatch.setattr(
        signed,
        "chunked_shingle_sets",
        lambda texts, ngram, **more: chunked_shingle_sets(texts, ngram - 3, **more),
    )
    again = "other shingles than when they were signed.*materialise document_signatures of"
    with pytest.raises(ValueError, match=again):
        run_up_to(workspace, "duplicates")
    assert not list(workspace.home.rglob("*shingle_sets*"))


def test_processes_find_what_one_finds_and_leave_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "_POOL_PAYS_FROM_BYTES", 1)
    for folder in ("1", "2"):
        (tmp_path / folder).mkdir()
    alone, beside = with_dedup(tmp_path / "1", "{}"), with_dedup(tmp_path / "2", "{}")
    with beside.pipeline.path.open("a", encoding="utf-8") as pipeline:
        pipeline.write("engine: {workers: 2}\n")
    beside = open_workspace(beside.home, beside.catalog.path, beside.pipeline.path)
    assert removed(alone) == removed(beside) != {}
    assert not list(beside.home.rglob("*shingle_sets*"))
