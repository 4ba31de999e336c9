"""MathPile: JSON lines of text, SubSet and meta. Offset: byte of the line's start."""

from collections.abc import Iterator

from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.jsonl import mapped
from llm_data_assets.sources.jsonl import split as split
from llm_data_assets.sources.mapping import FieldMapping
from llm_data_assets.sources.options import NoOptions as Options

_FIELDS = FieldMapping(text="text", url="meta.url", title="meta.title", created_at=None)
_SPELT = {"CommomCrawl": "CommonCrawl"}  # as the publisher writes it


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield a document or a reject for every line; the subset's name is spelt right."""
    for record in mapped(file, _FIELDS):
        if isinstance(record, Document):
            subset = record.meta.pop("SubSet", None)
            record.meta["subset"] = _SPELT.get(str(subset), subset)
        yield record
