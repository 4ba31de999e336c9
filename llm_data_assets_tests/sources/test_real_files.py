"""Real files in their publishers' layouts, read to the counts that are known of them."""

import zipfile
from collections import Counter
from pathlib import Path

import pytest

from llm_data_assets.sources.document import Document
from llm_data_assets.sources.files import list_files
from llm_data_assets.sources.formats import read_documents


def read(folder: Path, name: str, uri: str, **options: object) -> tuple[list[Document], list[str]]:
    documents, reasons = [], []
    for file in list_files([uri], base=folder):
        for record in read_documents(name, file, options):
            if isinstance(record, Document):
                documents.append(record)
            else:
                reasons.append(record.error.split(":")[0])
    return documents, reasons


def count(folder: Path, name: str, uri: str, **options: object) -> tuple[int, dict[str, int]]:
    documents, reasons = read(folder, name, uri, **options)
    return len(documents), dict(Counter(reasons))


@pytest.mark.parametrize(
    ("name", "uri", "documents", "reasons"),
    [
        ("warc", "commoncrawl/warcfile.warc", 16, {}),
        ("warc", "commoncrawl/warcfile.warc.gz", 16, {}),
        ("warc", "commoncrawl/whirlwind.warc.gz", 1, {}),
        ("warc", "commoncrawl/sample-0000.warc.gz", 22, {}),
        ("warc", "commoncrawl/block-sized-records.warc.gz", 0, {}),
        (
            "warc",
            "commoncrawl/iana.warc.gz",
            16,
            {"skipped revisit": 123, "skipped media type": 28, "skipped status": 4},
        ),
        ("warc", "commoncrawl/example.arc.gz", 0, {"not a warc archive": 1}),
        ("warc", "commoncrawl/warcio/example-iana.org-chunked.warc", 1, {}),
        ("warc", "commoncrawl/warcio/example-wrong-chunks.warc.gz", 0, {"digest mismatch": 1}),
        ("wet", "commoncrawl/whirlwind.warc.wet.gz", 1, {}),
        ("wet", "commoncrawl/whirlwind.warc.wet", 1, {}),
        (
            "wikipedia",
            "wikipedia/enwiki*.bz2",
            106,
            {"skipped redirect": 99, "skipped namespace": 1},
        ),
        ("wikipedia", "wikipedia/bgwiki*.bz2", 1, {"skipped namespace": 2}),
        ("jsonl", "redpajama/arxiv.jsonl", 19, {}),  # the file has 19 lines
        ("jsonl", "pile/*", 20, {}),
        ("c4", "c4/c4-en-sample.json.gz", 666, {}),
        ("sharegpt", "sharegpt/glaive_toolcall_en_demo.json", 300, {}),
        ("sharegpt", "sharegpt/*", 800, {}),
        ("jsonl", "hh-rlhf/helpful-base/train.jsonl.gz", 0, {"git lfs pointer": 1}),
    ],
)
def test_counts(
    shared_data: Path, name: str, uri: str, documents: int, reasons: dict[str, int]
) -> None:
    assert count(shared_data, name, uri) == (documents, reasons)


def test_clipped_and_wrong_archives_are_rejects(shared_data: Path) -> None:
    for path in sorted((shared_data / "commoncrawl" / "warcio").iterdir()):
        documents, reasons = count(shared_data, "warc", f"commoncrawl/warcio/{path.name}")
        assert documents + sum(reasons.values()) <= 10, path.name


def test_editions_of_one_novel_lose_their_licence_text(shared_data: Path) -> None:
    for file in list_files(["books/pg1342/*.txt"], base=shared_data):
        (record,) = read_documents("gutenberg", file, {})
        assert isinstance(record, Document)
        assert "It is a truth universally acknowledged" in record.text
        assert "START OF TH" not in record.text and "SMALL PRINT" not in record.text


