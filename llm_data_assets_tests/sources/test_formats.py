"""Every format reads its native layout; what is broken is a reject with a reason, never a crash."""

import bz2
import gzip
import json
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_data_assets.sources.files import list_files
from llm_data_assets.sources.formats import FORMATS, check_options, load_reader
from llm_data_assets.sources.wikipedia import plain_text
from llm_data_assets_tests.sources.reading import read

LINE = json.dumps({"id": "1", "text": "One text.", "url": "https://example.org", "n": 7}) + "\n"


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "compress",
    [bytes, gzip.compress, bz2.compress, zstandard.ZstdCompressor().compress],
    ids=["plain", "gzip", "bzip2", "zstd"],
)
def test_jsonl_in_any_compression_told_by_content(tmp_path: Path, compress) -> None:
    path = written(tmp_path / "data.bin", compress(LINE.encode()) * 2)  # several members in a row
    documents, rejects = read(path, "jsonl", id="id")
    assert rejects == []
    assert [(each.text, each.native_id, each.meta, each.offset) for each in documents] == [
        ("One text.", "1", {"n": 7}, 0),
        ("One text.", "1", {"n": 7}, len(LINE)),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"text": "broken', "not json"),
        (b'{"no": "text"}', "no text"),
        (b'{"text": 5}', "no text"),
        (b'["array"]', "not an object"),
        (b"[" * 100_000, "not json"),
        (b'{"text": "' + b"x" * 3_000 + b'"}', "line too long"),
    ],
)
def test_a_broken_line_costs_that_line(tmp_path: Path, line: bytes, reason: str) -> None:
    path = written(tmp_path / "a.jsonl", LINE.encode() + line + b"\n" + LINE.encode())
    limit = 2_000 if reason == "line too long" else 1 << 20
    documents, rejects = read(path, "jsonl", max_line_bytes=limit)
    assert len(documents) == 2
    assert [each.error.split(":")[0] for each in rejects] == [reason]
    assert rejects[0].offset == len(LINE)


