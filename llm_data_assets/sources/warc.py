"""Common Crawl WARC: HTML responses to text by resiliparse. Offset: byte of the record."""

import gzip
import zlib
from collections.abc import Iterator
from typing import Any

from fastwarc.warc import ArchiveIterator, WarcRecord, WarcRecordType
from pydantic import BaseModel, ConfigDict, Field
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.encoding import detect_encoding
from resiliparse.parse.html import HTMLTree

from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile, UnreadableFileError, open_raw
from llm_data_assets.text.decode import decode

_HTML = ("text/html", "application/xhtml+xml")


class Options(BaseModel):
    """How pages become text."""

    model_config = ConfigDict(extra="forbid")

    main_content: bool = Field(True, description="Leave navigation, headers and footers out")
    max_record_bytes: int = Field(64 << 20, gt=0, description="Longer payloads are rejected")


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield every HTML or plain-text response with a payload.

    Requests, metadata, revisits (which have no body), error statuses and other media types are
    neither documents nor rejects.
    """
    for record in records(file, WarcRecordType.response):
        yield from _page(record, options)


def records(file: SourceFile, kind: WarcRecordType) -> Iterator[WarcRecord]:
    """Records of one type, from plain, gzip, zstd or lz4 archives.

    Raises:
        UnreadableFileError: the archive ends inside a record or is none.
    """
    with open_raw(file) as stream:
        head = stream.read(4)
        stream.seek(0)
        seen = False
        try:
            for record in ArchiveIterator(stream, record_types=kind, parse_http=True):
                seen = True
                yield record
        except Exception as error:  # fastwarc raises many types, all meaning a damaged archive
            raise UnreadableFileError(
                f"truncated archive: {file.uri}: {type(error).__name__}: {error}"
            ) from error
        if not seen and not _looks_like_warc(head):
            raise UnreadableFileError(f"not a WARC archive: {file.uri} starts with {head!r}")


def about(record: WarcRecord) -> dict[str, Any]:
    """What every WARC record says of itself, as fields of a document."""
    return {
        "offset": int(record.stream_pos),
        "native_id": (record.record_id or "")
        .removeprefix("<")
        .removesuffix(">")
        .removeprefix("urn:uuid:")
        or None,
        "url": (record.headers.get("WARC-Target-URI") or "").strip("<>") or None,
        "created_at": record.headers.get("WARC-Date"),
    }


def _page(record: WarcRecord, options: Options) -> Iterator[Document | Reject]:
    headers = record.http_headers
    if headers is None:
        yield Reject(int(record.stream_pos), "no http header: the response has none")
        return
    kind = (record.http_content_type or "").lower()
    if headers.status_code not in (200, 203) or not (kind in _HTML or kind == "text/plain"):
        return
    if record.content_length > options.max_record_bytes:
        yield Reject(int(record.stream_pos), f"payload too large: {record.content_length} bytes")
        return
    try:
        data = record.reader.read()
    except Exception as error:  # broken chunking or compression inside the payload
        yield Reject(int(record.stream_pos), f"broken payload: {type(error).__name__}: {error}")
        return
    if data.startswith(b"\x1f\x8b"):  # Content-Encoding that the crawler left in place
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            yield Reject(int(record.stream_pos), f"broken payload: {error}", data[:80])
            return
    if not data.strip():
        yield Reject(int(record.stream_pos), "empty payload: no bytes after the headers")
        return
    declared = record.http_charset
    if kind == "text/plain":
        text, encoding = decode(data, declared)
        yield Document(text, **about(record), meta={"encoding": encoding})
        return
    text, encoding = decode(data, declared or detect_encoding(data, html5_compatible=True))
    tree = HTMLTree.parse(text)
    root = tree.document.query_selector("html") if tree.document else None
    yield Document(
        extract_plain_text(tree, main_content=options.main_content, alt_texts=False, links=False),
        title=(tree.title or "").strip() or None,
        language=_language(root.getattr("lang") if root else None),
        meta={"encoding": encoding},
        **about(record),
    )


def _language(tag: str | None) -> str | None:
    """The primary subtag of an html lang attribute."""
    primary = (tag or "").replace("_", "-").split("-")[0].strip().lower()
    return primary if primary.isalpha() and 2 <= len(primary) <= 3 else None


def _looks_like_warc(head: bytes) -> bool:
    return (
        head[:2] == b"\x1f\x8b"
        or head in (b"WARC", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18")
        or not head
    )
