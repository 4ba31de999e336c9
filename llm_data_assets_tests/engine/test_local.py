"""Shards give the same answers on one process and on several."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from llm_data_assets.config.engine import Engine
from llm_data_assets.engine.errors import WorkerDiedError
from llm_data_assets.engine.run import run_shards, side_by_side

BIG = 1 << 30


def double(number: int) -> int:
    return 2 * number


def die(number: int) -> int:
    os._exit(1)


def takes_too_much(number: int) -> int:
    return len(np.ones(1 << 50, dtype=np.uint8))  # more than any address space gives


def fail(number: int) -> int:
    raise ValueError(f"shard {number} is broken")


@pytest.mark.parametrize("workers", [1, 2])
def test_answers_come_in_the_order_of_the_shards(tmp_path: Path, workers: int) -> None:
    seen: list[int] = []
    found = run_shards(
        double,
        range(7),
        engine=Engine(workers=workers),
        home=tmp_path,
        n_bytes=BIG,
        progress=lambda done, _: seen.append(done),
    )
    assert found == [0, 2, 4, 6, 8, 10, 12]
    assert seen == sorted(seen)
    assert seen[-1] == BIG


def test_a_killed_worker_is_named_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(WorkerDiedError, match=r"engine\.workers"):
        run_shards(die, range(3), engine=Engine(workers=2), home=tmp_path, n_bytes=BIG)


def test_an_error_of_a_shard_is_the_callers(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is broken"):
        run_shards(fail, range(3), engine=Engine(workers=2), home=tmp_path, n_bytes=BIG)


def test_side_by_side_takes_up_tasks_only_as_answers_are_taken(tmp_path: Path) -> None:
    taken_up: list[int] = []

    def tasks() -> Iterator[int]:
        for number in range(1000):
            taken_up.append(number)
            yield number

    with side_by_side(Engine(workers=2), tmp_path) as in_order:
        answers = in_order(double, tasks())
        assert [next(answers) for _ in range(3)] == [0, 2, 4]
        assert len(taken_up) < 20


@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_out_of_memory_is_named_with_the_way_out(workers: int, tmp_path: Path) -> None:
    with pytest.raises(WorkerDiedError, match=r"memory.*engine\.workers.*engine\.shard_mb"):
        run_shards(
            takes_too_much, range(3), engine=Engine(workers=workers), home=tmp_path, n_bytes=BIG
        )
