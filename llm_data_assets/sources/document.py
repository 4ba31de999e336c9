"""What a reader yields: a document, or a reject that says why there is none."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Document:
    """One document as its publisher shipped it, before repair and normalisation.

    `offset` finds the record again in its file: the byte offset in the (decompressed) stream
    where the format has one, else the ordinal of the record; each reader says which.
    """

    text: str
    offset: int
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
