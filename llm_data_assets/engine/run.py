"""Running one function over many shards: here or on a cluster, which changes no result."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from llm_data_assets.config.engine import Engine
from llm_data_assets.engine import cluster, local
from llm_data_assets.engine.progress import counter

Shard = TypeVar("Shard")
Result = TypeVar("Result")


class InOrder(Protocol):
    """As `map`: answers in the order of the tasks; the built-in `map` is one."""

    def __call__(
        self, function: Callable[[Shard], Result], tasks: Iterable[Shard], /
    ) -> Iterator[Result]: ...


def run_shards(
    function: Callable[[Shard], Result],
    shards: Sequence[Shard],
    *,
    engine: Engine,
    home: Path,
    n_bytes: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> list[Result]:
    """`[function(shard) for shard in shards]`, side by side where that pays.

    Args:
        function: a module-level function; it writes its own output and returns a small answer.
            On this machine, what it says to `engine.progress.advance` moves the bar before it
            ends.
        engine: which processes run it.
        home: the folder that all of them write to.
        n_bytes: size of all input, to judge whether processes pay.
        progress: called with (bytes done, `n_bytes`) now and then, and after each shard.

    Raises:
        WorkerDiedError: a worker was killed (out of memory, most often), on a cluster time and
            again. Finished shards are found again by the next run.
        EngineUnreachableError, EngineLostError: the cluster does not answer, or no more.
        Exception: what `function` raises; on this machine after the shards under way have ended.
    """
    results: list[Result | None] = [None] * len(shards)
    counter.start(n_bytes, progress)
    if engine.kind == "ray":
        answers = cluster.answers(function, shards, engine, home)
    else:
        answers = local.answers(function, shards, engine.workers, n_bytes)
    for done, (index, result) in enumerate(answers, start=1):
        results[index] = result
        counter.reach(n_bytes * done // len(shards))
    return results  # type: ignore[return-value]  # each shard has answered


@contextmanager
def side_by_side(engine: Engine, home: Path) -> Iterator[InOrder]:
    """A `map` for answers that are arrays: threads here, tasks on a cluster.

    Only so many tasks are taken up that a few answers wait for their turn. Here the functions'
    kernels release the interpreter, and no array is copied from process to process.
    """
    if engine.kind == "ray":
        yield partial(cluster.in_order, engine=engine, home=home)
        return
    with in_threads(engine) as in_order:
        yield in_order


@contextmanager
def in_threads(engine: Engine) -> Iterator[InOrder]:
    """A `map` by threads of this process."""
    with ThreadPoolExecutor(local.cores(engine.workers)) as pool:
        # Tasks can be of very unlike cost: the others go on while the first answer is waited for.
        yield partial(_in_threads, pool, 4 * local.cores(engine.workers))


def _in_threads(
    pool: Executor, ahead: int, function: Callable[[Shard], Result], tasks: Iterable[Shard]
) -> Iterator[Result]:
    waiting: deque[Future[Result]] = deque()
    for task in tasks:
        waiting.append(pool.submit(function, task))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
