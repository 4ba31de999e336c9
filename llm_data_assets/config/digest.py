"""Digests of settings: the same configuration gives the same digest on any machine."""

import json
from typing import Any

import xxhash
from pydantic import BaseModel


def digest(*parts: Any) -> str:
    """XXH3-128 (hex) of `parts` as canonical JSON; pydantic models are digested by their fields."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=_plain)
    return xxhash.xxh3_128_hexdigest(text.encode("utf-8", "surrogatepass"))


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"cannot digest a {type(value).__name__}")
