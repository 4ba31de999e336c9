"""What a killed writer left is told from what is being written, also on another machine."""

import multiprocessing
import os
import time
from pathlib import Path

import pytest

from llm_data_assets.lake import temporaries
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.temporaries import ABANDONED_SECONDS, beside, is_left, where


def _leave(path: Path) -> None:
    beside(path).touch()


def left_by_a_process_that_ended(path: Path) -> Path:
    before = set(path.parent.glob(".*.tmp"))
    child = multiprocessing.get_context("spawn").Process(target=_leave, args=(path,))
    child.start()
    child.join()
    (left,) = set(path.parent.glob(".*.tmp")) - before
    return left


def test_what_an_ended_process_left_is_swept_and_what_is_being_written_stays(
    tmp_path: Path,
) -> None:
    ours = beside(tmp_path / "shard")
    ours.touch()
    left = left_by_a_process_that_ended(tmp_path / "shard")
    assert (is_left(ours), is_left(left)) == (False, True)
    assert Lake(tmp_path).sweep() == 1
    assert [path.name for path in tmp_path.iterdir()] == [ours.name]


def test_another_machines_file_stays_although_its_process_id_is_nobodys_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = left_by_a_process_that_ended(tmp_path / "shard")
    monkeypatch.setattr(temporaries.socket, "gethostname", lambda: "another")
    assert Lake(tmp_path).sweep() == 0
    os.utime(left, times=(time.time(), time.time() - ABANDONED_SECONDS - 60))
    assert Lake(tmp_path).sweep() == 1


@pytest.mark.parametrize("what", ["gethostname", "boot", "namespace"])
def test_machine_boot_and_namespace_each_make_another_place(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = where()
    if what == "gethostname":
        monkeypatch.setattr(temporaries.socket, "gethostname", lambda: "another")
    elif what == "boot":
        (tmp_path / "boot_id").write_text("another\n")
        monkeypatch.setattr(temporaries, "_BOOT", tmp_path / "boot_id")
    else:
        (tmp_path / "pid").symlink_to("pid:[1]")
        monkeypatch.setattr(temporaries, "_NAMESPACE", tmp_path / "pid")
    assert where() != here


def test_a_name_of_no_known_form_is_swept_by_its_age(tmp_path: Path) -> None:
    odd = tmp_path / ".shard-1-a.tmp"
    odd.touch()
    assert not is_left(odd)
    os.utime(odd, times=(0, 0))
    assert is_left(odd)
    assert not is_left(tmp_path / ".gone-1-a.tmp")
