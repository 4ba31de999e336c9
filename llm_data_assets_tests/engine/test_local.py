"""Shards give the same answers on one process and on several."""

import os

import pytest

from llm_data_assets.engine.local import WorkerDiedError, run_shards

BIG = 1 << 30


def double(number: int) -> int:
    return 2 * number


def die(number: int) -> int:
    os._exit(1)


def fail(number: int) -> int:
    raise ValueError(f"shard {number} is broken")


@pytest.mark.parametrize("workers", [1, 2])
def test_answers_come_in_the_order_of_the_shards(workers: int) -> None:
    seen: list[int] = []
    found = run_shards(
        double, range(7), workers=workers, n_bytes=BIG, progress=lambda done, _: seen.append(done)
    )
    assert found == [0, 2, 4, 6, 8, 10, 12]
    assert seen == sorted(seen)
    assert seen[-1] == BIG


def test_a_killed_worker_is_named_with_the_way_out() -> None:
    with pytest.raises(WorkerDiedError, match=r"engine\.workers"):
        run_shards(die, range(3), workers=2, n_bytes=BIG)


def test_an_error_of_a_shard_is_the_callers() -> None:
    with pytest.raises(ValueError, match="is broken"):
        run_shards(fail, range(3), workers=2, n_bytes=BIG)
