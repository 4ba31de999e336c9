"""JSON lines, plain or compressed: one document a line. Offset: byte of the line's start."""

import json
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import zstandard
from pydantic import Field

from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile, open_decompressed
from llm_data_assets.sources.mapping import FieldMapping, to_document

_TRUNCATED = (EOFError, zlib.error, zstandard.ZstdError, OSError)


class Options(FieldMapping):
    """Mapping of fields, and a bound on a line."""

    max_line_bytes: int = Field(256 << 20, gt=0, description="Longer lines are rejected unread")


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield a document or a reject for every line that is not blank."""
    with open_decompressed(file) as stream:
        for offset, line in lines(stream, options.max_line_bytes):
            if isinstance(line, Reject):
                yield line
            elif line.strip():
                yield parse(line, offset, options)


def parse(line: bytes, offset: int, mapping: FieldMapping) -> Document | Reject:
    """One line as a document."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Reject(offset, f"not json: {str(error)[:100]}", line[:80])
    return to_document(record, mapping, offset, line[:80])


def lines(stream: BinaryIO, max_bytes: int) -> Iterator[tuple[int, bytes | Reject]]:
    """Lines with their byte offsets; one that is too long, or a torn end, is a reject."""
    offset = 0
    while True:
        try:
            line = stream.readline(max_bytes + 1)
        except _TRUNCATED as error:
            yield offset, Reject(offset, f"truncated stream: {error}")
            return
        if not line:
            return
        start, offset = offset, offset + len(line)
        if len(line) <= max_bytes:
            yield start, line
            continue
        first = line[:80]
        while line and not line.endswith(b"\n"):
            line = stream.readline(1 << 20)
            offset += len(line)
        yield start, Reject(start, f"line too long: over {max_bytes} bytes", first)
