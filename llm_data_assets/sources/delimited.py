"""Rows of cells between delimiters, as streams of named fields: what CSV and TSV share."""

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from llm_data_assets.sources.arrow_rows import check_columns
from llm_data_assets.sources.document import Document, Reject, UnreadableFileError
from llm_data_assets.sources.files import SourceFile, open_decompressed
from llm_data_assets.sources.mapping import FieldMapping, to_document
from llm_data_assets.text.decode import decode

# A cell holds a text; a quote that is never closed would make one of the rest of the file.
MAX_CELL = 16 << 20
_MAX_LINE_BYTES = 64 << 20
_HEAD = 1 << 16
_WIDE = ("utf-16", "utf-32")

Row = tuple[int, dict[str, str] | Reject]


@dataclass(frozen=True)
class Dialect:
    """How cells are told apart; no `quote` where quotation marks are text."""

    delimiter: str
    quote: str | None
    columns: list[str] | None
    encoding: str | None
    max_cell: int = MAX_CELL


def documents(
    file: SourceFile, dialect: Dialect, mapping: FieldMapping, wanted: list[str]
) -> Iterator[Document | Reject]:
    """A document or a reject for every row, by a mapping of its columns.

    Raises:
        UnreadableFileError: as `rows`.
    """
    for offset, row in rows(file, dialect, wanted):
        if isinstance(row, Reject):
            yield row
        else:
            first = dialect.delimiter.join(row.values())[:80].encode("utf-8", "replace")
            yield to_document(row, mapping, offset, first)


def rows(file: SourceFile, dialect: Dialect, wanted: list[str]) -> Iterator[Row]:
    """(byte offset, cells by column) of every row that is not blank.

    The offset is that of the row's first line in the decompressed file, or in its UTF-8 form
    where the file is UTF-16 or UTF-32. A row with another number of cells than the header is a
    reject, and so is one with a cell or a line that is too long, or that the stream ends in.

    Raises:
        UnreadableFileError: the header has none of the wanted columns, or a column twice.
    """
    with open_decompressed(file) as raw:
        stream, encoding = _as_utf8(raw, dialect.encoding)
        lines = _Lines(stream, encoding)
        csv.field_size_limit(dialect.max_cell)
        cells = _cells(lines, dialect)
        columns = dialect.columns
        while True:
            lines.start = lines.at
            try:
                values = next(cells, None)
            except csv.Error as error:
                yield lines.start, Reject(lines.start, f"not csv: {error}", lines.first)
                continue
            except _LineError as error:
                yield lines.start, Reject(lines.start, str(error), lines.first)
                cells = _cells(lines, dialect)
                continue
            except UnreadableFileError as error:
                yield lines.start, Reject(lines.start, str(error), lines.first)
                return
            if values is None:
                return
            if columns is None:
                columns = _header(values, wanted, file)
            elif values and len(values) != len(columns):
                said = f"wrong number of cells: {len(values)}, not {len(columns)}"
                yield lines.start, Reject(lines.start, said, lines.first)
            elif values:
                yield lines.start, dict(zip(columns, values, strict=True))


def _cells(lines: "_Lines", dialect: Dialect) -> Iterator[list[str]]:
    return csv.reader(
        lines,
        delimiter=dialect.delimiter,
        quotechar=dialect.quote,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
    )


def _header(values: list[str], wanted: list[str], file: SourceFile) -> list[str]:
    names = [value.strip() for value in values]
    if len(set(names)) < len(names):
        raise UnreadableFileError(
            f"wrong schema: {file.uri} has a column twice: {', '.join(names)[:200]}. "
            "Try: options: {columns: [...]}, with the first row taken as data"
        )
    check_columns(
        names, wanted, file.uri,
        "options: {text: ...}, and {columns: [...]} where the file has no header",
    )  # fmt: skip
    return names


class _LineError(ValueError):
    pass


class _Lines:
    """Decoded lines; `at` is the offset of the next one, `first` the beginning of the last row."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._stream, self._encoding = stream, encoding
        self.at = self.start = 0
        self.first = b""

    def __iter__(self) -> Iterator[str]:
        """Ends with `_LineError` after a line that is too long; another iterator goes on."""
        readline, encoding = self._stream.readline, self._encoding
        while line := readline(_MAX_LINE_BYTES):
            if self.at == self.start:
                self.first = line[:80]
            self.at += len(line)
            if len(line) >= _MAX_LINE_BYTES and not line.endswith(b"\n"):
                while line and not line.endswith(b"\n"):
                    line = readline(1 << 20)
                    self.at += len(line)
                raise _LineError(f"line too long: over {_MAX_LINE_BYTES} bytes")
            if self.at == len(line):
                line = line.removeprefix(codecs.BOM_UTF8)
            yield line.decode(encoding, "replace")


def _as_utf8(raw: BinaryIO, declared: str | None) -> tuple[BinaryIO, str]:
    """The stream and its encoding; UTF-16 and UTF-32 as UTF-8, so that lines end in a byte."""
    if isinstance(raw, io.BufferedReader):
        head = raw.peek(_HEAD)[:_HEAD]
    else:  # a remote file, which can seek
        head = raw.read(_HEAD)
        raw.seek(0)
    if len(head) == _HEAD:
        head = head[: head.rfind(b"\n") + 1]  # a character cut in two would mislead
    encoding = decode(head, declared)[1]
    if declared and not encoding.startswith(_WIDE):
        encoding = declared
    if encoding.startswith(_WIDE):
        return cast(BinaryIO, io.BufferedReader(_Utf8(raw, encoding), 1 << 20)), "utf-8"
    return raw, encoding


class _Utf8(io.RawIOBase):
    """A stream of wide characters as UTF-8."""

    def __init__(self, raw: BinaryIO, encoding: str) -> None:
        self._raw = raw
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            data = self._raw.read(_HEAD)
            self._left = self._decoder.decode(data, final=not data).encode("utf-8", "replace")
            if not data and not self._left:
                return 0
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size
