"""Running one function over many shards on this machine; order and workers change no result."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from multiprocessing.sharedctypes import Synchronized
from typing import TypeVar

from llm_data_assets.engine.progress import INTERVAL_SECONDS, counter

Shard = TypeVar("Shard")
Result = TypeVar("Result")

# A fresh worker imports pyarrow, numba and its kernels for about two CPU-seconds; below this much
# input one process is done before a pool has started.
_POOL_PAYS_FROM_BYTES = 32 << 20


class WorkerDiedError(RuntimeError):
    """A worker process ended without an answer."""


def run_shards(
    function: Callable[[Shard], Result],
    shards: Sequence[Shard],
    *,
    workers: int = 0,
    n_bytes: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> list[Result]:
    """`[function(shard) for shard in shards]`, on several processes where that pays.

    Args:
        function: a module-level function; it writes its own output and returns a small answer.
            What it says to `engine.progress.advance` moves the bar before it ends.
        workers: processes; 0 is one a core.
        n_bytes: size of all input, to judge whether processes pay.
        progress: called with (bytes done, `n_bytes`) now and then, and after each shard.

    Raises:
        WorkerDiedError: a worker was killed (out of memory, most often). Finished shards are
            found again by the next run.
        Exception: what `function` raises, after the shards under way have ended.
    """
    workers = workers or os.cpu_count() or 1
    pool_pays = min(workers, len(shards)) > 1 and n_bytes >= _POOL_PAYS_FROM_BYTES
    results: list[Result | None] = [None] * len(shards)
    counter.start(n_bytes, progress)
    answers = _in_pool(function, shards, workers) if pool_pays else _here(function, shards)
    for done, (index, result) in enumerate(answers, start=1):
        results[index] = result
        counter.reach(n_bytes * done // len(shards))
    return results  # type: ignore[return-value]  # each shard has answered


def _here(
    function: Callable[[Shard], Result], shards: Sequence[Shard]
) -> Iterator[tuple[int, Result]]:
    for index, shard in enumerate(shards):
        yield index, function(shard)


def _in_pool(
    function: Callable[[Shard], Result], shards: Sequence[Shard], workers: int
) -> Iterator[tuple[int, Result]]:
    pool, read = _pool(workers)
    read.value = 0
    futures: dict[Future[Result], int] = {}
    try:
        for index, shard in enumerate(shards):
            futures[pool.submit(function, shard)] = index
        running = set(futures)
        while running:
            ended, running = wait(running, INTERVAL_SECONDS, FIRST_COMPLETED)
            counter.reach(read.value)
            for future in ended:
                yield futures[future], future.result()
    except BrokenProcessPool as error:
        _pool.cache_clear()
        raise WorkerDiedError(
            f"a worker process was killed while {len(shards)} shards ran on {workers} workers "
            "(most often by the system, for memory). Try: fewer `engine.workers` or a smaller "
            "`engine.shard_mb` in pipeline.yaml, then run again: finished shards are kept"
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
