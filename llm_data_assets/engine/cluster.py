"""Shards as tasks of a Ray cluster: Ray core alone, which starts a lost node's tasks again.

Tables and tasks meet on storage: every node sees the home under the same path, and has the
packages of the process that hands out the work. Both are looked at in each worker, since a node
that joins late may be another one.
"""

import importlib.metadata
import platform
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from llm_data_assets import __version__
from llm_data_assets.config.engine import Engine
from llm_data_assets.config.workspace import make_home
from llm_data_assets.engine.attach import attach, is_lost
from llm_data_assets.engine.errors import EngineUnreachableError, WorkerDiedError
from llm_data_assets.engine.progress import INTERVAL_SECONDS, counter
from llm_data_assets.engine.watch import Watch
from llm_data_assets.lake.json_file import write_json

Shard = TypeVar("Shard")
Result = TypeVar("Result")

# Tasks handed out at a time: many more than a cluster has cores, so that one that grows by
# demand sees the demand.
_HANDED_OUT = 1000
# A task that costs a node its memory is lost each time: it must end, and say so.
_TIMES_LOST = 10
# Packages that have a hand in the bytes of a table.
_PACKAGES = ("duckdb", "numba", "numpy", "polars", "pyarrow", "sentencepiece")
_MARK = "engine.json"


def answers(
    function: Callable[[Shard], Result], shards: Sequence[Shard], engine: Engine, home: Path
) -> Iterator[tuple[int, Result]]:
    """(index of the shard, its answer) as they come; a task whose node died runs again.

    Raises:
        EngineUnreachableError: no cluster answers, or a node has other packages or another home.
        EngineLostError: it went away in the middle.
        WorkerDiedError: a task lost its worker each time it was tried.
    """
    if not shards:
        return
    ray = attach(engine)
    remote, watch = _remote(ray, engine, home), Watch(ray, engine)
    waiting: dict[Any, int] = {}
    upcoming = iter(enumerate(shards))
    try:
        while True:
            while len(waiting) < _HANDED_OUT and (each := next(upcoming, None)):
                waiting[remote(function, each[1])] = each[0]
            if not waiting:
                return
            for reference in _ended(ray, list(waiting), watch):
                yield waiting.pop(reference), _result(ray, reference)
            counter.tell()
    finally:
        _cancel(ray, waiting)


def in_order(
    function: Callable[[Shard], Result], tasks: Iterable[Shard], /, *, engine: Engine, home: Path
) -> Iterator[Result]:
    """As `map`; two answers a core may wait for their turn in the cluster's object store."""
    ray = attach(engine)
    remote, watch = _remote(ray, engine, home), Watch(ray, engine)
    ahead = 2 * max(1, int(ray.cluster_resources().get("CPU", 1)))
    waiting: deque[Any] = deque()
    try:
        for task in tasks:
            waiting.append(remote(function, task))
            if len(waiting) > ahead:
                yield _taken(ray, waiting, watch)
        while waiting:
            yield _taken(ray, waiting, watch)
    finally:
        _cancel(ray, waiting)


def _taken(ray: ModuleType, waiting: "deque[Any]", watch: Watch) -> Any:
    while not _ended(ray, [waiting[0]], watch):
        pass
    return _result(ray, waiting.popleft())


def _ended(ray: ModuleType, references: list[Any], watch: Watch) -> list[Any]:
    """Those that have an answer by now, waiting a moment for one."""
    ended, _ = ray.wait(
        references, num_returns=len(references), timeout=INTERVAL_SECONDS, fetch_local=False
    )
    watch.look(bool(ended))
    return list(ended)


def _remote(ray: ModuleType, engine: Engine, home: Path) -> Callable[..., Any]:
    task = ray.remote(_in_worker).options(
        num_cpus=1, max_retries=_TIMES_LOST, scheduling_strategy="SPREAD"
    )
    mark, about = _mark(home), _about()
    return lambda function, shard: task.remote(function, shard, home, mark, about)


def _result(ray: ModuleType, reference: Any) -> Any:
    died = (
        ray.exceptions.WorkerCrashedError,
        ray.exceptions.NodeDiedError,
        ray.exceptions.OutOfMemoryError,
        ray.exceptions.ObjectLostError,
    )
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, BaseException):
            raise error.cause from None
        raise
    except died as error:
        raise WorkerDiedError(
            f"a shard lost its worker {_TIMES_LOST + 1} times ({type(error).__name__}; most often "
            "for memory). Try: a smaller `engine.shard_mb` in pipeline.yaml or nodes with more "
            "memory, then run again: finished shards are kept"
        ) from error


def _cancel(ray: ModuleType, waiting: Iterable[Any]) -> None:
    """Let go of what was handed out; nothing here may hide the error that led to it."""
    for reference in () if is_lost() else waiting:
        with suppress(Exception):
            ray.cancel(reference)


# -- in the worker -----------------------------------------------------------------------------


def _in_worker(
    function: Callable[[Shard], Result],
    shard: Shard,
    home: Path,
    mark: str,
    about: tuple[tuple[str, str], ...],
) -> Result:
    _check_node(home, mark, about)
    return function(shard)


@lru_cache
def _check_node(home: Path, mark: str, about: tuple[tuple[str, str], ...]) -> None:
    here = dict(_about())
    others = [f"{name} {here[name]}, not {version}" for name, version in about
              if here[name] != version]  # fmt: skip
    if others:
        raise EngineUnreachableError(
            f"the node {platform.node()} has {'; '.join(others)}: its shards could hold other "
            "bytes. Try: one image or one lock file for all nodes and for who hands out the work"
        )
    try:
        seen = (home / _MARK).read_text(encoding="utf-8")
    except OSError:
        seen = ""
    if mark not in seen:
        raise EngineUnreachableError(
            f"the node {platform.node()} does not see the home {home}. "
            "Try: LLM_DATA_HOME on storage that all nodes mount under one path"
        )


def _about() -> tuple[tuple[str, str], ...]:
    """What must be the same everywhere, name and version."""
    versions = ((name, importlib.metadata.version(name)) for name in _PACKAGES)
    return (("llm_data_assets", __version__), ("python", platform.python_version()), *versions)


def _mark(home: Path) -> str:
    """What tells this home from another folder of its name; written once."""
    path = home / _MARK
    if not path.exists():
        make_home(home)
        write_json(path, {"home": uuid.uuid4().hex})
    return path.read_text(encoding="utf-8")
