"""Each embedded file opened with the library of its format, none of this package's readers."""

import bz2
import gzip
import json
import re
import zipfile
import zlib
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from fastwarc.warc import ArchiveIterator, WarcRecordType

from llm_data_assets.config.workspace import quickstart_folder
from llm_data_assets_tests.conftest import PROJECT

FILES = quickstart_folder() / "files"
EXPORT = "{http://www.mediawiki.org/xml/export-0.11/}"
XHTML = "{http://www.w3.org/1999/xhtml}"


def shingles(text: str) -> set[tuple[str, ...]]:
    """Five-word shingles of the lower-cased text."""
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[i : i + 5]) for i in range(len(words) - 4)}


def jaccard(left: set, right: set) -> float:
    return len(left & right) / len(left | right)


def gzip_members(path: Path) -> list[bytes]:
    """The content of each member; a decompressor stops where its member ends."""
    rest, found = path.read_bytes(), []
    while rest:
        member = zlib.decompressobj(wbits=31)
        found.append(member.decompress(rest))
        assert member.eof
        rest = member.unused_data
    return found


def warc_records(name: str, kind: WarcRecordType) -> dict[str, str]:
    """Target URI to body, of the records of that kind; HTTP headers are taken off."""
    with (FILES / name).open("rb") as stream:
        return {
            record.headers["WARC-Target-URI"]: record.reader.read().decode("utf-8", "replace")
            for record in ArchiveIterator(stream, record_types=kind, parse_http=True)
        }


def wiki_pages(name: str) -> list[ElementTree.Element]:
    root = ElementTree.fromstring(bz2.decompress((FILES / name).read_bytes()))
    assert root.tag == f"{EXPORT}mediawiki"
    assert root.find(f"{EXPORT}siteinfo/{EXPORT}dbname") is not None
    return root.findall(f"{EXPORT}page")


def articles(name: str) -> dict[str, str]:
    """Title to wikitext, of the pages of namespace 0 that are no redirects."""
    return {
        page.findtext(f"{EXPORT}title", ""): page.findtext(f"{EXPORT}revision/{EXPORT}text", "")
        for page in wiki_pages(name)
        if page.findtext(f"{EXPORT}ns") == "0" and page.find(f"{EXPORT}redirect") is None
    }


def c4_lines() -> list[str]:
    return gzip.decompress((FILES / "c4.json.gz").read_bytes()).decode().splitlines()


def c4_texts() -> dict[str, str]:
    """URL to text; the last line is the broken one."""
    return {record["url"]: record["text"] for record in map(json.loads, c4_lines()[:-1])}


def everything() -> str:
    """All text of the embedded files, escapes of JSON resolved."""
    epub = zipfile.ZipFile(FILES / "book.epub")
    return "\n".join(
        [
            *warc_records("web.warc.gz", WarcRecordType.response).values(),
            *warc_records("web.warc.wet.gz", WarcRecordType.conversion).values(),
            *articles("wiki_en.xml.bz2").values(),
            *articles("wiki_zh.xml.bz2").values(),
            *c4_texts().values(),
            *(epub.read(name).decode() for name in epub.namelist()),
            (FILES / "chat.json").read_text(encoding="utf-8"),
            (FILES / "evaluation.jsonl").read_text(encoding="utf-8"),
            *(path.read_text(encoding="utf-8") for path in sorted((FILES / "notes").iterdir())),
        ]
    )


@pytest.mark.parametrize(("name", "members"), [("web.warc.gz", 66), ("web.warc.wet.gz", 33)])
def test_a_gzip_member_holds_one_warc_record(name: str, members: int) -> None:
    found = gzip_members(FILES / name)
    assert len(found) == members
    assert all(member.startswith(b"WARC/1.0\r\n") for member in found)
    lengths = [re.search(rb"Content-Length: (\d+)\r\n\r\n", member) for member in found]
    for member, length in zip(found, lengths, strict=True):
        assert length is not None
        assert len(member) == length.end() + int(length[1]) + len(b"\r\n\r\n")


