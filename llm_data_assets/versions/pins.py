"""Pins: a named set of versions with all that made it, which neither changes nor is collected.

A pin is one JSON file in `pins/`, beside a catalog of one's own (so that it can be kept under
version control with it), else in the home. It names the files of every table by their content,
and holds the configuration, the digests of the inputs and the versions of code and packages.
"""

import hashlib
import importlib.metadata
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from llm_data_assets import __version__
from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.takedowns import read_takedowns
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.json_file import write_json
from llm_data_assets.lake.schemas import HISTORY, TOKENIZER
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import ALL_TABLES, lake_of
from llm_data_assets.stages.source_files import files_of
from llm_data_assets.stages.stage import Context, Partition, Stage
from llm_data_assets.stages.versions import is_fresh, last_materialisation

Pin = dict[str, Any]
PINNED_TABLES = tuple(table for table in ALL_TABLES if table not in HISTORY)
# Packages that have a hand in the bytes of a table.
_PACKAGES = ("duckdb", "numba", "numpy", "polars", "pyarrow", "sentencepiece")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


def pin(workspace: Workspace, name: str) -> Path:
    """Keep what every partition holds now, under `name`; returns the pin's file.

    Raises:
        ConfigError: the name is taken or no name, nothing is made yet, or a partition is not what
            the configuration and the inputs would make now: a rebuild could not give it.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(
            name, "", "is no name for a pin", "lower-case letters, digits, dots and hyphens"
        )
    path = folder_of(workspace) / f"{name}.json"
    if path.exists():
        raise ConfigError(name, "", f"is pinned already in {path}; a pin never changes",
                          "another name; `llm-data diff` compares two")  # fmt: skip
    lake = lake_of(workspace)
    tokenizers = lake.read(TOKENIZER, columns=["tokenizer"])["tokenizer"].to_pylist()
    written = {
        "name": name,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "code": __version__,
        "packages": {each: importlib.metadata.version(each) for each in _PACKAGES},
        "catalog": workspace.catalog.path.read_text(encoding="utf-8"),
        "pipeline": workspace.pipeline.path.read_text(encoding="utf-8"),
        "takedowns": len(read_takedowns(workspace.audit)),
        "inputs": inputs_of(workspace),
        "partitions": _partitions(workspace, lake),
        "tokenizer": tokenizers[0] if tokenizers else None,
        "tables": files_by_table(lake),
    }
    write_json(path, written | {"digest": _digest(written)}, indent=1)
    return path


def read_pin(workspace: Workspace, name: str) -> Pin:
    """A pin by its name.

    Raises:
        ConfigError: there is none, or its file is not what was written.
    """
    path = folder_of(workspace) / f"{name}.json"
    try:
        found: Pin = json.loads(path.read_text(encoding="utf-8"))
        whole = found.get("digest") == _digest(found)
    except FileNotFoundError:
        known = ", ".join(names(workspace)) or "`llm-data pin NAME` makes the first"
        raise ConfigError(name, "", "there is no such pin", known) from None
    except (ValueError, AttributeError):
        whole = False
    if not whole:
        raise ConfigError(str(path), "", "is not what was pinned",
                          "restore the file from a copy; a pin never changes")  # fmt: skip
    return found


def names(workspace: Workspace) -> list[str]:
    """The names of all pins, sorted."""
    return sorted(path.stem for path in folder_of(workspace).glob("*.json"))


def folder_of(workspace: Workspace) -> Path:
    """Where the pins lie: beside the audit log."""
    return workspace.kept_beside / "pins"


def files_by_table(lake: Lake) -> dict[str, list[str]]:
    """The current files of every table that is not history, relative to the table's folder."""
    return {
        table.name: [
            path.relative_to(lake.table_path(table)).as_posix() for path in lake.files(table)
        ]
        for table in PINNED_TABLES
    }


def inputs_of(workspace: Workspace) -> dict[str, dict[str, str]]:
    """Checksum of every file by source and uri."""
    return {
        source: {file.uri: file.checksum for file in files_of(workspace, source)}
        for source in workspace.all_sources
    }


def _partitions(workspace: Workspace, lake: Lake) -> list[dict[str, Any]]:
    found = []
    for stage in STAGES.values():
        for partition in stage.partitions(workspace):
            last = last_materialisation(lake, stage, partition)
            if last is None:
                continue
            if not is_fresh(stage, Context(workspace, lake, partition), STAGES):
                raise ConfigError(
                    f"{stage.name}/{partition.key}".rstrip("/"), "",
                    "is not what its inputs and settings make now, so no rebuild would give it",
                    "`llm-data run` first, then pin",
                )  # fmt: skip
            found.append(_row(stage, partition, last))
    if not found:
        raise ConfigError(str(workspace.home), "", "nothing to pin yet", "`llm-data run` first")
    return found


def _row(stage: Stage, partition: Partition, last: dict[str, Any]) -> dict[str, Any]:
    kept = ("run_id", "docs", "config_hash", "input_version", "data_version", "table_version")
    return {
        "stage": stage.name,
        "partition": partition.key,
        "code_version": stage.code_version,
        **{name: last[name] for name in kept},
    }


def _digest(pin: Pin) -> str:
    """SHA-256 of everything else in the pin."""
    text = json.dumps({k: v for k, v in pin.items() if k != "digest"}, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
