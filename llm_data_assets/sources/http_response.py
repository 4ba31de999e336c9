"""An HTTP response as a crawler stored it: headers, and the body without its transfer coding."""

import io
import re
import zlib
from dataclasses import dataclass

from llm_data_assets.sources.compression import decompressed
from llm_data_assets.sources.document import UnreadableFileError

_STATUS = re.compile(rb"HTTP/\d(?:\.\d)?[ \t]+(\d{3})")
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_LINE = re.compile(rb"\r?\n(?![ \t])")  # a line that starts with white space goes on the last one
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.I)
_GZIP, _ZLIB = b"\x1f\x8b", re.compile(rb"\x78[\x01\x5e\x9c\xda]")


@dataclass(frozen=True)
class Response:
    """One response: `headers` by lower-case name, the first of those that are repeated."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def charset(self) -> str | None:
        found = _CHARSET.search(self.headers.get("content-type", ""))
        return found.group(1) if found else None


def parse_response(block: bytes) -> Response:
    """Headers and stored body of a WARC response record's block.

    Raises:
        UnreadableFileError: `no http header`.
    """
    status = _STATUS.match(block)
    end = _BLANK_LINE.search(block)
    if status is None or end is None:
        raise UnreadableFileError("no http header: the response has none")
    headers: dict[str, str] = {}
    for line in _LINE.split(block[: end.start()])[1:]:
        name, colon, value = line.decode("latin-1").partition(":")
        if colon:
            headers.setdefault(name.strip().lower(), value.strip())
    return Response(int(status.group(1)), headers, block[end.end() :])


def decoded_body(response: Response, max_bytes: int) -> bytes:
    """The body without chunks and compression.

    Many crawlers undo a coding and leave its header, so a body that does not look chunked or
    compressed is taken as it is.

    Raises:
        UnreadableFileError: `broken chunks`, `broken payload`, `payload too large`,
            `unknown encoding`.
    """
    body = response.body
    if "chunked" in response.headers.get("transfer-encoding", "").lower():
        body = _without_chunks(body)
    encodings = response.headers.get("content-encoding", "").lower().split(",")
    for encoding in reversed([each.strip() for each in encodings]):
        body = _decompressed(body, encoding, max_bytes)
    if body.startswith(_GZIP):  # said by no header
        body = _inflated(body, 31, max_bytes)
    return body


def _without_chunks(body: bytes) -> bytes:
    if not _CHUNK_SIZE.match(body):
        return body
    parts: list[bytes] = []
    at = 0
    while size := _CHUNK_SIZE.match(body, at):
        length = int(size.group(1), 16)
        if length == 0:
            return b"".join(parts)
        end = size.end() + length
        parts.append(body[size.end() : end])
        at = end + (2 if body[end : end + 2] == b"\r\n" else 1)
        if body[end : end + 1] not in (b"\r", b"\n"):
            break
    raise UnreadableFileError(f"broken chunks: no chunk at byte {at} of {len(body)}")


def _decompressed(body: bytes, encoding: str, max_bytes: int) -> bytes:
    if encoding in ("gzip", "x-gzip"):
        return _inflated(body, 31, max_bytes) if body.startswith(_GZIP) else body
    if encoding == "deflate":  # servers send it with and without the zlib header
        return _inflated(body, 15, max_bytes) if _ZLIB.match(body) else body
    if encoding == "zstd":
        return _unzstd(body, max_bytes) if body.startswith(b"\x28\xb5\x2f\xfd") else body
    if encoding in ("br", "compress"):
        return _readable_or_fail(body, encoding)
    return body  # identity, or a name that means nothing


def _inflated(body: bytes, window: int, max_bytes: int) -> bytes:
    inflater = zlib.decompressobj(window)
    try:
        data = inflater.decompress(body, max_bytes)
    except zlib.error as error:
        raise UnreadableFileError(f"broken payload: {error}") from error
    if inflater.unconsumed_tail:
        raise UnreadableFileError(f"payload too large: over {max_bytes} bytes once decompressed")
    if not inflater.eof:
        raise UnreadableFileError("broken payload: its compressed stream is cut short")
    return data


def _unzstd(body: bytes, max_bytes: int) -> bytes:
    try:
        data = decompressed(io.BytesIO(body), "zstd").read(max_bytes + 1)
    except UnreadableFileError as error:
        raise UnreadableFileError(f"broken payload: {error}") from error
    if len(data) > max_bytes:
        raise UnreadableFileError(f"payload too large: over {max_bytes} bytes once decompressed")
    return data


def _readable_or_fail(body: bytes, encoding: str) -> bytes:
    """Bodies in an encoding that is not read here, if the crawler has undone it already."""
    if body.lstrip()[:1] == b"<":
        return body
    raise UnreadableFileError(f"unknown encoding: {encoding} payloads are not read")
