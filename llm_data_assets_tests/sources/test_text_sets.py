"""Published text sets of JSON lines and Parquet: layouts, odd dates, metadata in strings."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.formats import check_options
from llm_data_assets_tests.sources.reading import read, reasons


def write_lines(path: Path, *records: Any) -> Path:
    """JSON lines, compressed as the name says."""
    data = "".join(json.dumps(record) + "\n" for record in records).encode()
    path.write_bytes(zstandard.compress(data) if path.suffix == ".zst" else data)
    return path


def pile(path: Path) -> Path:
    return write_lines(
        path / "00.jsonl.zst",
        {"text": "A patent.", "meta": {"pile_set_name": "USPTO Backgrounds"}},
        {"text": "def f(): pass", "meta": {"pile_set_name": "Github"}},
        {"text": "Without meta."},
        {"meta": {"pile_set_name": "Github"}},
    )


def test_the_pile_names_its_sets(tmp_path: Path) -> None:
    documents, rejects = read(pile(tmp_path), "pile")
    assert [(each.text, each.meta) for each in documents] == [
        ("A patent.", {"pile_set_name": "USPTO Backgrounds"}),
        ("def f(): pass", {"pile_set_name": "Github"}),
        ("Without meta.", {}),
    ]
    assert reasons(rejects) == ["no text"]


def test_sets_of_the_pile_are_chosen_by_name(tmp_path: Path) -> None:
    documents, rejects = read(pile(tmp_path), "pile", subsets=["Github"])
    assert [each.text for each in documents] == ["def f(): pass"]
    assert reasons(rejects) == ["no subset", "no text"]
    with pytest.raises(ValueError, match=r"subsets\.0"):
        check_options("pile", {"subsets": ["GitHub"]})


def test_text_only_copies_of_the_pile_are_read(shared_data: Path) -> None:
    documents, rejects = read(shared_data / "pile" / "the-pile-uspto-refined.jsonl", "pile")
    assert (len(documents), rejects) == (10, [])
    assert documents[0].text.startswith("1. Field of the Invention:\nThis invention relates")


OSCAR = {
    "content": "Ein Satz.\nNoch einer.",
    "warc_headers": {
        "warc-record-id": "<urn:uuid:2c1b4a33-1f5e-4a0b-8d4a-000000000001>",
        "warc-date": "2022-11-26T11:45:22Z",
        "content-length": "21",
        "warc-target-uri": "https://example.org/de",
        "warc-type": "conversion",
    },
}
OSCAR_2201 = {
    **OSCAR,
    "metadata": {
        "identification": {"label": "de", "prob": 0.91},
        "annotation": ["tiny"],
        "sentence_identifications": [{"label": "de", "prob": 1.0000107}, None],
    },
}
OSCAR_2301 = {
    **OSCAR,
    "metadata": {
        "identification": {"label": "de", "prob": 0.91},
        "harmful_pp": 2311.5,
        "tlsh": "tlsh:T1A2",
        "quality_warnings": None,
        "categories": None,
        "sentence_identifications": [None, None],
    },
}


def test_both_layouts_of_oscar_give_one_shape(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "de_meta_part_1.jsonl.zst", OSCAR_2201, OSCAR_2301, {"text": 1})
    documents, rejects = read(path, "oscar")
    old, new = documents
    for each in documents:
        assert each.text == "Ein Satz.\nNoch einer."
        assert each.url == "https://example.org/de"
        assert each.native_id == "2c1b4a33-1f5e-4a0b-8d4a-000000000001"
        assert (each.language, each.created_at) == ("de", "2022-11-26T11:45:22Z")
        assert each.meta["warc_headers"]["content-length"] == "21"
    assert old.meta["quality_warnings"] == ["tiny"]
    assert old.meta["sentence_identifications"] == [{"label": "de", "prob": 1.0000107}, None]
    assert new.meta["quality_warnings"] == []
    assert new.meta["harmful_pp"] == 2311.5
    assert reasons(rejects) == ["no text"]


def test_oscars_own_warnings_can_drop(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "part.jsonl", OSCAR_2201, OSCAR_2301)
    documents, rejects = read(path, "oscar", drop_warnings=["tiny"])
    assert len(documents) == 1
    assert [each.error for each in rejects] == ["quality warning: tiny"]


def test_redpajama_dates_come_in_two_shapes(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "mixed.jsonl",
        {"text": "one", "meta": {"timestamp": "2022-08-31T02:04:46", "arxiv_id": "2208.13926",
                                 "language": "en", "url": "https://arxiv.org/abs/2208.13926"}},
        {"text": "two", "meta": {"timestamp": 1664582400000, "source": "stackexchange"},
         "red_pajama_subset": "stackexchange"},
        {"text": "three", "meta": "none"},
    )  # fmt: skip
    documents, rejects = read(path, "redpajama")
    assert [each.created_at for each in documents] == [
        "2022-08-31T02:04:46", "2022-10-01T00:00:00Z", None,
    ]  # fmt: skip
    assert documents[0].native_id == "2208.13926"
    assert documents[1].meta == {"source": "stackexchange", "red_pajama_subset": "stackexchange"}
    assert rejects == []


def test_redpajamas_own_arxiv_sample(shared_data: Path) -> None:
    documents, rejects = read(shared_data / "redpajama" / "arxiv.jsonl", "redpajama")
    assert (len(documents), rejects) == (19, [])
    assert {each.language for each in documents} == {"en"}
    assert documents[0].text.startswith("\\section{Randomized controlled trial}")
    assert all(each.meta.keys() == {"yymm"} for each in documents)


def test_mathpile_spells_its_subset_wrong(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "part.jsonl",
        {"text": "x", "SubSet": "CommomCrawl", "meta": {"language_detection_score": 0.9, "idx": 7}},
        {"text": "y", "SubSet": "ProofWiki", "meta": {}},
    )
    documents, _ = read(path, "mathpile")
    assert [each.meta["subset"] for each in documents] == ["CommonCrawl", "ProofWiki"]
    assert documents[0].meta["meta"]["idx"] == 7


def test_roots_metadata_is_parsed_and_never_run(tmp_path: Path) -> None:
    marks = [
        "{'url': 'https://example.org', 'title': None, 'tags': {'b', 'a'}, 'n': (1, 2)}",
        "__import__('os').system('touch /tmp/roots-was-run')",
        "{" * 5_000,
        "{'x': nan}",
        None,
    ]
    path = tmp_path / "roots_en_wiki.parquet"
    pq.write_table(pa.table({"text": [f"t{n}" for n in range(5)], "meta": marks}), path)
    documents, rejects = read(path, "roots")
    assert rejects == []
    assert documents[0].meta == {
        "url": "https://example.org", "title": None, "tags": ["a", "b"], "n": [1, 2],
    }  # fmt: skip
    assert documents[0].url == "https://example.org"
    assert [each.meta["meta"] for each in documents[1:]] == marks[1:]
    assert not Path("/tmp/roots-was-run").exists()


@pytest.mark.parametrize("name", ["pile", "oscar", "redpajama", "mathpile", "c4"])
def test_a_broken_line_costs_itself(tmp_path: Path, name: str) -> None:
    good = {"text": "good", "content": "good"}
    lines = [json.dumps(good), '{"text": "cut', "[1, 2]", "null", '"text"', json.dumps(good)]
    path = tmp_path / "data.jsonl"
    path.write_text("\n".join(lines))
    documents, rejects = read(path, name)
    assert [each.text for each in documents] == ["good", "good"]
    assert len(rejects) == 4


@pytest.mark.parametrize("name", ["pile", "oscar", "redpajama", "mathpile", "c4", "jsonl"])
def test_reading_starts_again_at_any_record(tmp_path: Path, name: str) -> None:
    from dataclasses import replace

    from llm_data_assets.sources.files import list_files
    from llm_data_assets.sources.formats import read_documents, split_offsets

    records = [{"text": f"text {n} " * 9, "content": f"text {n} " * 9} for n in range(50)]
    path = write_lines(tmp_path / "data.jsonl", *records)
    (file,) = list_files([path.name], base=tmp_path)
    whole: list[Document | Reject] = list(read_documents(name, file, {}))
    for number in (0, 1, 17, 49):
        again = read_documents(name, replace(file, start=whole[number].offset), {})
        assert next(again) == whole[number]
    starts = [0, *split_offsets(name, file, {}, 700)]
    assert len(starts) > 3
    parts = [
        each
        for start, stop in zip(starts, [*starts[1:], None], strict=True)
        for each in read_documents(name, replace(file, start=start, stop=stop), {})
    ]
    assert parts == whole