def test_compressed_and_plain_archives_hold_the_same_pages(shared_data: Path) -> None:
    plain, _ = read(shared_data, "warc", "commoncrawl/warcfile.warc")
    packed, _ = read(shared_data, "warc", "commoncrawl/warcfile.warc.gz")
    assert [page.text for page in plain] == [page.text for page in packed]
    assert [page.native_id for page in plain] == [page.native_id for page in packed]


def test_the_sizes_of_chunks_are_no_text(shared_data: Path) -> None:
    (page,), _ = read(
        shared_data, "warc", "commoncrawl/warcio/example-iana.org-chunked.warc", main_content=False
    )
    assert "Internet Assigned Numbers Authority" in page.text
    assert "1c37" not in page.text
    assert not page.text.rstrip().endswith("0")


def test_a_web_page_and_the_text_extracted_from_it_are_of_one_page(shared_data: Path) -> None:
    (page,), _ = read(shared_data, "warc", "commoncrawl/whirlwind.warc.gz")
    (extracted,), _ = read(shared_data, "wet", "commoncrawl/whirlwind.warc.wet.gz")
    assert page.url == extracted.url == "https://an.wikipedia.org/wiki/Escopete"
    assert (page.title, page.language) == ("Escopete - Biquipedia, a enciclopedia libre", "an")
    assert extracted.meta == {"declared_languages": "spa"}


def test_encyclopaedia_articles_have_no_markup_left(shared_data: Path) -> None:
    articles, _ = read(shared_data, "wikipedia", "wikipedia/enwiki*.bz2")
    text = "\n".join(article.text for article in articles)
    assert [text.count(mark) for mark in ("{{", "[[", "]]", "{|", "<ref", "'''", "&nbsp;")] == [
        0
    ] * 7
    assert text.count("}}") == 1  # Albert Einstein, where the dump itself tears a reference
    assert {article.language for article in articles} == {"en"}
    anarchism = next(each for each in articles if each.title == "Anarchism")
    assert anarchism.text.startswith("Anarchism is a political philosophy that advocates")
    assert anarchism.url == "https://en.wikipedia.org/wiki/Anarchism"


def test_a_dump_in_utf_16(shared_data: Path) -> None:
    (article,), _ = read(shared_data, "wikipedia", "wikipedia/bgwiki*.bz2")
    assert (article.title, article.language) == ("Григориански календар", "bg")
    assert "Категория:" not in article.text


def test_both_timestamps_of_redpajama_are_dates(shared_data: Path) -> None:
    papers, _ = read(
        shared_data, "jsonl", "redpajama/arxiv.jsonl", created_at="meta.timestamp", url="meta.url"
    )
    assert all(paper.created_at and paper.created_at[4] == "-" for paper in papers)
    assert all(paper.url and paper.url.startswith("https://arxiv.org/abs/") for paper in papers)


def test_captions_from_parquet(shared_data: Path) -> None:
    captions, reasons = read(
        shared_data, "parquet", "laion/test_1000.parquet", text="TEXT", url="URL"
    )
    assert (len(captions), reasons) == (1_000, [])
    assert set(captions[0].meta) == {"__index_level_0__"}


def test_preference_pairs_as_json_lines(shared_data: Path) -> None:
    pairs, reasons = read(shared_data, "jsonl", "hh-rlhf", text="chosen")
    assert (len(pairs), reasons) == (1_541, ["git lfs pointer"])


def test_a_packed_standard_ebook_is_the_novel_alone(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "books" / "se_h-g-wells_the-time-machine" / "src"
    with zipfile.ZipFile(tmp_path / "book.epub", "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    (novel,), reasons = read(tmp_path, "epub", "book.epub")
    assert reasons == []
    assert (novel.title, novel.language, novel.license) == ("The Time Machine", "en", "CC0-1.0")
    assert "The Time Traveller (for so it will be convenient to speak of him)" in novel.text
    assert "Standard Ebooks" not in novel.text
