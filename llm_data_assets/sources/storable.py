"""What tables can hold: no lone surrogates, and metadata that is strict JSON."""

import json
import math
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.text.text_bytes import bytes_of

_MAX_DEPTH = 64  # of metadata; deeper nesting overruns the stack of those who read it
_MAX_ERROR = 400
_FIRST_BYTES = 80
_NAMES = ("native_id", "url", "title", "language", "license", "created_at")


def storable(record: Document | Reject) -> Document | Reject:
    """The record with U+FFFD for lone surrogates and null for NaN and infinity.

    Metadata nested deeper than 64 levels makes a reject of it.
    """
    if isinstance(record, Reject):
        error = without_surrogates(record.error)[:_MAX_ERROR]
        return Reject(record.offset, error, record.first_bytes[:_FIRST_BYTES])
    if isinstance(record.as_read, str):
        record.text = without_surrogates(record.text)
    for name in _NAMES:
        value = getattr(record, name)
        if value is not None and not value.isascii():
            setattr(record, name, without_surrogates(value))
    try:
        if not _plain(record.meta):
            record.meta = _value(record.meta, 0)
    except _TooDeepError:
        first = record.text[:_FIRST_BYTES].encode()[:_FIRST_BYTES]
        return Reject(record.offset, f"nested too deeply: over {_MAX_DEPTH} levels", first)
    return record


def _plain(meta: dict[str, Any]) -> bool:
    """Whether there is nothing to change: short of nested values, all ASCII, numbers or null."""
    for name, value in meta.items():
        if type(name) is not str or not name.isascii():
            return False
        if type(value) is str:
            if not value.isascii():
                return False
        elif value is not None and type(value) is not int and type(value) is not bool:
            return False
    return True


def strict_json(meta: Mapping[str, Any]) -> str:
    """Metadata as strict JSON, keys sorted.

    Raises:
        ValueError: nested deeper than 64 levels (`nested too deeply`).
    """
    try:
        return json.dumps(_value(meta, 0), ensure_ascii=False, sort_keys=True)
    except _TooDeepError:
        raise ValueError(f"nested too deeply: over {_MAX_DEPTH} levels") from None


def without_surrogates(text: str) -> str:
    """The text with lone surrogates, which UTF-8 cannot hold, as U+FFFD; pairs are joined."""
    if text.isascii():
        return text
    try:
        bytes_of(text)
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


class _TooDeepError(Exception):
    pass


def _value(value: Any, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise _TooDeepError
    if isinstance(value, str):
        return without_surrogates(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {without_surrogates(str(k)): _value(each, depth + 1) for k, each in value.items()}
    if isinstance(value, list | tuple):
        return [_value(each, depth + 1) for each in value]
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"  # an image or audio column: no metadata
    return without_surrogates(str(value))
