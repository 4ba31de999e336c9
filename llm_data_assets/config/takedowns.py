"""What had to go: the takedowns of the audit log, which no home reads again."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from llm_data_assets.config.audit import append_audit, read_audit

Kind = Literal["doc_id", "url", "hash"]


@dataclass(frozen=True)
class Takedown:
    """What was asked for (`kind`, `values`, `reason`), when, and whom it met.

    `number` counts takedowns from 1. `met` holds (source, file, doc_id) of each document that was
    there at the time; `urls` and hashes among the values meet later ones too.
    """

    number: int
    at: str
    kind: Kind
    values: tuple[str, ...]
    reason: str
    met: tuple[tuple[str, str, str], ...]


def read_takedowns(path: Path) -> list[Takedown]:
    """Every takedown in the audit log at `path`, in order; none where there is no log.

    Raises:
        ConfigError: the log is broken.
    """
    entries = [entry for entry in read_audit(path) if entry.act == "takedown"]
    return [
        Takedown(
            number,
            entry.at,
            entry.told["kind"],
            tuple(entry.told["values"]),
            entry.told["reason"],
            tuple((source, file, doc_id) for source, file, doc_id in entry.told["met"]),
        )
        for number, entry in enumerate(entries, start=1)
    ]


def append_takedown(
    path: Path,
    kind: Kind,
    values: Sequence[str],
    reason: str,
    met: Sequence[tuple[str, str, str]],
) -> Takedown:
    """Add a takedown to the audit log; it is on disk when this returns."""
    told = {"kind": kind, "values": sorted(values), "reason": reason, "met": sorted(met)}
    append_audit(path, "takedown", told)
    return read_takedowns(path)[-1]
