"""What could be wrong with this machine or workspace, and the way out."""

import importlib.metadata
import os
import shutil
import socket
import sys
from pathlib import Path

from filelock import FileLock, Timeout

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.engine.attach import wait_for_answer
from llm_data_assets.engine.errors import EngineUnreachableError
from llm_data_assets.engine.local import cores
from llm_data_assets.lake.temporaries import is_left
from llm_data_assets.stages.damage import damaged, mend
from llm_data_assets.stages.filter_rules import rules_of
from llm_data_assets.stages.source_files import files_of

Finding = tuple[str, str, str]
_PACKAGES = ("dagster", "duckdb", "polars", "deltalake", "pyarrow", "numba", "sentencepiece")
_LEAST_FREE_BYTES = 1 << 30
_DAGSTER_PORT = 3000
# Interpreter, kernels, models and the row groups of a shard that a worker holds at a time.
_WORKER_BYTES = 1 << 30


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
    findings += [_memory(workspace), *_engine(workspace), *_locks(workspace)]
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


def _memory(workspace: Workspace) -> Finding:
    """What is free, beside what a worker for every core wants."""
    engine = workspace.pipeline.model.engine
    fields = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    free = int(fields["MemAvailable"].split()[0]) << 10
    workers = cores(engine.workers)
    said = f"{free / (1 << 30):.1f} GiB free for {workers} workers"
    if free >= workers * _WORKER_BYTES:
        return ("memory", "ok", said)
    fit = max(1, free // _WORKER_BYTES)
    return ("memory", "note", f"{said}. Try: engine: {{workers: {fit}}} in pipeline.yaml")


def _engine(workspace: Workspace) -> list[Finding]:
    """Whether the cluster that the pipeline names answers."""
    engine = workspace.pipeline.model.engine
    if engine.kind == "local" or engine.address is None:
        return [("engine", "ok", f"{engine.kind} on this machine")]
    try:
        wait_for_answer(engine.address, engine.wait_seconds)
    except EngineUnreachableError as error:
        return [("engine", "problem", str(error))]
    return [("engine", "ok", f"{engine.address} answers")]


def _locks(workspace: Workspace) -> list[Finding]:
    """Who holds the home now, and what killed writers left there."""
    held = []
    for path in sorted(workspace.home.glob(".*.lock")) if workspace.home.is_dir() else ():
        lock = FileLock(path)
        try:
            lock.acquire(blocking=False)
            lock.release()
        except Timeout:
            held.append(path.name)
    left = list((workspace.home / "lake").glob("**/.*.tmp"))
    found: list[Finding] = [
        ("locks", "note", f"{', '.join(held)} held: a run or a publication is under way")
        if held
        else ("locks", "ok", "nobody holds the home")
    ]
    if left:
        gone = sum(map(is_left, left))
        said = (
            f"{gone} of killed writers, {len(left) - gone} of writers under way (or killed on "
            "another machine in the last day). Try: `llm-data run` removes the former"
        )
        found.append(("temporary files", "note", said))
    return found


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
