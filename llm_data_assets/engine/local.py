"""Shards on this machine: in this process, or in a pool of them where that pays."""

import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from multiprocessing.sharedctypes import Synchronized
from typing import TypeVar

import pyarrow as pa

from llm_data_assets.engine.compiled import is_new, note
from llm_data_assets.engine.errors import WorkerDiedError
from llm_data_assets.engine.progress import INTERVAL_SECONDS, counter

Shard = TypeVar("Shard")
Result = TypeVar("Result")

# A fresh worker imports pyarrow, numba and its kernels for about two CPU-seconds; below this much
# input one process is done before a pool has started. One that is there takes milliseconds.
_POOL_PAYS_FROM_BYTES = 32 << 20
_STARTED_POOL_PAYS_FROM_BYTES = 1 << 20
_WAY_OUT = (
    "fewer `engine.workers` or a smaller `engine.shard_mb` in pipeline.yaml, then run again: "
    "finished shards are kept"
)


def cores(workers: int) -> int:
    """How many processes or threads `engine.workers` stands for."""
    return workers or os.cpu_count() or 1


def answers(
    function: Callable[[Shard], Result], shards: Sequence[Shard], workers: int, n_bytes: int
) -> Iterator[tuple[int, Result]]:
    """(index of the shard, its answer) as they come, from several processes where that pays.

    Raises:
        WorkerDiedError: a worker was killed (out of memory, most often), or the system gave it no
            more memory. Finished shards are found again by the next run.
    """
    workers = cores(workers)
    is_there = _pool.cache_info().currsize > 0
    pays_from = _STARTED_POOL_PAYS_FROM_BYTES if is_there else _POOL_PAYS_FROM_BYTES
    pool_pays = min(workers, len(shards)) > 1 and n_bytes >= pays_from
    try:
        yield from _in_pool(function, shards, workers) if pool_pays else _here(function, shards)
    except MemoryError as error:
        said = f"a shard found no more memory ({error}) while {workers} workers ran"
        raise WorkerDiedError(f"{said}. Try: {_WAY_OUT}") from error


def collect_seldom() -> None:
    """Let the process look for garbage after each 50,000 new objects, not after 700.

    Compiling a kernel and a run of Dagster make objects by the hundred thousand that stay: to look
    through them so often takes a tenth of the one and a twentieth of the other.
    """
    gc.set_threshold(50_000, 20, 20)


def _here(
    function: Callable[[Shard], Result], shards: Sequence[Shard]
) -> Iterator[tuple[int, Result]]:
    for index, shard in enumerate(shards):
        yield index, function(shard)
    if shards and is_new(function):
        note(function)


def _in_pool(
    function: Callable[[Shard], Result], shards: Sequence[Shard], workers: int
) -> Iterator[tuple[int, Result]]:
    pool, read = _pool(workers)
    read.value = 0
    futures: dict[Future[Result], int] = {}
    running: set[Future[Result]] = set()
    # Its kernels may not be compiled yet: one worker does it, and the others find them.
    is_first = is_new(function)
    try:
        while running or len(futures) < len(shards):
            for index in range(len(futures), 1 if is_first else len(shards)):
                future = pool.submit(function, shards[index])
                futures[future] = index
                running.add(future)
            ended, running = wait(running, INTERVAL_SECONDS, FIRST_COMPLETED)
            counter.reach(read.value)
            for future in ended:
                yield futures[future], future.result()
            if ended and is_first:
                note(function)
                is_first = False
    except BrokenProcessPool as error:
        _pool.cache_clear()
        raise WorkerDiedError(
            f"a worker process was killed while {len(shards)} shards ran on {workers} workers "
            f"(most often by the system, for memory). Try: {_WAY_OUT}"
        ) from error
    finally:
        for future in futures:
            future.cancel()


@lru_cache(maxsize=1)
def _pool(workers: int) -> "tuple[ProcessPoolExecutor, Synchronized[int]]":
    """The processes of this process, kept for the next stage: starting one costs seconds.

    With them the count of bytes that all of them have read.
    """
    # Spawned, not forked: the parent has threads (Polars, Arrow, Dagster), and a fork of a
    # process with threads can hang.
    processes = multiprocessing.get_context("spawn")
    read = processes.Value("q", 0)
    pool = ProcessPoolExecutor(workers, mp_context=processes, initializer=_share, initargs=(read,))
    return pool, read


def _share(read: "Synchronized[int]") -> None:
    counter.shared = read
    collect_seldom()
    # Every core has a worker already: Arrow's threads would only take turns with them.
    pa.set_cpu_count(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # Ctrl-C reaches every process of a terminal: a worker drops its shard and says nothing.
    signal.signal(signal.SIGINT, lambda number, frame: sys.exit(1))


def _end_with_parent() -> None:
    """A pool whose process was killed would wait for shards for ever, with all its memory."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
