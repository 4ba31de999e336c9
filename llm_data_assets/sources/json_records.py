"""Records of a JSON file, be it one array or a line a record."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from llm_data_assets.sources import jsonl
from llm_data_assets.sources.files import SourceFile, open_decompressed
from llm_data_assets.sources.json_array import elements

_SPACE = b" \t\r\n\xef\xbb\xbf"


def is_array(file: SourceFile) -> bool:
    """Whether a JSON file is one array rather than a line a record."""
    with open_decompressed(file) as stream:
        return stream.read(64).lstrip(_SPACE).startswith(b"[")


def json_records(file: SourceFile) -> Iterator[tuple[int, Any]]:
    """(offset, value) of every record; a reject as the value where a line is not JSON.

    The offset is the element's index in an array, else the byte of the line's start.

    Raises:
        UnreadableFileError: an array that is not JSON from an element on.
    """
    if is_array(file):
        with open_decompressed(file) as stream:
            yield from enumerate(elements(stream, file.uri))
    else:
        for offset, value, _ in jsonl.objects(file):
            yield offset, value


def split(file: SourceFile, options: BaseModel, part_bytes: int) -> list[int]:
    """Lines can be entered in the middle, an array cannot."""
    return [] if is_array(file) else jsonl.split(file, options, part_bytes)
