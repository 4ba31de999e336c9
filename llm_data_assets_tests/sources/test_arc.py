"""ARC and WAT: the real files, and what their headers do wrong."""

import json
from collections import Counter
from pathlib import Path

import pytest

from llm_data_assets_tests.sources.reading import read, read_bytes, reasons

DESCRIPTION = (
    b"filedesc://x.arc 0.0.0.0 20080430204825 text/plain 75\n1 0 Test\n"
    b"URL IP-address Archive-date Content-type Archive-length\n"
)
DESCRIPTION = DESCRIPTION.replace(b" 75\n", b" %d\n" % (len(DESCRIPTION.split(b"\n", 1)[1])))


def record(url: bytes, body: bytes, *, length: bytes | None = None) -> bytes:
    block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + body
    stated = length if length is not None else b"%d" % len(block)
    return b"\n%s 1.2.3.4 20140216050221 text/html %s\n%s" % (url, stated, block)


def test_heritrix_archive(shared_data: Path) -> None:
    documents, rejects = read(shared_data / "commoncrawl" / "example.arc.gz", "arc")
    assert len(documents) == 129
    assert all(each.created_at and each.created_at.startswith("2008-04-30T") for each in documents)
    assert Counter(reasons(rejects)) == {
        "skipped media type": 84, "skipped status": 47, "empty payload": 1,
    }  # fmt: skip
    about = next(each for each in documents if each.title == "Internet Archive: About IA")
    assert about.url == "http://www.archive.org/about/about.php"
    assert "Brewster Kahle profiled in GOOD magazine\n" in about.text


@pytest.mark.parametrize("name", ["example.arc", "example.arc.gz"])
def test_example_archive(shared_data: Path, name: str) -> None:
    (document,), rejects = read(shared_data / "commoncrawl" / "warcio" / name, "arc")
    assert (document.title, document.url) == ("Example Domain", "http://example.com/")
    assert document.created_at == "2014-02-16T05:02:21Z"
    assert document.offset == 151
    assert rejects == []


def test_a_url_with_spaces(shared_data: Path) -> None:
    # The file states 1,591 bytes and ends after 1,579.
    documents, rejects = read(
        shared_data / "commoncrawl" / "warcio" / "example-space-in-url.arc", "arc"
    )
    assert documents == []
    assert [each.error for each in rejects] == ["truncated record: 1579 of 1591 bytes"]
    assert rejects[0].first_bytes.endswith(b"EmailTitle=Examples From The Live ")


def test_headers_without_a_length_cost_their_own_record(shared_data: Path) -> None:
    documents, rejects = read(shared_data / "commoncrawl" / "warcio" / "bad.arc", "arc")
    assert documents == []
    assert reasons(rejects) == [
        "bad header line", "bad header line", "no http header", "bad header line",
    ]  # fmt: skip


def test_neighbours_of_a_bad_record_are_read(tmp_path: Path) -> None:
    data = DESCRIPTION + b"".join(
        [
            record(b"http://a.org/", b"<p>First page of all.</p>"),
            record(b"http://b.org/", b"<p>Lost.</p>", length=b"abc"),
            record(b"http://c.org/", b"<p>Third page, found again.</p>"),
        ]
    )
    documents, rejects = read_bytes(tmp_path, data, "arc")
    assert [each.url for each in documents] == ["http://a.org/", "http://c.org/"]
    assert reasons(rejects) == ["bad header line"]
    assert data[documents[1].offset :].startswith(b"http://c.org/")


def test_a_clipped_archive_keeps_what_is_whole(tmp_path: Path) -> None:
    data = DESCRIPTION + record(b"http://a.org/", b"<p>First.</p>") + record(b"http://b.org/", b"x")
    documents, rejects = read_bytes(tmp_path, data[:-10], "arc")
    assert [each.url for each in documents] == ["http://a.org/"]
    assert reasons(rejects) == ["truncated record"]


def test_a_record_that_is_too_large_is_passed_over(tmp_path: Path) -> None:
    data = DESCRIPTION + record(b"http://a.org/", b"x" * 5_000) + record(b"http://b.org/", b"<p>B")
    documents, rejects = read_bytes(tmp_path, data, "arc", max_record_bytes=1_000)
    assert [each.url for each in documents] == ["http://b.org/"]
    assert reasons(rejects) == ["record too large"]


def test_what_is_no_archive_says_so(tmp_path: Path) -> None:
    _, rejects = read_bytes(tmp_path, b"<html>no</html>", "arc")
    assert reasons(rejects) == ["not an arc archive"]


ENVELOPE = {
    "Envelope": {
        "WARC-Header-Metadata": {"WARC-Type": "response"},
        "Payload-Metadata": {
            "HTTP-Response-Metadata": {
                "HTML-Metadata": {
                    "Head": {
                        "Title": " Harbour news ",
                        "Metas": [
                            {"name": "Description", "content": "What happens at the quay."},
                            {"name": "robots", "content": "all"},
                        ],
                    },
                    "Links": [
                        {"path": "A@/href", "url": "/tides", "text": "Tides"},
                        {"path": "IMG@/src", "url": "/a.png"},
                    ],
                }
            }
        },
    }
}


def test_wat_of_a_page(tmp_path: Path) -> None:
    block = json.dumps(ENVELOPE).encode()
    records = b"".join(
        b"WARC/1.0\r\nWARC-Type: metadata\r\nWARC-Record-ID: <urn:uuid:%d>\r\n"
        b"WARC-Target-URI: https://example.org/\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n"
        % (number, len(data), data)
        for number, data in enumerate((block, b"{no json", b'{"Envelope": {}}'))
    )
    (document,), rejects = read_bytes(tmp_path, records, "wat")
    assert document.text == "Harbour news\nWhat happens at the quay.\nTides"
    assert (document.title, document.url) == ("Harbour news", "https://example.org/")
    assert document.meta == ENVELOPE
    assert reasons(rejects) == ["not json"]


@pytest.mark.parametrize("name", ["whirlwind.warc.wat", "whirlwind.warc.wat.gz"])
def test_a_wat_of_requests_alone_has_no_pages(shared_data: Path, name: str) -> None:
    assert read(shared_data / "commoncrawl" / name, "wat") == ([], [])
