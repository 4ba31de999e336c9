"""RedPajama-1T: JSON lines of text and meta. Offset: byte of the line's start.

`meta.timestamp` is ISO 8601 in one set and milliseconds since 1970 in another; both become ISO.
"""

from collections.abc import Iterator

from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.jsonl import mapped
from llm_data_assets.sources.jsonl import split as split
from llm_data_assets.sources.mapping import FieldMapping
from llm_data_assets.sources.options import NoOptions as Options

_FIELDS = FieldMapping(
    text="text",
    id="meta.arxiv_id",
    url="meta.url",
    title="meta.title",
    language="meta.language",
    created_at="meta.timestamp",
    license="meta.license",
)
_MAPPED = ("arxiv_id", "url", "title", "language", "timestamp", "license")


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield a document or a reject for every line."""
    for record in mapped(file, _FIELDS):
        if isinstance(record, Document):
            meta = record.meta.pop("meta", None)
            if isinstance(meta, dict):
                rest = {key: value for key, value in meta.items() if key not in _MAPPED}
                record.meta = {**rest, **record.meta}
        yield record
