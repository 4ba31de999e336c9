"""A JSON array read element by element, so that a long one is never held whole."""

import codecs
import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from llm_data_assets.sources.document import UnreadableFileError

_BLOCK = 1 << 20
_MAX_ELEMENT = 256 << 20  # characters
_SPACE = " \t\n\r"
_AFTER_ELEMENT = f"{_SPACE},]"


def elements(stream: BinaryIO, uri: str) -> Iterator[Any]:
    """The elements of the array in `stream` (UTF-8, with or without a byte-order mark).

    Bytes that are not UTF-8 become U+FFFD: the rest of the array can still be read.

    Raises:
        UnreadableFileError: `not an array`, or `not json` from an element on; those before it
            have been yielded.
    """
    text = _Buffer(stream)
    if text.skip_space() != "[":
        raise UnreadableFileError(f"not an array: {uri} starts with {text.head()!r}")
    text.drop(1)
    if text.skip_space() == "]":
        return
    count = 0
    while True:
        text.skip_space()
        try:
            yield text.element()
        except (ValueError, RecursionError) as error:
            raise UnreadableFileError(f"not json: {uri}: element {count}: {error}") from error
        count += 1
        mark = text.skip_space()
        if mark not in (",", "]"):
            found = repr(mark) if mark else "the end of the file"
            raise UnreadableFileError(f"not json: {uri}: {found} after element {count - 1}")
        text.drop(1)
        if mark == "]":
            return


class _Buffer:
    """The text that has been read and not yet consumed."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._text, self._at, self._ended = stream, "", 0, False
        self._utf8 = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._json = json.JSONDecoder()

    def skip_space(self) -> str:
        """The next character that is not white space, still unread; empty at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._text) or not self._grow(_BLOCK):
                return self._text[self._at : self._at + 1]

    def head(self) -> str:
        return self._text[self._at : self._at + 20]

    def drop(self, count: int) -> None:
        self._at += count

    def element(self) -> Any:
        """The element that starts here. What has no end yet is tried again with twice the text."""
        while True:
            fault = None
            try:
                value, end = self._json.raw_decode(self._text, self._at)
            except ValueError as error:
                fault = error
            else:
                # Without a mark after it, a number may go on in the next block.
                if end < len(self._text) and self._text[end] in _AFTER_ELEMENT:
                    self._at = end
                    return value
            held = len(self._text) - self._at
            if held > _MAX_ELEMENT or not self._grow(max(_BLOCK, held)):
                if fault:
                    raise fault
                self._at = end
                return value

    def _grow(self, size: int) -> bool:
        """Read about `size` bytes more; False at the end."""
        if self._ended:
            return False
        data = self._stream.read(size)
        self._ended = not data
        self._text = self._text[self._at :] + self._utf8.decode(data, final=self._ended)
        self._at = 0
        return bool(data)