def test_a_truncated_archive_keeps_what_was_read(tmp_path: Path) -> None:
    data = gzip.compress("".join(LINE.replace("1", str(i)) for i in range(5_000)).encode())
    documents, rejects = read(written(tmp_path / "a.gz", data[: len(data) // 2]), "jsonl")
    assert len(documents) > 10
    assert [each.error.split(":")[0] for each in rejects] == ["truncated stream"]


def test_lone_surrogates_become_replacement_characters(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", b'{"text": "a\\ud800b"}\n')
    assert read(path, "jsonl")[0][0].text == "a\ufffdb"


def test_a_git_lfs_pointer_is_refused_by_name(tmp_path: Path) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
    documents, rejects = read(written(tmp_path / "a.jsonl.gz", pointer), "jsonl")
    assert documents == []
    assert (
        rejects[0].error.startswith("git lfs pointer: a.jsonl.gz")
        and "git lfs pull" in rejects[0].error
    )


def test_c4_dates_in_both_spellings(tmp_path: Path) -> None:
    lines = [
        {"text": "a", "timestamp": "2019-04-25T12:57:54Z", "url": "u"},
        {"text": "b", "timestamp": "2019-04-25 12:57:54", "url": "u"},
    ]
    path = written(tmp_path / "c4.json", "\n".join(map(json.dumps, lines)).encode())
    assert {each.created_at for each in read(path, "c4")[0]} == {"2019-04-25T12:57:54Z"}


def test_parquet_with_a_mapping(tmp_path: Path) -> None:
    table = pa.table({"body": ["one", None], "license": ["MIT", None], "k": [1, 2]})
    pq.write_table(table, tmp_path / "a.parquet")
    documents, rejects = read(tmp_path / "a.parquet", "parquet", text="body", license="license")
    assert [(each.text, each.license, each.meta) for each in documents] == [
        ("one", "MIT", {"k": 1})
    ]
    assert [each.error.split(":")[0] for each in rejects] == ["no text"]
    assert read(written(tmp_path / "b.parquet", b"no"), "parquet")[1][0].error.startswith(
        "not parquet"
    )


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("naïve".encode(), "naïve"),
        ("\ufeffmarked".encode(), "marked"),
        ("wide".encode("utf-16"), "wide"),
    ],
)
def test_text_in_its_encoding(tmp_path: Path, data: bytes, expected: str) -> None:
    assert read(written(tmp_path / "a.txt", data), "text")[0][0].text == expected


def test_binary_is_no_text(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", b"\x7fELF\x00\x01")
    assert read(path, "text")[1][0].error.startswith("binary")
    assert read(path, "source_tree")[1][0].error.startswith("binary")


def test_source_code_keeps_its_licence_and_language(tmp_path: Path) -> None:
    path = written(tmp_path / "m.py", b"# SPDX-License-Identifier: MIT\nprint('x')\n")
    (document,), _ = read(path, "source_tree")
    assert (document.license, document.meta["programming_language"]) == ("MIT", "Python")
    assert document.native_id == "m.py"


@pytest.mark.parametrize(
    ("wikitext", "expected"),
    [
        ("'''Bold''' and ''it''.", "Bold and it."),
        ("A{{cite|x}} b<ref>note</ref> c.", "A b c."),
        ("{| class=x\n| cell\n|}\nAfter.", "After."),
        ("[[Link|label]] and [[Plain]].", "label and Plain."),
        ("[[File:x.png|thumb|cap]]Text.[[Category:X]]", "Text."),
        ("-{zh-hans:软件; zh-hant:軟體}-", "软件"),
    ],
)
def test_wikitext_becomes_plain(wikitext: str, expected: str) -> None:
    assert plain_text(wikitext) == expected


def test_a_dump_with_entities_is_refused(tmp_path: Path) -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><mediawiki><page>&a;</page></mediawiki>'
    _, rejects = read(written(tmp_path / "a.xml", bomb), "wikipedia")
    assert rejects[0].error.startswith("document type")


def test_gutenberg_headers_are_removed(tmp_path: Path) -> None:
    text = (
        "Title: A Book\r\nLanguage: English\r\n\r\n"
        "*** START OF THE PROJECT GUTENBERG EBOOK A ***\r\n"
        "\r\nThe story.\r\n\r\n*** END OF THE PROJECT GUTENBERG EBOOK A ***\r\nlicence\r\n"
    )
    (document,), _ = read(written(tmp_path / "1.txt", text.encode()), "gutenberg")
    assert (document.text, document.title, document.language) == ("The story.", "A Book", "en")


def test_an_epub_cannot_climb_out_or_explode(tmp_path: Path) -> None:
    path = tmp_path / "evil.epub"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "META-INF/container.xml", '<c><rootfile full-path="../../etc/passwd"/></c>'
        )
    _, rejects = read(path, "epub")
    assert rejects[0].error.startswith("path leaves the archive")


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_no_format_crashes_on_nonsense_or_nothing(tmp_path: Path, name: str) -> None:
    for data in (
        b"",
        b"\x00\xff" * 50,
        b"\x1f\x8bnot gzip",
        b"PK\x03\x04",
        b"{" * 99,
        b"WARC/1.0\r\n",
    ):
        documents, rejects = read(written(tmp_path / "x", data), name)
        assert all(isinstance(each.text, str) for each in documents)
        assert all(":" in each.error for each in rejects)


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=300), name=st.sampled_from(sorted(FORMATS)))
def test_no_format_crashes_on_any_bytes(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str
) -> None:
    read(written(tmp_path_factory.mktemp("fuzz") / "x", data), name)


def test_an_unknown_format_or_option_names_the_way_out() -> None:
    with pytest.raises(ValueError, match="Try: warc"):
        load_reader("warcs")
    with pytest.raises(ValueError, match=r"'txt' of format 'jsonl'.*Try: its options are text"):
        check_options("jsonl", {"txt": "body"})


@pytest.mark.parametrize(
    ("uri", "error", "words"),
    [
        ("nothing/*.gz", FileNotFoundError, "Try:"),
        ("${NOT_SET_ANYWHERE}/x", ValueError, "export NOT_SET_ANYWHERE"),
    ],
)
def test_a_uri_that_leads_nowhere(tmp_path: Path, uri: str, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        list_files([uri], base=tmp_path)


def test_files_have_the_same_names_wherever_they_lie(tmp_path: Path) -> None:
    names = []
    for place in ("one", "two"):
        folder = tmp_path / place / "data" / "deep"
        folder.mkdir(parents=True)
        (folder / "b.txt").write_text("b")
        (folder / "a.txt").write_text("a")
        (folder / ".hidden").write_text("no")
        (folder / "link").symlink_to("/etc/hostname")
        files = list_files(["data", "data/**/*.txt"], base=tmp_path / place)
        names.append([(file.uri, file.checksum) for file in files])
    assert names[0] == names[1]
    assert [name for name, _ in names[0]] == ["data/deep/a.txt", "data/deep/b.txt"]
