"""What a reader yields: a document, or a reject that says why there is none."""

from dataclasses import dataclass, field
from typing import Any


class _Text:
    """A string when it is asked for; until then a view of UTF-8, where it was given as one."""

    def __get__(self, document: "Document | None", owner: type) -> str:
        if document is None:
            raise AttributeError("text")  # of the class: so `dataclass` knows that it must be given
        if not isinstance(document.as_read, str):
            document.as_read = str(document.as_read, "utf-8")
        return document.as_read

    def __set__(self, document: "Document", text: str | memoryview) -> None:
        document.as_read = text


@dataclass
class Document:
    """One document as its publisher shipped it, before repair and normalisation.

    `offset` finds the record again in its file: the byte offset in the (decompressed) stream
    where the format has one, else the ordinal of the record; each reader says which.

    A reader of Arrow columns gives a text as a view of valid UTF-8 where it lies. Who can do with
    `as_read` spares the string: to make one and to encode it again takes longer than all else that
    is done to a text that needs no repair.
    """

    as_read: str | memoryview = field(init=False, repr=False, compare=False)
    text: _Text = _Text()
    offset: int  # type: ignore[misc]  # `text` has no default, for `dataclass` as for callers
    native_id: str | None = None
    url: str | None = None
    title: str | None = None
    language: str | None = None
    license: str | None = None
    created_at: str | None = None
    meta: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Reject:
    """A record that could not become a document; `error` starts with a short, stable reason.

    The part of `error` before the first colon is the reason that statistics group by
    (`not json: Expecting value`, `truncated gzip: ...`). One that starts with `skipped` is a record
    that is whole and was not meant to be a document: a picture, a redirect.
    """

    offset: int
    error: str
    first_bytes: bytes = b""


class UnreadableFileError(ValueError):
    """A file that is not what it should be; the message starts with a short, stable reason."""
