"""C4 and mC4: JSON lines with text, timestamp, url. Offset: byte of the line's start."""

from collections.abc import Iterator

from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.jsonl import mapped
from llm_data_assets.sources.jsonl import split as split
from llm_data_assets.sources.mapping import FieldMapping
from llm_data_assets.sources.options import NoOptions as Options

_FIELDS = FieldMapping(text="text", url="url", created_at="timestamp", title=None)


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield a document or a reject for every line.

    Re-serialised copies write `2019-04-25 12:57:54` for the publisher's `2019-04-25T12:57:54Z`;
    both become the latter.
    """
    for record in mapped(file, _FIELDS):
        if isinstance(record, Document) and record.created_at:
            record.created_at = f"{record.created_at.removesuffix('Z')}Z"
        yield record
