"""OSCAR 22.01 and 23.01: JSON lines of content, warc_headers, metadata. Offset: byte of the line.

22.01 names its quality marks `annotation`; 23.01 `quality_warnings`, beside `harmful_pp`, `tlsh`
and `categories`. Both stand in `meta` as `quality_warnings`.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.jsonl import objects
from llm_data_assets.sources.jsonl import split as split
from llm_data_assets.sources.mapping import iso_date


class Options(BaseModel):
    """What is left out by its publisher's own marks."""

    model_config = ConfigDict(extra="forbid")

    drop_warnings: list[str] = Field(
        default_factory=list,
        description="Documents with one of these marks are rejects: tiny, short_sentences, header, "
        "footer, noisy, adult ...",
    )


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield a document or a reject for every line."""
    for offset, record, first_bytes in objects(file):
        if isinstance(record, Reject):
            yield record
        else:
            yield _document(record, offset, first_bytes, options)


def _document(record: Any, offset: int, first_bytes: bytes, options: Options) -> Document | Reject:
    if not isinstance(record, dict) or not isinstance(record.get("content"), str):
        return Reject(offset, "no text: field content is missing", first_bytes)
    headers, about = _object(record, "warc_headers"), _object(record, "metadata")
    marks = about.get("quality_warnings", about.get("annotation")) or []
    for mark in options.drop_warnings:
        if mark in marks:
            return Reject(offset, f"quality warning: {mark}", first_bytes)
    identified = _object(about, "identification")
    rest = {
        key: value
        for key, value in about.items()
        if key not in ("annotation", "quality_warnings", "identification")
    }
    return Document(
        record["content"],
        offset,
        native_id=_id(headers.get("warc-record-id")),
        url=headers.get("warc-target-uri"),
        language=identified.get("label"),
        created_at=iso_date(headers.get("warc-date")),
        meta={
            **{key: value for key, value in record.items() if key not in _READ},
            **rest,
            "quality_warnings": marks,
            "language_probability": identified.get("prob"),
            "warc_headers": headers,
        },
    )


_READ = ("content", "warc_headers", "metadata")


def _object(record: dict[str, Any], name: str) -> dict[str, Any]:
    value = record.get(name)
    return value if isinstance(value, dict) else {}


def _id(value: Any) -> str | None:
    return str(value).strip("<>").removeprefix("urn:uuid:") if value else None
