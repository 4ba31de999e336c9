"""Common Crawl WAT: what is said of a page beside its text. Offset: byte of the record.

A WAT has no text of its own. A document is a page's title, its description and the words of its
links, a line each; everything else of the envelope stands in `meta`.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from fastwarc.warc import WarcRecordType
from pydantic import BaseModel, ConfigDict, Field

from llm_data_assets.sources.document import Document, Reject, UnreadableFileError
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.mapping import field_at
from llm_data_assets.sources.warc import MAX_RECORD_BYTES, about, block, records
from llm_data_assets.sources.warc import split as split

_HTML = "Envelope.Payload-Metadata.HTTP-Response-Metadata.HTML-Metadata"


class Options(BaseModel):
    """WAT has one layout."""

    model_config = ConfigDict(extra="forbid")

    max_record_bytes: int = Field(MAX_RECORD_BYTES, gt=0, description="Longer records are rejected")


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield a document for the metadata of every HTML response.

    Metadata of requests, of other records and of other media types are neither documents nor
    rejects.
    """
    for record in records(file):
        if isinstance(record, Reject):
            yield record
            continue
        if record.record_type != WarcRecordType.metadata:
            continue
        try:
            data = json.loads(block(record, options.max_record_bytes))
        except UnreadableFileError as error:
            yield Reject(int(record.stream_pos), str(error))
        except (ValueError, RecursionError) as error:
            yield Reject(int(record.stream_pos), f"not json: {str(error)[:100]}")
        else:
            html = field_at(data, _HTML)
            if isinstance(html, Mapping):
                yield Document(_text(html), title=_title(html), meta=data, **about(record))


def _text(html: Mapping[str, Any]) -> str:
    metas = field_at(html, "Head.Metas")
    descriptions = [
        meta.get("content")
        for meta in (metas if isinstance(metas, list) else [])
        if isinstance(meta, Mapping) and str(meta.get("name", "")).lower() == "description"
    ]
    links = html.get("Links")
    words = [
        link.get("text") or link.get("title")
        for link in (links if isinstance(links, list) else [])
        if isinstance(link, Mapping)
    ]
    parts = (_title(html), *descriptions, *words)
    return "\n".join(each.strip() for each in parts if isinstance(each, str) and each.strip())


def _title(html: Mapping[str, Any]) -> str | None:
    title = field_at(html, "Head.Title")
    return title.strip() if isinstance(title, str) else None
