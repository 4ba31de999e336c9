"""What could be wrong with this machine or workspace, and the way out."""

import importlib.metadata
import os
import shutil
import socket
import sys

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.stages.damage import damaged, mend
from llm_data_assets.stages.filter_rules import rules_of
from llm_data_assets.stages.source_files import files_of

Finding = tuple[str, str, str]
_PACKAGES = ("dagster", "duckdb", "polars", "deltalake", "pyarrow", "numba", "sentencepiece")
_LEAST_FREE_BYTES = 1 << 30
_DAGSTER_PORT = 3000


def diagnose(*, checksums: bool = False, repair: bool = False) -> list[Finding]:
    """(check, ok | note | problem, detail) of everything worth a look.

    Args:
        checksums: also read every file of the tables, and compare it with its checksum.
        repair: as `checksums`; what is damaged is made again from what it was made from.
    """
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES)
    findings: list[Finding] = [
        ("python", "ok", sys.version.split()[0]),
        ("packages", "ok", versions),
        ("cores", "ok", str(os.cpu_count())),
        _port(),
    ]
    try:
        workspace = open_workspace()
    except ConfigError as error:
        return [*findings, ("configuration", "problem", str(error))]
    findings.append(
        ("catalog", "ok", f"{workspace.catalog.path}: {len(workspace.all_sources)} sources")
    )
    findings.append(("pipeline", "ok", str(workspace.pipeline.path)))
    place = workspace.home if workspace.home.exists() else workspace.home.parent
    free = shutil.disk_usage(place).free
    state = "ok" if free > _LEAST_FREE_BYTES else "problem"
    findings.append(("disk", state, f"{free / (1 << 30):.1f} GiB free for {workspace.home}"))
    if not os.access(place, os.W_OK):
        findings.append(("home", "problem", f"{place} is not writable. Try: set LLM_DATA_HOME"))
    for source in workspace.all_sources:
        try:
            files = files_of(workspace, source)
            findings.append((f"source {source}", "ok", f"{len(files)} files"))
        except ValueError as error:
            findings.append((f"source {source}", "problem", str(error)))
    try:
        findings.append(("rules", "ok", f"{len(rules_of(workspace))} rules"))
    except ValueError as error:
        findings.append(("rules", "problem", str(error)))
    return [*findings, *_files(workspace, repair)] if checksums or repair else findings


def _files(workspace: Workspace, repair: bool) -> list[Finding]:
    """The damaged files, one each, and what became of them."""
    found = list(damaged(workspace))
    if not found:
        return [("files", "ok", "every file of the tables holds the bytes its name says")]
    left = {each.path for each in mend(workspace, found)} if repair else set()
    way_out = "Try: `llm-data doctor --repair` makes it again"
    if repair:
        way_out = "Its settings or inputs changed since. Try: `llm-data run`"
    return [
        ("file", "note", f"{each.path} {each.problem}; it was made again, or dropped from history")
        if repair and each.path not in left
        else ("file", "problem", f"{each.path} {each.problem}. {way_out}")
        for each in found
    ]


def _port() -> Finding:
    with socket.socket() as probe:
        busy = probe.connect_ex(("127.0.0.1", _DAGSTER_PORT)) == 0
    if busy:
        return ("port 3000", "note", "in use: `dagster dev` takes another, or is running already")
    return ("port 3000", "ok", "free for `dagster dev`")
