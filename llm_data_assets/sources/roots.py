"""ROOTS: Parquet of text and of `meta`, a Python dict's repr in a string. Offset: the row."""

import ast
from collections.abc import Iterator
from typing import Any

from llm_data_assets.sources import parquet
from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.options import NoOptions as Options
from llm_data_assets.sources.parquet import split as split

_FIELDS = parquet.Options(text="text", url=None, title=None, created_at=None)
# A repr is parsed, never run; parsing takes memory of its size times a few hundred.
_MAX_META = 64 << 10


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield a document or a reject for every row; a `meta` that is no dict's repr stays text."""
    for record in parquet.read(file, _FIELDS):
        if isinstance(record, Document):
            meta = _dict(record.meta.get("meta"))
            if meta is not None:
                record.meta = {**{k: v for k, v in record.meta.items() if k != "meta"}, **meta}
                record.url = _text(meta.get("url"))
                record.title = _text(meta.get("title"))
        yield record


def _dict(value: Any) -> dict[str, Any] | None:
    if not isinstance(value, str) or len(value) > _MAX_META:
        return None
    try:
        found = ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return {str(k): _plain(v) for k, v in found.items()} if isinstance(found, dict) else None


def _plain(value: Any) -> Any:
    """What JSON can hold; a set's order would differ from run to run."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return sorted(map(str, value)) if isinstance(value, set) else value


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
