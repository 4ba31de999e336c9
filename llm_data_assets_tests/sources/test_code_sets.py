"""The Stack, github-code, CodeParrot, Public Git Archive's index: every field has a place."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from llm_data_assets_tests.sources import fixtures_code
from llm_data_assets_tests.sources.reading import read, read_bytes, reasons


def test_the_stacks_licences_and_counts(tmp_path: Path) -> None:
    documents, rejects = read(fixtures_code.the_stack(tmp_path), "the_stack")
    assert [each.license for each in documents] == ["MIT", "NOASSERTION", None, "GPL-2.0-only"]
    assert [each.meta.get("max_stars_count") for each in documents] == [3, None, 1, None]
    assert all(
        isinstance(count, int)
        for each in documents
        for name, count in each.meta.items()
        if name.endswith("_count")
    )
    assert documents[1].meta["max_stars_repo_licenses"] == ["MIT", "Apache-2.0"]
    assert [each.meta.get("generated", False) for each in documents] == [False, False, False, True]
    assert documents[0].url == "https://github.com/owner/project"
    assert (documents[0].title, documents[0].meta["programming_language"]) == ("a.py", "Python")
    assert reasons(rejects) == ["no text"]


def test_no_field_of_the_stack_is_lost(tmp_path: Path) -> None:
    path = fixtures_code.the_stack(tmp_path)
    (row, *_) = pq.read_table(path).to_pylist()
    (document, *_), _ = read(path, "the_stack")
    held = {**document.meta, "hexsha": document.native_id, "content": document.text,
            "lang": document.meta["programming_language"]}  # fmt: skip
    assert {name: held.get(name) for name in row} == row


@pytest.mark.parametrize(("count", "expected"), [(float("nan"), None), (2.5, None), (2.0, 2)])
def test_counts_of_a_copy_made_by_pandas(
    tmp_path: Path, count: float, expected: int | None
) -> None:
    pq.write_table(pa.table({"content": ["x"], "max_forks_count": [count]}), tmp_path / "a")
    (document,), _ = read(tmp_path / "a", "the_stack")
    assert document.meta["max_forks_count"] == expected


def test_github_code_in_both_layouts(tmp_path: Path) -> None:
    (document,), _ = read(fixtures_code.github_code(tmp_path), "github_code")
    assert (document.native_id, document.license) == ("o/p/src/m.c", "GPL-2.0-only")
    assert document.meta["programming_language"] == "C"
    documents, _ = read(fixtures_code.github_code_raw(tmp_path), "github_code")
    assert [each.meta["programming_language"] for each in documents] == ["Rust", "Makefile"]
    assert [each.license for each in documents] == ["MIT", None]
    assert documents[1].meta["declared_license"] == "unheard-of"


@pytest.mark.parametrize("name", ["the_stack", "github_code"])
def test_parquet_of_another_set_is_refused(tmp_path: Path, name: str) -> None:
    pq.write_table(pa.table({"text": ["x"]}), tmp_path / "a")
    documents, (reject,) = read(tmp_path / "a", name)
    assert documents == []
    assert reject.error.startswith("wrong schema: a has no column ")
    assert "Try: use the format parquet" in reject.error


def test_codeparrot_writes_numbers_in_two_ways(tmp_path: Path) -> None:
    documents, rejects = read(fixtures_code.codeparrot(tmp_path), "codeparrot")
    assert [(each.meta["copies"], each.meta["size"]) for each in documents] == [(12, 11), (1, 11)]
    assert [each.meta.get("generated") for each in documents] == [None, True]
    assert documents[0].license == "Apache-2.0"
    assert documents[0].meta["hash"] == "0123"
    assert reasons(rejects) == ["not json"]


@pytest.mark.parametrize(
    ("record", "reason"),
    [([1], "not an object"), ({"path": "a.py"}, "no text"), ({"content": 5}, "no text")],
)
def test_a_record_that_is_none_costs_itself(tmp_path: Path, record: object, reason: str) -> None:
    good = {"content": "x = 1\n", "repo_name": None, "path": 7, "license": ["mit"]}
    data = "".join(json.dumps(each) + "\n" for each in (record, good)).encode()
    documents, rejects = read_bytes(tmp_path, data, "codeparrot")
    assert ([each.text for each in documents], reasons(rejects)) == (["x = 1\n"], [reason])


def test_a_row_of_the_index_is_a_repository(tmp_path: Path) -> None:
    documents, rejects = read(fixtures_code.pga_index(tmp_path), "pga_index")
    first, tied = documents
    assert first.text == "https://github.com/o/p\nGo, Shell\nMIT 0.987, JSON 0.9"
    assert (first.native_id, first.title, first.license) == ("github.com/o/p", "o/p", "MIT")
    assert first.meta["SIVA_FILENAMES"] == ["aa.siva", "bb.siva"]
    assert first.meta["LANGS_BYTE_COUNT"] == [900, 10]
    assert (first.meta["STARS"], first.meta["COMMITS_COUNT"]) == (51, 12)
    assert first.meta["licenses"] == {"MIT": 0.987, "JSON": 0.9}
    assert tied.license == "NOASSERTION"
    assert reasons(rejects) == ["broken row"]
