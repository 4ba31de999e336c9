"""Running one function over many shards on this machine; order and workers change no result."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from typing import TypeVar

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
        workers: processes; 0 is one a core.
        n_bytes: size of all input, to judge whether processes pay.
        progress: called with (done, all) after each shard.

    Raises:
        WorkerDiedError: a worker was killed (out of memory, most often). Finished shards are
            found again by the next run.
        Exception: what `function` raises, after the shards under way have ended.
    """
    workers = workers or os.cpu_count() or 1
    pool_pays = min(workers, len(shards)) > 1 and n_bytes >= _POOL_PAYS_FROM_BYTES
    results: list[Result | None] = [None] * len(shards)
    answers = _in_pool(function, shards, workers) if pool_pays else _here(function, shards)
    for done, (index, result) in enumerate(answers, start=1):
        results[index] = result
        if progress:
            progress(done, len(shards))
    return results  # type: ignore[return-value]  # each shard has answered


def _here(
    function: Callable[[Shard], Result], shards: Sequence[Shard]
) -> Iterator[tuple[int, Result]]:
    for index, shard in enumerate(shards):
        yield index, function(shard)


def _in_pool(
    function: Callable[[Shard], Result], shards: Sequence[Shard], workers: int
) -> Iterator[tuple[int, Result]]:
    pool = _pool(workers)
    futures: dict[Future[Result], int] = {
        pool.submit(function, shard): index for index, shard in enumerate(shards)
    }
    try:
        for future in as_completed(futures):
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
def _pool(workers: int) -> ProcessPoolExecutor:
    """The processes of this process, kept for the next stage: starting one costs seconds."""
    # Spawned, not forked: the parent has threads (Polars, Arrow, Dagster), and a fork of a
    # process with threads can hang.
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))
