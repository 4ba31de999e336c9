"""What documents, dialogues and pairs share when a record becomes a row."""

import math
from typing import Any

import xxhash

from llm_data_assets.sources.document import Reject
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.storable import without_surrogates
from llm_data_assets.text.repair import repair


def row_id(source: str, file: SourceFile, offset: int, native: str | None, ordinal: int) -> str:
    """<source>/<native id>, or the digest of the file's name with the offset.

    Args:
        ordinal: the record's number among those of its offset.
    """
    place = native or f"{xxhash.xxh3_64_hexdigest(file.uri.encode())}-{offset}" + (
        f"-{ordinal}" if ordinal else ""
    )
    return f"{source}/{without_surrogates(place)}"


def reject_row(file: SourceFile, reject: Reject) -> dict[str, Any]:
    """A row of `rejects`."""
    return {
        "file": file.uri,
        "offset": reject.offset,
        "error": reject.error,
        "first_bytes": reject.first_bytes[:80],
    }


def repaired(text: str) -> tuple[str, int]:
    """The text as tables hold it, and how many repairs that took."""
    text, edits = repair(without_surrogates(text))
    return text, len(edits)


def finite(value: Any) -> float | None:
    """A number as it is; None for what is none, or not finite."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None
