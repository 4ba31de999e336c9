"""JSON files that are whole or not there."""

import json
from pathlib import Path
from typing import Any

from llm_data_assets.lake.temporaries import beside


def write_json(
    path: Path, value: Any, *, indent: int | None = None, sort_keys: bool = True
) -> None:
    """Write a JSON file, beside the old one first and then in its place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = beside(path)
    try:
        text = json.dumps(value, indent=indent, sort_keys=sort_keys) + "\n"
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
