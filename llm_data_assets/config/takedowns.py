"""The record of what had to go: one JSON line a takedown, each signed with the hash of the last.

It lies beside the catalog, since it outlives any home: what is named here is never read again.
A line that was changed, removed or put in between breaks the chain, and nothing runs until the
record is whole again.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from llm_data_assets.config.errors import ConfigError

Kind = Literal["doc_id", "url", "hash"]
FILE = "takedowns.jsonl"
_FIRST = "0" * 64


@dataclass(frozen=True)
class Takedown:
    """What was asked for (`kind`, `values`, `reason`), when, and whom it met.

    `met` holds (source, file, doc_id) of each document that was there at the time; `urls` and
    hashes among the values meet later ones too.
    """

    number: int
    at: str
    kind: Kind
    values: tuple[str, ...]
    reason: str
    met: tuple[tuple[str, str, str], ...]
    previous: str
    signature: str = ""


def read_takedowns(path: Path) -> list[Takedown]:
    """Every takedown, in order; none where there is no record.

    Raises:
        ConfigError: a line is not as it was written.
    """
    if not path.exists():
        return []
    found: list[Takedown] = []
    previous = _FIRST
    for line, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            entry = _parse(json.loads(text))
        except (ValueError, TypeError, KeyError) as error:
            raise _broken(path, line, str(error)) from None
        if entry.previous != previous or entry.signature != _signature(entry):
            raise _broken(path, line, "it is not what was written, or a line before it is gone")
        previous = entry.signature
        found.append(entry)
    return found


def append_takedown(
    path: Path,
    at: str,
    kind: Kind,
    values: Sequence[str],
    reason: str,
    met: Sequence[tuple[str, str, str]],
) -> Takedown:
    """Add a takedown to the record; it is on disk when this returns."""
    before = read_takedowns(path)
    previous = before[-1].signature if before else _FIRST
    entry = Takedown(
        len(before) + 1, at, kind, tuple(sorted(values)), reason, tuple(sorted(met)), previous
    )
    signed = Takedown(**{**asdict(entry), "signature": _signature(entry)})
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(asdict(signed), ensure_ascii=False) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    return signed


def _parse(line: dict[str, Any]) -> Takedown:
    met = tuple((str(source), str(file), str(doc)) for source, file, doc in line["met"])
    return Takedown(**{**line, "values": tuple(line["values"]), "met": met})


def _signature(entry: Takedown) -> str:
    """SHA-256 of everything else in the entry, the signature before it among that."""
    fields = {key: value for key, value in asdict(entry).items() if key != "signature"}
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _broken(path: Path, line: int, problem: str) -> ConfigError:
    return ConfigError(
        f"{path}:{line}", "", f"the record of takedowns is broken: {problem}",
        "restore the file from a copy; it only ever grows at its end",
    )  # fmt: skip
