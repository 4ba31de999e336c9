"""The audit log: one JSON line an act, each signed with the hash of the last.

It lies beside the catalog, or where the catalog says, since it outlives any home. A line that was
changed, removed or put in between breaks the chain, and nothing runs until the log is whole again.
Lines cut off at its end leave a chain that is whole: only a signature that was noted elsewhere
shows them missing.
"""

import getpass
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock

from llm_data_assets.config.errors import ConfigError

Act = Literal["takedown", "reveal", "export", "override"]
FILE = "audit.log"
_BEFORE = "takedowns.jsonl"  # what held takedowns alone
_FIRST = "0" * 64


@dataclass(frozen=True)
class Entry:
    """One act: its number from 1, when, by which user of the machine, and what (`told`)."""

    number: int
    at: str
    who: str
    act: str
    told: Mapping[str, Any]
    previous: str
    signature: str = ""


def read_audit(path: Path) -> list[Entry]:
    """Every entry, in order; none where there is no log.

    Raises:
        ConfigError: a line is not as it was written; or a record of takedowns of an earlier
            version lies there, which nothing would honour.
    """
    old = path.with_name(_BEFORE)
    if old.exists():
        raise ConfigError(
            str(old), "", f"takedowns are read from {path.name} by now",
            "`llm-data takedown` of what it names, then move the file away",
        )  # fmt: skip
    if not path.exists():
        return []
    found: list[Entry] = []
    previous = _FIRST
    for line, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            entry = Entry(**json.loads(text))
        except (ValueError, TypeError) as error:
            raise _broken(path, line, str(error)) from None
        if entry.previous != previous or entry.signature != _signature(entry):
            raise _broken(path, line, "it is not what was written, or a line before it is gone")
        previous = entry.signature
        found.append(entry)
    return found


def append_audit(path: Path, act: Act, told: Mapping[str, Any], at: str | None = None) -> Entry:
    """Add an entry; it is on disk when this returns. Writers at the same time wait for each other.

    Args:
        told: what was done, as JSON can hold it.
        at: the time, ISO 8601; now if it is not given.

    Raises:
        ConfigError: the log is broken, or cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(f".{path.name}.lock")):
            before = read_audit(path)
            entry = Entry(
                number=len(before) + 1,
                at=at or datetime.now(UTC).isoformat(timespec="seconds"),
                who=_user(),
                act=act,
                told=json.loads(json.dumps(told)),  # as it is read back
                previous=before[-1].signature if before else _FIRST,
            )
            signed = Entry(**{**asdict(entry), "signature": _signature(entry)})
            with path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(asdict(signed), ensure_ascii=False) + "\n")
                stream.flush()
                os.fsync(stream.fileno())
    except OSError as error:
        raise ConfigError(
            str(path), "", f"the audit log cannot be written ({error.strerror or error}), and "
            f"without it there is no {act}", f"`audit: /a/writable/{FILE}` in the catalog",
        ) from error  # fmt: skip
    return signed


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return str(os.getuid())


def _signature(entry: Entry) -> str:
    """SHA-256 of everything else in the entry, the signature before it among that."""
    fields = {key: value for key, value in asdict(entry).items() if key != "signature"}
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _broken(path: Path, line: int, problem: str) -> ConfigError:
    return ConfigError(
        f"{path}:{line}", "", f"the audit log is broken: {problem}",
        "restore the file from a copy; it only ever grows at its end",
    )  # fmt: skip
