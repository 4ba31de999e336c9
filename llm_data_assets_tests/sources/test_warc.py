"""Web archives: which records are documents, and no fault of an archive is ever silent."""

import base64
import gzip
import hashlib
import importlib.util
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_data_assets.sources.files import list_files
from llm_data_assets.sources.formats import read_documents, split_offsets
from llm_data_assets_tests.sources.reading import read_bytes, reasons

STORY = "<p>The ferry crosses the bay every forty minutes, and the pilot knows every rock.</p>"
PAGE = (
    '<!DOCTYPE html><html lang="en-GB"><head><title> A page </title></head><body>'
    f"<nav><a href='/'>Home</a></nav><main><h1>Ferry</h1>{STORY}{STORY}</main></body></html>"
)


def record(
    block: bytes, kind: str = "response", number: int = 1, extra: bytes = b"", **headers: str
) -> bytes:
    fields = {
        "WARC-Type": kind,
        "WARC-Date": "2024-02-20T19:08:53Z",
        "WARC-Record-ID": f"<urn:uuid:{number:08d}-0000-0000-0000-000000000000>",
        "WARC-Target-URI": f"https://example.org/{number}",
        "Content-Type": "application/http; msgtype=response",
        "Content-Length": str(len(block)),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return b"WARC/1.0\r\n" + lines.encode() + b"\r\n" + block + b"\r\n\r\n"


def response(
    body: bytes, mime: str = "text/html; charset=utf-8", status: str = "200 OK", more: str = ""
) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: {mime}\r\n{more}\r\n".encode() + body


TEXT = "Ferry\n\n" + "\n\n".join([STORY[3:-4]] * 2)
HTML = response(PAGE.encode())
ARCHIVE = b"".join(record(HTML, number=number) for number in range(1, 6))


def test_a_page_keeps_its_text_and_where_it_came_from(tmp_path: Path) -> None:
    first = record(b"format: WARC", "warcinfo")
    (document,), rejects = read_bytes(tmp_path, first + record(HTML, number=7), "warc")
    assert rejects == []
    assert document.text == TEXT
    assert document.native_id == "00000007-0000-0000-0000-000000000000"
    assert document.url == "https://example.org/7"
    assert document.created_at == "2024-02-20T19:08:53Z"
    assert (document.title, document.language) == ("A page", "en")
    assert document.offset == len(first)


def test_navigation_stays_where_it_is_asked_for(tmp_path: Path) -> None:
    (document,), _ = read_bytes(tmp_path, record(HTML), "warc", main_content=False)
    assert "Home" in document.text


def test_the_offset_is_that_of_the_member_in_the_file(tmp_path: Path) -> None:
    members = [gzip.compress(record(HTML, number=number), mtime=0) for number in (1, 2)]
    documents, _ = read_bytes(tmp_path, b"".join(members), "warc")
    assert [document.offset for document in documents] == [0, len(members[0])]


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (record(HTML, "request"), []),
        (record(b"a: b", "metadata"), []),
        (record(b"\x89PNG", "resource", Content_Type="image/png"), []),
        (record(b"HTTP/1.1 304 Not Modified\r\n\r\n", "revisit"), ["skipped revisit"]),
        (record(response(b"\x89PNG", "image/png")), ["skipped media type"]),
        (record(response(b"%PDF", "application/pdf")), ["skipped media type"]),
        (record(response(PAGE.encode(), status="404 Not Found")), ["skipped status"]),
        (record(response(PAGE.encode(), status="301 Moved")), ["skipped status"]),
    ],
    ids=["request", "metadata", "resource", "revisit", "png", "pdf", "404", "301"],
)
def test_a_response_that_is_no_page_is_counted(
    tmp_path: Path, other: bytes, reason: list[str]
) -> None:
    documents, rejects = read_bytes(tmp_path, record(HTML) + other + record(HTML), "warc")
    assert (len(documents), reasons(rejects)) == (2, reason)


def test_plain_text_is_read_as_it_is(tmp_path: Path) -> None:
    data = record(
        response("Línea uno\n\n<b>dos</b>".encode("latin-1"), "text/plain; charset=latin1")
    )
    (document,), _ = read_bytes(tmp_path, data, "warc")
    assert document.text == "Línea uno\n\n<b>dos</b>"
    assert document.meta == {"encoding": "windows-1252"}