def test_the_wet_file_holds_the_pages_of_the_warc_file_and_no_other() -> None:
    responses = set(warc_records("web.warc.gz", WarcRecordType.response))
    requests = set(warc_records("web.warc.gz", WarcRecordType.request))
    conversions = set(warc_records("web.warc.wet.gz", WarcRecordType.conversion))
    assert len(conversions) == 32
    assert requests == conversions
    assert responses - conversions == {"https://www.example.org/pages/torn.html"}


def test_pages_come_with_navigation_and_footer() -> None:
    html = warc_records("web.warc.gz", WarcRecordType.response)
    del html["https://www.example.org/pages/torn.html"]
    assert all("<nav>" in page and "<footer>" in page for page in html.values())
    languages = [re.search(r'<html lang="(\w+)">', page)[1] for page in html.values()]
    assert {each: languages.count(each) for each in languages} == {"en": 30, "de": 1, "fr": 1}


@pytest.mark.parametrize(("name", "count"), [("wiki_en.xml.bz2", 22), ("wiki_zh.xml.bz2", 18)])
def test_a_dump_holds_articles_a_redirect_and_a_talk_page(name: str, count: int) -> None:
    assert len(articles(name)) == count
    pages = wiki_pages(name)
    assert len(pages) == count + 2
    assert [page.findtext(f"{EXPORT}ns") for page in pages].count("1") == 1
    redirects = [page.find(f"{EXPORT}redirect") for page in pages]
    assert [each.get("title") in articles(name) for each in redirects if each is not None] == [True]


def test_english_articles_hold_a_template_a_reference_and_a_table() -> None:
    for wikitext in articles("wiki_en.xml.bz2").values():
        assert wikitext.startswith("{{Infobox")
        assert "<ref>" in wikitext
        assert '{| class="wikitable"' in wikitext


def test_one_chinese_article_holds_a_conversion_mark() -> None:
    texts = articles("wiki_zh.xml.bz2").values()
    assert sum("-{zh-hans:软件; zh-hant:軟體}-" in text for text in texts) == 1
    assert all(len(re.findall(r"[\u4e00-\u9fff]", text)) >= 200 for text in texts)


def test_only_the_last_c4_line_is_broken() -> None:
    lines = c4_lines()
    records = [json.loads(line) for line in lines[:-1]]
    assert len(records) == 38
    assert all(list(record) == ["text", "timestamp", "url"] for record in records)
    # C4 as published and copies of it spell the time in two ways.
    assert {record["timestamp"][10] for record in records} == {"T", " "}
    with pytest.raises(json.JSONDecodeError):
        json.loads(lines[-1])


def test_the_book_is_an_epub_whose_spine_leads_to_chapters() -> None:
    with zipfile.ZipFile(FILES / "book.epub") as archive:
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
        assert archive.read("mimetype") == b"application/epub+zip"
        container = ElementTree.fromstring(archive.read("META-INF/container.xml"))
        package_path = container.find(".//{*}rootfile").get("full-path")
        package = ElementTree.fromstring(archive.read(package_path))
        hrefs = {item.get("id"): item.get("href") for item in package.findall(".//{*}item")}
        spine = [hrefs[each.get("idref")] for each in package.findall(".//{*}itemref")]
        assert len(spine) == 3
        for href in spine:
            chapter = ElementTree.fromstring(archive.read(f"EPUB/{href}"))
            assert chapter.find(f"{XHTML}body/{XHTML}h2").text


def test_dialogues_alternate_between_human_and_model() -> None:
    dialogues = json.loads((FILES / "chat.json").read_text(encoding="utf-8"))
    assert len({each["id"] for each in dialogues}) == len(dialogues) == 19
    turns = {each["id"]: [turn["from"] for turn in each["conversations"]] for each in dialogues}
    assert turns.pop("chat-empty") == []
    assert all(speakers == ["human", "gpt"] * 2 for speakers in turns.values())


def test_one_page_quotes_one_evaluation_question_in_full() -> None:
    lines = (FILES / "evaluation.jsonl").read_text(encoding="utf-8").splitlines()
    questions = {item["id"]: item["question"] for item in map(json.loads, lines)}
    pages = warc_records("web.warc.wet.gz", WarcRecordType.conversion)
    quoting = [
        (uri, name) for uri, text in pages.items() for name in questions if questions[name] in text
    ]
    assert quoting == [("https://www.example.org/pages/benchmark.html", "q0")]


