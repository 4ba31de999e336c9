"""Bodies come out as the server meant them, whatever the crawler left of their codings."""

import gzip
import zlib

import pytest
import zstandard
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from llm_data_assets.sources.document import UnreadableFileError
from llm_data_assets.sources.http_response import Response, decoded_body, parse_response

PAGE = b"<p>A page that compresses, a page that compresses.</p>" * 4
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


def chunked(data: bytes, size: int) -> bytes:
    parts = [data[start : start + size] for start in range(0, len(data), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def body_of(headers: dict[str, str], body: bytes, limit: int = 1 << 20) -> bytes:
    return decoded_body(Response(200, headers, body), limit)


@pytest.mark.parametrize("newline", [b"\r\n", b"\n"], ids=["crlf", "bare lf"])
def test_headers_are_read_by_name_and_repeated_ones_once(newline: bytes) -> None:
    lines = (
        b"HTTP/1.1 404 Not Found",
        b'CONTENT-type: Text/HTML; Charset="EUC-JP"',
        b"X-Long: one",
        b"  two",
        b"content-type: text/plain",
        b"no colon",
    )
    response = parse_response(newline.join(lines) + newline * 2 + b"body\n\nmore")
    assert response.status == 404
    assert response.media_type == "text/html"
    assert response.charset == "EUC-JP"
    assert response.headers["x-long"].split() == ["one", "two"]
    assert response.body == b"body\n\nmore"


@pytest.mark.parametrize("block", [b"", b"<html></html>", b"HTTP/1.1 200 OK\r\nA: b\r\n"])
def test_a_block_without_headers_is_no_response(block: bytes) -> None:
    with pytest.raises(UnreadableFileError, match=r"^no http header: "):
        parse_response(block)


@settings(max_examples=40, deadline=None)
@given(data=st.binary(max_size=200), size=st.integers(1, 40))
def test_chunks_are_joined(data: bytes, size: int) -> None:
    assume(not data.startswith(b"\x1f\x8b"))  # it would be decompressed
    assert body_of({"transfer-encoding": "chunked"}, chunked(data, size)) == data


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"5\r\nhello\r\n6 ; note=x\r\n world\r\n0\r\nTrailer: x\r\n\r\n", b"hello world"),
        (b"001c\r\n" + b"x" * 28 + b"\r\n0\r\n\r\n", b"x" * 28),
        (b"<p>The crawler undid the chunks.</p>", b"<p>The crawler undid the chunks.</p>"),
    ],
)
def test_chunks_as_servers_and_crawlers_write_them(body: bytes, expected: bytes) -> None:
    assert body_of({"transfer-encoding": "Chunked"}, body) == expected


@pytest.mark.parametrize(
    "body", [b"5\r\nhel", b"5\r\nhello\r\n", b"5\r\nhelloXX0\r\n", b"5\r\nhello\r\nzz\r\nhello\r\n"]
)
def test_broken_chunks_are_no_text(body: bytes) -> None:
    with pytest.raises(UnreadableFileError, match=r"^broken chunks: no chunk at byte"):
        body_of({"transfer-encoding": "chunked"}, body)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(PAGE, mtime=0)),
        ("x-gzip", gzip.compress(PAGE, mtime=0)),
        ("deflate", zlib.compress(PAGE)),
        ("zstd", zstandard.compress(PAGE)),
        ("deflate, gzip", gzip.compress(zlib.compress(PAGE), mtime=0)),
        ("", gzip.compress(PAGE, mtime=0)),
        ("gzip", PAGE),
        ("deflate", PAGE),
        ("zstd", PAGE),
        ("br", PAGE),
        ("utf-8", PAGE),
    ],
)
def test_encodings_are_undone_where_the_crawler_has_not(encoding: str, body: bytes) -> None:
    assert body_of({"content-encoding": encoding}, body) == PAGE


def test_a_chunked_and_compressed_body() -> None:
    response = parse_response(
        HEAD
        + b"Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n"
        + chunked(gzip.compress(PAGE, mtime=0), 16)
    )
    assert decoded_body(response, 1 << 20) == PAGE


@pytest.mark.parametrize(
    ("encoding", "body", "message"),
    [
        (
            "gzip",
            gzip.compress(PAGE, mtime=0)[:30],
            "^broken payload: its compressed stream is cut short",
        ),
        ("gzip", gzip.compress(PAGE, mtime=0)[:10] + b"\xff" * 30, "^broken payload: Error -3"),
        ("zstd", zstandard.compress(PAGE)[:4] + b"\xff" * 30, "^broken payload: "),
        ("zstd", zstandard.compress(PAGE)[:-9], "^broken payload: "),
        ("br", b"\x0b\x02\x80", "^unknown encoding: br payloads are not read"),
        ("gzip", gzip.compress(bytes(1 << 21), mtime=0), "^payload too large: over 1048576 bytes"),
        ("deflate", zlib.compress(bytes(1 << 21)), "^payload too large: "),
        ("zstd", zstandard.compress(bytes(1 << 21)), "^payload too large: "),
    ],
)
def test_a_body_that_cannot_be_undone_says_why(encoding: str, body: bytes, message: str) -> None:
    with pytest.raises(UnreadableFileError, match=message):
        body_of({"content-encoding": encoding}, body)
