"""From a record of named fields to a document: which field is what."""

import re
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from llm_data_assets.sources.document import Document, Reject

_DATE_AND_TIME = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d.*)")
# Publishers write epochs in seconds or in milliseconds: 1e11 is the year 5138 or 1973.
_MILLISECONDS = 10**11
_SCALARS = ("id", "url", "title", "language", "license", "created_at")
_LAST_SECOND = 253_402_300_799  # 9999-12-31T23:59:59Z, the last that ISO 8601 writes in four digits


class FieldMapping(BaseModel):
    """Which field of a record holds what; a dotted path reaches into nested objects."""

    model_config = ConfigDict(extra="forbid")

    text: str | list[str] = Field("text", description="Field of the text; several are joined")
    id: str | None = Field(None, description="Field of a unique identifier")
    url: str | None = Field("url", description="Field of the address")
    title: str | None = Field("title", description="Field of the title")
    language: str | None = Field(None, description="Field of the declared language")
    license: str | None = Field(None, description="Field of the licence (SPDX)")
    created_at: str | None = Field("timestamp", description="Field of the date")

    @cached_property
    def scalars(self) -> tuple[tuple[str, str], ...]:
        """(field of the document, path in the record) of those that are mapped."""
        paths = ((name, getattr(self, name)) for name in _SCALARS)
        return tuple((name, path) for name, path in paths if path)


def to_document(
    record: Any, mapping: FieldMapping, offset: int, first_bytes: bytes
) -> Document | Reject:
    """One record as a document; fields that are not mapped go to `meta`."""
    if not isinstance(record, dict):
        return Reject(offset, f"not an object: {type(record).__name__}", first_bytes)
    meta = record.copy()
    name = mapping.text
    if isinstance(name, str) and isinstance(text := record.get(name), str | memoryview):
        del meta[name]
    else:
        names = [name] if isinstance(name, str) else name
        texts = {name: text for name in names if isinstance(text := field_at(record, name), str)}
        if not texts:
            return Reject(offset, f"no text: field {' or '.join(names)} is missing", first_bytes)
        text = "\n\n".join(texts.values())
        for name in texts:
            meta.pop(name, None)
    document = Document(text, offset, meta=meta)
    for name, path in mapping.scalars:
        value = field_at(record, path)
        if value is not None and not isinstance(value, dict | list):
            meta.pop(path, None)
            said = iso_date(value) if name == "created_at" else str(value)
            setattr(document, "native_id" if name == "id" else name, said)
    return document


def field_at(record: Any, path: str) -> Any:
    """The value at a dotted path; None where there is none. A name with dots in it comes first."""
    if isinstance(record, dict) and path in record:
        return record[path]
    if "." not in path:
        return None
    for name in path.split("."):
        if not isinstance(record, dict) or name not in record:
            return None
        record = record[name]
    return record


def iso_date(value: Any) -> str | None:
    """A date as ISO 8601: from a date, an epoch in seconds or milliseconds, or text.

    Text keeps its time zone, or its lack of one; text that is no date stays as it is.
    """
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value / 1000 if abs(value) >= _MILLISECONDS else value
        if 0 <= seconds <= _LAST_SECOND:
            moment = datetime.fromtimestamp(int(seconds), UTC)
            return moment.isoformat().replace("+00:00", "Z")
    if isinstance(value, str) and (found := _DATE_AND_TIME.fullmatch(value)):
        return f"{found.group(1)}T{found.group(2)}"
    return _as_text(value)


def _as_text(value: Any) -> str | None:
    return None if value is None else str(value)
