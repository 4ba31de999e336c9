"""Common Crawl WARC: HTML responses to text by resiliparse. Offset: byte of the record."""

import base64
import contextlib
import hashlib
import re
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO, Literal

from fastwarc.warc import ArchiveIterator, WarcRecord, WarcRecordType
from pydantic import BaseModel, ConfigDict, Field
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.encoding import detect_encoding
from resiliparse.parse.html import HTMLTree

from llm_data_assets.sources.careful_html import main_text
from llm_data_assets.sources.document import Document, Reject, UnreadableFileError
from llm_data_assets.sources.files import SourceFile, open_raw
from llm_data_assets.sources.http_response import decoded_body, parse_response
from llm_data_assets.text.decode import decode

MAX_RECORD_BYTES = 64 << 20
_HTML = ("text/html", "application/xhtml+xml")
_GZIP, _MEMBER = b"\x1f\x8b", b"\x1f\x8b\x08"
_WINDOW, _LEAST_MEMBER = 1 << 20, 64  # a member of a record is longer: its header alone is
_MAGIC = (b"WARC", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18")  # plain, zstd, lz4
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_DIGEST = re.compile(r"(sha1|sha256|sha512|md5):([A-Za-z0-9]+)=*", re.I)


class Options(BaseModel):
    """How pages become text."""

    model_config = ConfigDict(extra="forbid")

    extractor: Literal["resiliparse", "trafilatura"] = Field(
        "resiliparse",
        description="Fast, or careful (about 30 times slower; the extra `careful` installs it)",
    )
    main_content: bool = Field(True, description="Leave navigation, headers and footers out")
    max_record_bytes: int = Field(
        MAX_RECORD_BYTES, gt=0, description="Longer records and payloads are rejected"
    )


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield every HTML or plain-text response with a payload.

    Requests and metadata are neither documents nor rejects. Revisits (which have no body), error
    statuses and other media types are rejects whose reason starts with `skipped`. The offset is
    the one that Common Crawl's index gives: in the file as it is stored, compressed or not.
    """
    for record in records(file):
        if isinstance(record, Reject):
            yield record
        elif record.record_type == WarcRecordType.revisit:
            refers = record.headers.get("WARC-Refers-To-Target-URI") or "an earlier response"
            yield Reject(int(record.stream_pos), f"skipped revisit: its body is that of {refers}")
        elif record.record_type == WarcRecordType.response:
            try:
                data = block(record, options.max_record_bytes)
                yield from page(data, about(record), options)
            except UnreadableFileError as error:
                yield Reject(int(record.stream_pos), str(error))


def records(file: SourceFile) -> Iterator[WarcRecord | Reject]:
    """Records of every type, from plain, gzip, zstd or lz4 archives.

    Where every record is a gzip member, as Common Crawl writes them, reading starts at any of them,
    and after a damaged one goes on at the next; what was lost between is one reject.

    Raises:
        UnreadableFileError: `not a warc archive`, `damaged archive`, or, after the records that
            are whole, `truncated archive`.
    """
    with open_raw(file) as stream:
        head = stream.read(4)
        if head and not head.startswith((*_MAGIC, _GZIP)):
            raise UnreadableFileError(f"not a warc archive: {file.uri} starts with {head!r}")
        members = head.startswith(_GZIP)
        start: int | None = (_next_member(stream, file.start) if members else None) or 0
        while start is not None:
            last, length, fault = start, 0, None
            stream.seek(start)
            try:
                for record in ArchiveIterator(stream, parse_http=False):
                    last, length = int(record.stream_pos), int(record.content_length)
                    yield record
            except Exception as error:  # fastwarc raises many types, all meaning damage
                # The first words inside a compressed file tell whether it is an archive at all.
                foreign = not (last or length) and head != b"WARC" and "WARC header" in str(error)
                reason = "not a warc archive" if foreign else "damaged archive"
                fault = f"{reason}: {file.uri}: {error}"
            if fault is None and not _ends_whole(stream, head, last, length):
                fault = f"truncated archive: {file.uri} ends inside a record"
            start = _next_member(stream, last + 1) if fault and members else None
            if fault and start is None:
                raise UnreadableFileError(fault)
            if fault:
                yield Reject(last, fault)


def split(file: SourceFile, options: BaseModel, part_bytes: int) -> list[int]:
    """Starts of gzip members about `part_bytes` apart; none where records are no members."""
    starts: list[int] = []
    with open_raw(file) as stream:
        if not stream.read(2).startswith(_GZIP):
            return []
        place = part_bytes
        while (start := _next_member(stream, place)) is not None:
            starts.append(start)
            place = start + part_bytes
    return starts


def _next_member(stream: BinaryIO, place: int) -> int | None:
    """The first gzip member at `place` or after it that holds the start of a record."""
    stream.seek(place)
    window, begin = stream.read(_WINDOW), place
    while window:
        found = window.find(_MEMBER)
        while 0 <= found <= len(window) - _LEAST_MEMBER:
            with contextlib.suppress(zlib.error):
                inside = zlib.decompressobj(31).decompress(window[found : found + 512], 5)
                if inside == b"WARC/":
                    return begin + found
            found = window.find(_MEMBER, found + 1)
        kept = window[-_LEAST_MEMBER + 1 :]
        more = stream.read(_WINDOW)
        if not more:
            return None
        begin += len(window) - len(kept)
        window = kept + more
    return None


def _ends_whole(stream: BinaryIO, head: bytes, last: int, length: int) -> bool:
    """Whether an archive that ended without a word ends with a whole record.

    zstd and lz4 that are cut short are damaged already.
    """
    if head == b"WARC":
        return _record_is_whole(stream, last, length)
    return not head.startswith(_GZIP) or _members_are_whole(stream, last)


def block(record: WarcRecord, max_bytes: int) -> bytes:
    """A record's block: all that stands after its WARC header.

    Raises:
        UnreadableFileError: `record too large`, `damaged record`, `truncated record`,
            `digest mismatch`.
    """
    if not (record.headers.get("Content-Length") or "").strip():
        raise UnreadableFileError("truncated record: its header ends before Content-Length")
    expected = int(record.content_length)
    if expected > max_bytes:
        raise UnreadableFileError(f"record too large: {expected} bytes, over {max_bytes}")
    try:
        data: bytes = record.reader.read()
    except OSError as error:
        raise UnreadableFileError(f"damaged record: {error}") from error
    if len(data) != expected:
        raise UnreadableFileError(f"truncated record: {len(data)} of {expected} bytes")
    stated = record.headers.get("WARC-Block-Digest")
    if stated and not _agrees(data, stated):
        raise UnreadableFileError(f"digest mismatch: the block is not {stated}")
    return data


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


def page(data: bytes, about: dict[str, Any], options: Options) -> Iterator[Document | Reject]:
    """The document of a stored HTTP response, or why it is none; `about` are fields of it.

    Raises:
        UnreadableFileError: the response has no header, or its body cannot be decoded.
    """
    response = parse_response(data)
    kind = response.media_type
    if response.status not in (200, 203):
        yield Reject(about["offset"], f"skipped status: {response.status}")
        return
    if not (kind in _HTML or kind == "text/plain"):
        yield Reject(about["offset"], f"skipped media type: {kind or 'none'}")
        return
    body = decoded_body(response, options.max_record_bytes)
    if not body.strip():
        raise UnreadableFileError("empty payload: no bytes after the headers")
    if kind == "text/plain":
        text, encoding = decode(body, response.charset)
        yield Document(text, **about, meta={"encoding": encoding})
        return
    text, encoding = decode(body, response.charset or detect_encoding(body, html5_compatible=True))
    tree = HTMLTree.parse(text)
    root = tree.document.query_selector("html") if tree.document else None
    careful = options.extractor == "trafilatura"
    yield Document(
        main_text(text, favour_recall=not options.main_content)
        if careful
        else extract_plain_text(
            tree, main_content=options.main_content, alt_texts=False, links=False
        ),
        title=(tree.title or "").strip() or None,
        language=_language(root.getattr("lang") if root else None),
        meta={"encoding": encoding},
        **about,
    )


def _language(tag: str | None) -> str | None:
    """The primary subtag of an html lang attribute."""
    primary = (tag or "").replace("_", "-").split("-")[0].strip().lower()
    return primary if primary.isalpha() and 2 <= len(primary) <= 3 else None


def _agrees(data: bytes, stated: str) -> bool:
    """Whether a digest holds; one that is not understood holds nothing against the data.

    Crawlers write base32 (WARC 1.1, 5.8) or hexadecimal.
    """
    found = _DIGEST.fullmatch(stated.strip())
    if found is None:
        return True
    digest = hashlib.new(found.group(1).lower(), data, usedforsecurity=False).digest()
    base32 = base64.b32encode(digest).decode().rstrip("=")
    return found.group(2).upper() in (base32, digest.hex().upper())


def _record_is_whole(stream: BinaryIO, start: int, length: int) -> bool:
    """Whether the record of a plain archive at `start` has all of its `length` bytes."""
    stream.seek(start)
    header = _HEADER_END.search(stream.read(1 << 16))
    return header is not None and stream.seek(0, 2) >= start + header.end() + length


def _members_are_whole(stream: BinaryIO, start: int) -> bool:
    """Whether every gzip member from `start` on is whole.

    `start` is a record's, and no member's where one member holds the whole archive: then all of
    it is gone through.
    """
    stream.seek(start)
    if stream.read(2) != _GZIP:
        start = 0
    stream.seek(start)
    member = zlib.decompressobj(31)
    data = b""
    while data := data or stream.read(1 << 16):
        if member.eof:
            member = zlib.decompressobj(31)
        try:
            member.decompress(data, 1 << 20)
            while member.unconsumed_tail:
                member.decompress(member.unconsumed_tail, 1 << 20)
        except zlib.error:
            return False
        data = member.unused_data
    return member.eof
