"""The record of a changed text: one row an edit, with the text's hash before and after."""

from collections.abc import Sequence
from typing import Any

import xxhash

from llm_data_assets.text.edits import Edit


def edit_rows(
    doc_id: str, before: str | memoryview, after: str | memoryview, edits: Sequence[Edit]
) -> list[dict[str, Any]]:
    """Rows of the `edits` table for one document; none where nothing was changed."""
    if not edits:
        return []
    hashes = {"hash_before": text_hash(before), "hash_after": text_hash(after)}
    return [
        {
            "doc_id": doc_id,
            "kind": edit.kind,
            "start": edit.start,
            "length": edit.length,
            "replacement": edit.replacement,
            **hashes,
        }
        for edit in edits
    ]


def text_hash(text: str | memoryview) -> str:
    """XXH3-128 of a text, hex; a view is its UTF-8."""
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return xxhash.xxh3_128_hexdigest(data)