@pytest.mark.parametrize(
    ("encoding", "mime", "head"),
    [
        ("euc_jp", "text/html; charset=EUC-JP", ""),
        ("shift_jis", "text/html", '<meta charset="Shift_JIS">'),
        (
            "euc_jp",
            "text/html",
            '<meta http-equiv="Content-Type" content="text/html; charset=euc-jp">',
        ),
        ("utf-8", "text/html; charset=iso-8859-1", ""),
    ],
    ids=["header", "meta", "http-equiv", "wrong header"],
)
def test_the_charset_of_a_page(tmp_path: Path, encoding: str, mime: str, head: str) -> None:
    text = "港の古い家では、船長が毎朝天気と潮の高さを書き留めている。" * 3
    html = (
        f"<html><head>{head}<title>港</title></head><body><main><p>{text}</p></main></body></html>"
    )
    (document,), _ = read_bytes(tmp_path, record(response(html.encode(encoding), mime)), "warc")
    assert document.text.strip() == text
    assert document.title == "港"


def digest(block: bytes, form: str) -> str:
    made = hashlib.sha1(block).digest()
    return f"sha1:{made.hex() if form == 'hex' else base64.b32encode(made).decode()}"


@pytest.mark.parametrize("form", ["hex", "base32"])
def test_a_digest_that_holds_and_one_that_does_not(tmp_path: Path, form: str) -> None:
    good = record(HTML, WARC_Block_Digest=digest(HTML, form))
    bad = record(HTML, number=2, WARC_Block_Digest=digest(HTML + b" ", form))
    odd = record(HTML, number=3, WARC_Block_Digest="blake3:abc")
    documents, rejects = read_bytes(tmp_path, good + bad + odd, "warc")
    assert [document.native_id[:8] for document in documents if document.native_id] == [
        "00000001", "00000003",
    ]  # fmt: skip
    assert reasons(rejects) == ["digest mismatch"]
    assert rejects[0].offset == len(good)


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (b"<html>no header</html>", "no http header"),
        (response(b""), "empty payload"),
        (response(b" \r\n"), "empty payload"),
        (response(b"5\r\nhel", more="Transfer-Encoding: chunked\r\n"), "broken chunks"),
        (response(gzip.compress(PAGE.encode(), mtime=0)[:40]), "broken payload"),
        (response(b"\x0b\x02", more="Content-Encoding: br\r\n"), "unknown encoding"),
        (response(b"x" * 5_000), "record too large"),
        (response(gzip.compress(bytes(9_000), mtime=0)), "payload too large"),
    ],
)
def test_a_broken_record_costs_that_record(tmp_path: Path, block: bytes, reason: str) -> None:
    data = record(HTML) + record(block) + record(HTML)
    documents, rejects = read_bytes(tmp_path, data, "warc", max_record_bytes=4_000)
    assert len(documents) == 2
    assert reasons(rejects) == [reason]


def per_record(data: bytes) -> bytes:
    return b"".join(
        gzip.compress(b"WARC/1.0" + part, mtime=0) for part in data.split(b"WARC/1.0")[1:]
    )


LAYOUTS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip by record": per_record,
    "gzip in one": lambda data: gzip.compress(data, mtime=0),
    "zstd": zstandard.compress,
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_of_an_archive(tmp_path: Path, layout: str) -> None:
    documents, rejects = read_bytes(tmp_path, LAYOUTS[layout](ARCHIVE), "warc")
    assert (len(documents), rejects) == (5, [])