def test_planted_copies_are_as_similar_as_planned() -> None:
    copies = c4_texts()
    assert copies["https://copy.example.net/exact"] == copies["https://blog.example.net/63"]
    wiki = [
        re.sub(r"<ref>.*?</ref>|[{|!=].*", " ", t) for t in articles("wiki_en.xml.bz2").values()
    ]
    for place, number in enumerate((30, 31)):
        copy = shingles(copies[f"https://copy.example.net/{number}"])
        similar = [jaccard(copy, shingles(text)) for text in wiki]
        assert similar.index(max(similar)) == place
        assert 0.8 <= max(similar) < 1.0


def test_other_documents_are_distinct() -> None:
    """Well below the threshold of 0.8 for a near-duplicate, in one source and across sources."""
    wet = warc_records("web.warc.wet.gz", WarcRecordType.conversion)
    c4 = {url: text for url, text in c4_texts().items() if "copy.example.net" not in url}
    dialogues = json.loads((FILES / "chat.json").read_text(encoding="utf-8"))
    chat = {
        each["id"]: " ".join(turn["value"] for turn in each["conversations"]) for each in dialogues
    }
    notes = {path.name: path.read_text(encoding="utf-8") for path in (FILES / "notes").iterdir()}
    found = {
        name: shingles(text)
        for name, text in {
            **wet, **c4, **chat, **notes, **articles("wiki_en.xml.bz2"),
        }.items()
        if text
    }  # fmt: skip
    assert len(found) == 32 + 35 + 18 + 3 + 22
    close = {
        (left, right): round(jaccard(found[left], found[right]), 2)
        for left, right in combinations(found, 2)
        if jaccard(found[left], found[right]) >= 0.4
    }
    assert close == {}


def test_personal_data_is_reserved_for_examples_in_every_file() -> None:
    text = everything()
    assert set(re.findall(r"[\w.+-]+@[\w.-]+\w", text)) == {"tours@harbour.example.org"}
    assert set(re.findall(r"\b\d{17}[\dX]\b", text)) == {"11010519491231002X"}
    assert set(re.findall(r"\b(?:\d{4} ){3}\d{4}\b", text)) == {"4111 1111 1111 1111"}
    assert set(re.findall(r"\b[A-Z]{2}\d{2}(?: \w{4})+ \d{2}\b", text)) == {
        "GB82 WEST 1234 5698 7654 32"
    }
    assert set(re.findall(r"\+[\d -]{8,}\d", text)) == {"+1 212-555-0142"}
    assert set(re.findall(r"\b(?:\d{1,3}\.){3}\d{1,3}\b", text)) == {"8.8.8.8"}
    hosts = set(re.findall(r"https?://([\w.-]+)", text))
    assert hosts <= {"www.w3.org", "www.idpf.org", "purl.org"}


def test_the_table_in_the_docs_is_the_list_of_planted_defects() -> None:
    planted = yaml.safe_load((quickstart_folder() / "planted.yaml").read_text(encoding="utf-8"))
    expected = [
        f"| `{each['id']}` | {each['what']} | `{each['source']}` | `{each['caught_by']}` "
        f"| `{each['as']}` |"
        for each in planted
    ]
    page = (PROJECT / "docs" / "planted_defects.md").read_text(encoding="utf-8")
    assert [line for line in page.splitlines() if line.startswith("| `")] == expected
    assert len({each["id"] for each in planted}) == len(planted)


def test_planted_defects_name_sources_of_the_catalog() -> None:
    catalog = yaml.safe_load((quickstart_folder() / "catalog.yaml").read_text(encoding="utf-8"))
    planted = yaml.safe_load((quickstart_folder() / "planted.yaml").read_text(encoding="utf-8"))
    assert {each["source"] for each in planted} <= set(catalog["sources"])
    assert {each["caught_by"] for each in planted} == {"rejects", "edits", "verdicts"}
