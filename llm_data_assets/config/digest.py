"""Digests of settings and files: the same configuration gives the same digest on any machine."""

import hashlib
import json
from pathlib import Path
from typing import Any

import xxhash
from pydantic import BaseModel


def digest(*parts: Any) -> str:
    """XXH3-128 (hex) of `parts` as canonical JSON; pydantic models are digested by their fields."""
    return xxhash.xxh3_128_hexdigest(canonical(parts).encode("utf-8", "surrogatepass"))


def canonical(value: Any) -> str:
    """Canonical JSON of settings: names sorted, no spaces, pydantic models by their fields."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"cannot digest a {type(value).__name__}")


def file_checksum(path: Path) -> str:
    """XXH3-128 of a file's bytes, hex."""
    with path.open("rb", buffering=0) as stream:
        return hashlib.file_digest(stream, xxhash.xxh3_128).hexdigest()
