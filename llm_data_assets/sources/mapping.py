"""From a record of named fields to a document: which field is what."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from llm_data_assets.sources.document import Document, Reject


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


def to_document(
    record: Any, mapping: FieldMapping, offset: int, first_bytes: bytes
) -> Document | Reject:
    """One record as a document; fields that are not mapped go to `meta`."""
    if not isinstance(record, Mapping):
        return Reject(offset, f"not an object: {type(record).__name__}", first_bytes)
    names = [mapping.text] if isinstance(mapping.text, str) else mapping.text
    parts = [part for name in names if isinstance(part := field_at(record, name), str)]
    if not parts:
        return Reject(offset, f"no text: field {' or '.join(names)} is missing", first_bytes)
    mapped = {each for each in mapping.model_dump().values() if isinstance(each, str)} | set(names)
    return Document(
        text="\n\n".join(parts),
        offset=offset,
        native_id=_text_at(record, mapping.id),
        url=_text_at(record, mapping.url),
        title=_text_at(record, mapping.title),
        language=_text_at(record, mapping.language),
        license=_text_at(record, mapping.license),
        created_at=_text_at(record, mapping.created_at),
        meta={name: value for name, value in record.items() if name not in mapped},
    )


def field_at(record: Any, path: str) -> Any:
    """The value at a dotted path; None where there is none. A name with dots in it comes first."""
    if isinstance(record, Mapping) and path in record:
        return record[path]
    for name in path.split("."):
        if not isinstance(record, Mapping) or name not in record:
            return None
        record = record[name]
    return record


def _text_at(record: Mapping[str, Any], path: str | None) -> str | None:
    value = field_at(record, path) if path else None
    return None if value is None or isinstance(value, Mapping | list) else str(value)
