"""JSON lines, plain or compressed: one document a line. Offset: byte of the line's start."""

import json
from collections.abc import Iterator
from typing import BinaryIO

from pydantic import Field

from llm_data_assets.sources.document import Document, Reject, UnreadableFileError
from llm_data_assets.sources.files import SourceFile, open_decompressed
from llm_data_assets.sources.mapping import FieldMapping, to_document

MAX_LINE_BYTES = 256 << 20


class Options(FieldMapping):
    """Mapping of fields, and a bound on a line."""

    max_line_bytes: int = Field(
        MAX_LINE_BYTES, gt=0, description="Longer lines are rejected, and never held whole"
    )


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield a document or a reject for every line that is not blank."""
    with open_decompressed(file) as stream:
        for offset, line in lines(stream, options.max_line_bytes):
            yield line if isinstance(line, Reject) else parse(line, offset, options)


def parse(line: bytes, offset: int, mapping: FieldMapping) -> Document | Reject:
    """One line as a document."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Reject(offset, f"not json: {str(error)[:100]}", line[:80])
    return to_document(record, mapping, offset, line[:80])


def lines(stream: BinaryIO, max_bytes: int) -> Iterator[tuple[int, bytes | Reject]]:
    """Lines that are not blank, each with its byte offset.

    A line of more than `max_bytes`, its line break included, is a reject; so is a stream that is
    cut short or damaged, at the first line that could not be read whole.
    """
    offset = 0
    while True:
        start = offset
        try:
            line = stream.readline(max_bytes + 1)
            offset += len(line)
            first, too_long = line[:80], len(line) > max_bytes
            while too_long and line and not line.endswith(b"\n"):
                line = stream.readline(1 << 20)
                offset += len(line)
        except UnreadableFileError as error:
            yield start, Reject(start, str(error))
            return
        if too_long:
            yield start, Reject(start, f"line too long: over {max_bytes} bytes", first)
        elif not line:
            return
        elif line.strip():
            yield start, line
