"""ARC, the web archive before WARC (versions 1 and 2): pages to text as in `warc`.

Offset: byte of the record's header line in the decompressed file.
"""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from llm_data_assets.sources.document import Document, Reject, UnreadableFileError
from llm_data_assets.sources.files import SourceFile, open_decompressed
from llm_data_assets.sources.warc import Options as Options
from llm_data_assets.sources.warc import page

# URL, which may have spaces, IP address, date, media type, for version 2 five fields more, length.
_HEADER = re.compile(rb"(\S.*?) ([\d.a-fA-F:]+) (\d{8,}) (\S+)(?: .*)?? (-?\w+)\s*")
_LINE = 64 << 10


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield every HTML or plain-text response with a payload.

    The archive's own description and DNS records are neither documents nor rejects; error
    statuses and other media types are rejects as in `warc`. A header without a usable length costs
    its record: reading goes on at the next line that is a header.

    Raises:
        UnreadableFileError: `not an arc archive`.
    """
    with open_decompressed(file) as stream:
        offset, lost = 0, False
        while line := stream.readline(_LINE):
            start, offset = offset, offset + len(line)
            if not start and not line.startswith(b"filedesc:"):
                raise UnreadableFileError(f"not an arc archive: {file.uri} starts {line[:20]!r}")
            header = _HEADER.fullmatch(line)
            length = _length(header)
            if length is None:
                if line.strip() and (header or not lost):
                    yield Reject(start, "bad header line: no usable length", line[:80])
                    lost = True
                continue
            assert header is not None
            lost = False
            data = stream.read(min(length, options.max_record_bytes))
            offset += length if len(data) < length else len(data)
            yield from _record(data, header, start, length, options)
            if length > len(data) and not _skip(stream, length - len(data)):
                return


def _record(
    data: bytes, header: re.Match[bytes], start: int, length: int, options: Options
) -> Iterator[Document | Reject]:
    url = header.group(1).decode("utf-8", "replace")
    if url.partition(":")[0] in ("filedesc", "dns"):
        return
    try:
        if length > options.max_record_bytes:
            raise UnreadableFileError(
                f"record too large: {length} bytes, over {options.max_record_bytes}"
            )
        if len(data) < length:
            raise UnreadableFileError(f"truncated record: {len(data)} of {length} bytes")
        about: dict[str, Any] = {"offset": start, "url": url, "created_at": _date(header.group(3))}
        yield from page(data, about, options)
    except UnreadableFileError as error:
        yield Reject(start, str(error), header.group(0)[:80])


def _length(header: re.Match[bytes] | None) -> int | None:
    stated = header.group(5) if header else b""
    return int(stated) if stated.isdigit() else None


def _date(digits: bytes) -> str | None:
    """`20080430204825` as ISO 8601; longer ones carry fractions, shorter ones only the day."""
    text = digits.decode()
    day = f"{text[:4]}-{text[4:6]}-{text[6:8]}"
    return f"{day}T{text[8:10]}:{text[10:12]}:{text[12:14]}Z" if len(text) >= 14 else day


def _skip(stream: BinaryIO, n_bytes: int) -> bool:
    """Pass over bytes; False where the file ends in them."""
    while n_bytes and (data := stream.read(min(n_bytes, 1 << 20))):
        n_bytes -= len(data)
    return not n_bytes
