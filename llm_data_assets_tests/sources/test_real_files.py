"""Real files in their publishers' layouts, read to the counts that are known of them."""

from pathlib import Path

import pytest

from llm_data_assets.sources.document import Document
from llm_data_assets.sources.files import list_files
from llm_data_assets.sources.formats import read_documents


def count(folder: Path, name: str, uri: str, **options: object) -> tuple[int, list[str]]:
    documents, reasons = 0, []
    for file in list_files([uri], base=folder):
        for record in read_documents(name, file, options):
            if isinstance(record, Document):
                documents += 1
            else:
                reasons.append(record.error.split(":")[0])
    return documents, reasons


@pytest.mark.parametrize(
    ("name", "uri", "documents", "reasons"),
    [
        ("warc", "commoncrawl/warcfile.warc", 16, []),
        ("warc", "commoncrawl/warcfile.warc.gz", 16, []),
        ("warc", "commoncrawl/whirlwind.warc.gz", 1, []),
        ("warc", "commoncrawl/sample-0000.warc.gz", 22, []),
        ("warc", "commoncrawl/block-sized-records.warc.gz", 0, []),
        ("wet", "commoncrawl/whirlwind.warc.wet.gz", 1, []),
        ("wikipedia", "wikipedia/enwiki*.bz2", 106, []),
        ("c4", "c4/c4-en-sample.json.gz", 666, []),
        ("sharegpt", "sharegpt/glaive_toolcall_en_demo.json", 300, []),
        ("jsonl", "hh-rlhf/helpful-base/train.jsonl.gz", 0, ["git lfs pointer"]),
    ],
)
def test_counts(shared_data: Path, name: str, uri: str, documents: int, reasons: list[str]) -> None:
    assert count(shared_data, name, uri) == (documents, reasons)


def test_clipped_and_wrong_archives_are_rejects(shared_data: Path) -> None:
    for path in sorted((shared_data / "commoncrawl" / "warcio").iterdir()):
        documents, reasons = count(shared_data, "warc", f"commoncrawl/warcio/{path.name}")
        assert documents + len(reasons) <= 10, path.name


def test_editions_of_one_novel_lose_their_licence_text(shared_data: Path) -> None:
    for file in list_files(["books/pg1342/*.txt"], base=shared_data):
        (record,) = read_documents("gutenberg", file, {})
        assert isinstance(record, Document)
        assert "It is a truth universally acknowledged" in record.text
        assert "START OF TH" not in record.text and "SMALL PRINT" not in record.text