@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=30, deadline=None)
@given(share=st.floats(0.0, 1.0))
def test_a_torn_archive_always_says_so(
    tmp_path_factory: pytest.TempPathFactory, layout: str, share: float
) -> None:
    pack = LAYOUTS[layout]
    whole = pack(ARCHIVE)
    cut = min(max(6, int(len(whole) * share)), len(whole) - 5)
    documents, rejects = read_bytes(tmp_path_factory.mktemp("torn"), whole[:cut], "warc")
    assert [document.text for document in documents] == [TEXT] * len(documents)
    # An archive that ends between two records is whole, as far as anyone can tell.
    ends = {len(pack(ARCHIVE[: len(ARCHIVE) // 5 * count])) for count in range(1, 5)}
    clean = layout in ("plain", "gzip by record") and any(
        cut == end or (layout == "plain" and end - 4 <= cut <= end) for end in ends
    )
    assert bool(rejects) != clean
    assert set(reasons(rejects)) <= {
        "truncated record", "truncated archive", "damaged record", "damaged archive",
        "not a warc archive",  # cut before a single record could be told
    }  # fmt: skip


@pytest.mark.parametrize(
    "data",
    [
        b"filedesc://a.arc 0.0.0.0 20080430204825 text/plain 76\n1 0 x\n",
        b"\x7fELF" * 20,
        b"PK\x03\x04" * 9,
    ],
    ids=["arc", "elf", "zip"],
)
def test_what_is_no_warc_is_refused(tmp_path: Path, data: bytes) -> None:
    assert reasons(read_bytes(tmp_path, data, "warc")[1]) == ["not a warc archive"]
    assert reasons(read_bytes(tmp_path, data, "wet")[1]) == ["not a warc archive"]


def test_wet_gives_the_extracted_text(tmp_path: Path) -> None:
    text = "A title\nSome words, größer.\n".encode()
    data = record(b"x", "warcinfo") + record(
        text, "conversion", Content_Type="text/plain", WARC_Identified_Content_Language="eng,deu"
    )
    bad = record(text, "conversion", WARC_Block_Digest="sha1:" + "A" * 32)
    (document,), rejects = read_bytes(tmp_path, data + bad, "wet")
    assert document.text == "A title\nSome words, größer.\n"
    assert document.title == "A title"
    assert document.meta == {"declared_languages": "eng,deu"}
    assert document.url == "https://example.org/1"
    assert reasons(rejects) == ["digest mismatch"]


def test_a_damaged_member_costs_itself(tmp_path: Path) -> None:
    members = [gzip.compress(record(HTML, number=number), mtime=0) for number in range(1, 9)]
    place = len(members[0]) + len(members[1]) + len(members[2])
    data = bytearray(b"".join(members))
    data[place + 40 : place + 80] = b"\0" * 40
    documents, rejects = read_bytes(tmp_path, bytes(data), "warc")
    found = [document.url for document in documents]
    assert found == [f"https://example.org/{number}" for number in (1, 2, 3, 5, 6, 7, 8)]
    assert 1 <= len(rejects) <= 2
    assert set(reasons(rejects)) <= {"damaged record", "damaged archive", "truncated record"}


def test_an_archive_of_members_is_read_in_parts(shared_data: Path) -> None:
    (file,) = list_files(["sample-0000.warc.gz"], base=shared_data / "commoncrawl")
    whole = list(read_documents("warc", file, {}))
    starts = [0, *split_offsets("warc", file, {}, 50_000)]
    assert len(starts) == 5
    parts = [
        list(read_documents("warc", replace(file, start=start, stop=stop), {}))
        for start, stop in zip(starts, [*starts[1:], None], strict=True)
    ]
    assert [each for part in parts for each in part] == whole
    assert all(parts[:-1])
    assert split_offsets("warc", replace(file, path=str(shared_data / "README.md")), {}, 10) == []


PAGE_OF_KINDS = """<html><head><title>Tides</title></head><body><nav><a href="/">Home</a></nav>
<div><div><main><h1>Tides</h1>
<p>The water comes in twice a day, and the ferry waits for it at the quay.</p>
<ul><li>At new moon the water is at its highest: spring tide.</li>
<li>In between it stays low for days: neap tide.</li></ul>
<pre><code>def tide(hour):
    return hour % 12</code></pre>
<table><tr><th>Day</th><th>High</th></tr>
<tr><td>Monday</td><td>6 m</td></tr></table></main></div></div>
<footer>All rights reserved, cookies and terms</footer></body></html>"""


@pytest.mark.parametrize("extractor", ["resiliparse", "trafilatura"])
def test_structure_keeps_its_lines_and_boilerplate_goes(tmp_path: Path, extractor: str) -> None:
    if extractor == "trafilatura":
        pytest.importorskip("trafilatura", reason="the extra `careful` is not installed")
    data = record(response(PAGE_OF_KINDS.encode()))
    (document,), _ = read_bytes(tmp_path, data, "warc", extractor=extractor)
    lines = [line.strip() for line in document.text.splitlines()]
    assert "Tides" in lines
    assert any(line.endswith("spring tide.") for line in lines)
    assert any(line.endswith("neap tide.") for line in lines)
    assert "    return hour % 12" in document.text
    assert [line for line in lines if "Monday" in line and "6 m" in line]
    assert "cookies" not in document.text and "Home" not in document.text


def test_a_missing_extractor_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    _, rejects = read_bytes(tmp_path, record(HTML), "warc", extractor="trafilatura")
    assert "pip install 'llm_data_assets[careful]'" in rejects[0].error
