"""Shards give the same answers on one process and on several."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from llm_data_assets.config.engine import Engine
from llm_data_assets.engine.compiled import is_new, note
from llm_data_assets.engine.errors import WorkerDiedError
from llm_data_assets.engine.run import run_shards, side_by_side
from llm_data_assets.stages.document_signatures import sign_shard
from llm_data_assets.stages.quality_signals import measure_shard

BIG = 1 << 30


def double(number: int) -> int:
    return 2 * number


def when(number: int) -> tuple[float, float]:
    began = time.monotonic()
    time.sleep(0.05)
    return began, time.monotonic()


def die(number: int) -> int:
    os._exit(1)


def say_who_and_wait(folder: Path) -> None:
    (folder / str(os.getpid())).touch()
    time.sleep(600)


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


def test_the_first_shard_of_a_new_function_goes_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = []
    monkeypatch.setattr("llm_data_assets.engine.local.is_new", lambda function: True)
    monkeypatch.setattr("llm_data_assets.engine.local.note", noted.append)
    found = run_shards(when, range(4), engine=Engine(workers=2), home=tmp_path, n_bytes=BIG)
    (_, first_ended), *others = found
    assert all(began >= first_ended for began, _ in others)
    assert noted == [when]


def test_a_function_is_new_until_it_has_run_on_this_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert is_new(sign_shard)
    assert is_new(partial(sign_shard, 1))
    note(sign_shard)
    assert not is_new(sign_shard)
    assert not is_new(partial(sign_shard, 1))
    assert is_new(measure_shard)
    assert not is_new(double), "it compiles nothing of this package"
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "another"))
    assert is_new(sign_shard)
    note(sign_shard)
    assert not is_new(sign_shard)


def test_what_has_run_in_this_process_is_not_new_to_a_pool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[object] = []
    monkeypatch.setattr("llm_data_assets.engine.local.is_new", lambda function: not noted)
    monkeypatch.setattr("llm_data_assets.engine.local.note", noted.append)
    assert run_shards(double, [], engine=Engine(workers=2), home=tmp_path) == []
    assert not noted
    for _ in range(2):
        run_shards(double, range(3), engine=Engine(workers=2), home=tmp_path)
    assert noted == [double]


def test_a_killed_worker_is_named_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(WorkerDiedError, match=r"engine\.workers"):
        run_shards(die, range(3), engine=Engine(workers=2), home=tmp_path, n_bytes=BIG)


def test_workers_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    """Killed, it cannot tell them: they see it themselves, in the middle of a shard too."""
    said = (
        "from pathlib import Path\n"
        "from llm_data_assets.engine.local import answers\n"
        "from llm_data_assets_tests.engine.test_local import BIG, say_who_and_wait\n"
        f"list(answers(say_who_and_wait, [Path({str(tmp_path)!r})] * 2, 2, BIG))\n"
    )
    with subprocess.Popen([sys.executable, "-c", said]) as parent:
        while len(workers := [int(file.name) for file in tmp_path.iterdir()]) < 2:
            assert parent.poll() is None
            time.sleep(0.05)
        parent.kill()
    for _ in range(1200):  # a minute, so that a worker that stays is a failure and not a wait
        if not any(_runs(worker) for worker in workers):
            return
        time.sleep(0.05)
    raise AssertionError(f"of {workers} some run on without the process that started them")


def _runs(process: int) -> bool:
    """Whether it is there and not a zombie that nobody has asked after."""
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2]
    except FileNotFoundError:
        return False
    return state.split()[0] != "Z"


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
