"""Bounded trials of runs that are disturbed: `python -m llm_data_assets_tests.faults.trials FAULT`.

Each trial starts from a finished home whose sources and settings have changed since, and disturbs
the run that follows: it is killed (`kill`), its disk is full (`space`; Linux, with the right to
mount in a namespace of one's own), or two of it run at once (`twice`). Then a reader looks: every
partition must hold its old or its new content, whole. Then a run that nobody disturbs must end
where one in a quiet home did, byte for byte, and leave no temporary file. Anything else is a loss.
`--stage` has `kill` strike in one stage alone.

This process forks a child a trial, which costs no imports, and so starts no thread of its own:
all work with tables is done in children.
"""

import argparse
import ctypes
import hashlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.lake.shard_files import file_digest
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import lake_of, materialise
from llm_data_assets.stages.stage import Context
from llm_data_assets.stages.versions import is_fresh
from llm_data_assets.versions.pins import files_by_table
from llm_data_assets_tests.conftest import sentence, write_workspace
from llm_data_assets_tests.stages.test_whole_flow import contents

Times = Mapping[str, float]  # when each stage began in an undisturbed run, and "the end"
_CLONE_NEWUSER, _CLONE_NEWNS = 0x10000000, 0x00020000
_SPACE_FROM, _SPACE_TO = 16 << 10, 680 << 10


def open_at(folder: Path) -> Workspace:
    """The workspace of a trial."""
    return open_workspace(folder / "home", folder / "catalog.yaml", folder / "pipeline.yaml")


def make(folder: Path) -> dict[str, float]:
    """Every partition that is not fresh; says in `stage` which one is under way.

    Returns:
        When each stage began that had something to do, in seconds from the start.
    """
    start, began = time.monotonic(), {}
    workspace = open_at(folder)
    lake_of(workspace).sweep()
    for name, stage in STAGES.items():
        for partition in stage.partitions(workspace):
            if not is_fresh(stage, Context(workspace, lake_of(workspace), partition), STAGES):
                (folder / "stage").write_text(name)
                began.setdefault(name, time.monotonic() - start)
                done = materialise(stage, partition, workspace)
                assert not done.blocked_by(stage), (name, partition.key)
    return began | {"the end": time.monotonic() - start}


def change(folder: Path) -> None:
    """What the second run has to carry out: new documents, and other rules."""
    with (folder / "a.jsonl").open("a") as file:
        for number in range(40, 48):
            file.write(json.dumps({"id": f"late{number}", "text": sentence(number)}) + "\n")
    with (folder / "talks.jsonl").open("a") as file:
        file.writelines(json.dumps(talk(number)) + "\n" for number in range(12, 16))
    pipeline = folder / "pipeline.yaml"
    pipeline.write_text(pipeline.read_text().replace("rules: [gopher, clean]", "rules: [clean]"))


def talk(number: int) -> dict[str, str]:
    """A dialogue of two turns."""
    return {"instruction": f"Say it in {number} words: {sentence(number)}", "output": sentence(99)}


def picture(folder: Path) -> dict[str, str]:
    """What a reader finds: a digest of the content of each partition; files must be whole."""
    lake = lake_of(open_at(folder))
    found: dict[str, list[str]] = {}
    for table, paths in files_by_table(lake).items():
        for path in paths:
            shard, _, content = Path(path).stem.split("-")
            assert file_digest(lake.root / table / path) == content, f"{table}/{path} is torn"
            place = f"{table}/{Path(path).parent}"
            found.setdefault(place, []).append(f"{shard} {content}")
    return {place: json.dumps(sorted(files)) for place, files in found.items()}


def final(folder: Path) -> dict[str, str]:
    """Digest of every table's rows."""
    tables = contents(open_at(folder)).items()
    return {name: hashlib.sha256(rows).hexdigest() for name, rows in tables}


def temporaries(folder: Path) -> list[str]:
    """Files that are neither shards nor log entries of the lake, and halves of publications."""
    home = folder / "home"
    in_lake = [path for path in (home / "lake").rglob("*") if path.is_file()]
    left = [path for path in in_lake if path.suffix not in (".parquet", ".json")]
    left += [*home.glob(".catalog-*.wal"), *home.glob(".catalog-*.link")]
    return [path.name for path in left if path.name != "_last_checkpoint"]


def start(function: Callable[[], Any], answer: Path) -> int:
    """Run `function` in a child; its result goes to `answer` as JSON. Returns the process."""
    process = os.fork()
    if process:
        return process
    code = 0
    try:
        answer.write_text(json.dumps(function()))
    except BaseException:
        answer.write_text(json.dumps({"error": traceback.format_exc()}))
        code = 1
    os._exit(code)


def ask(function: Callable[[], Any], folder: Path) -> Any:
    """The result of `function`, from a child.

    Raises:
        RuntimeError: it failed; the message is the child's traceback.
    """
    answer = folder / "answer.json"
    answer.unlink(missing_ok=True)
    _, status = os.waitpid(start(function, answer), 0)
    if os.WIFSIGNALED(status):
        raise RuntimeError(f"ended by signal {os.WTERMSIG(status)}")
    found = json.loads(answer.read_text())
    if isinstance(found, dict) and "error" in found:
        raise RuntimeError(found["error"])
    return found


def kill(folder: Path, dice: random.Random, times: Times, stage: str | None = None) -> str:
    """The run is killed at a moment of its time, or of a stage; returns the stage it was in."""
    process = start(lambda: make(folder), folder / "killed.json")
    if stage:
        while (folder / "stage").read_text() != stage:
            time.sleep(0.001)
        later = sorted(at - times[stage] for at in times.values() if at > times[stage])
        time.sleep(dice.uniform(0, later[0]))
    else:
        time.sleep(dice.uniform(0, times["the end"]))
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return (folder / "stage").read_text()


def twice(folder: Path, dice: random.Random, times: Times) -> str:
    """Two runs of the same partitions at once, the second a little later; both must succeed."""
    one = start(lambda: make(folder), folder / "one.json")
    time.sleep(dice.uniform(0, times["the end"] / 4))
    other = start(lambda: make(folder), folder / "other.json")
    for process, name in ((one, "one"), (other, "other")):
        if os.waitpid(process, 0)[1]:
            raise RuntimeError((folder / f"{name}.json").read_text())
    return "two runs"


def space(folder: Path, dice: random.Random, times: Times) -> str:
    """The run is on a disk that gets full; returns the stage that it failed in."""
    size = dice.randint(_SPACE_FROM, _SPACE_TO)
    said = ask(lambda: _on_small_disk(folder, size), folder)
    assert not said.startswith("ended by signal"), said
    return (folder / "stage").read_text() if said else "no stage: it fitted"


def _on_small_disk(folder: Path, free: int) -> str:
    """Run on a file system that has `free` bytes left; what is there afterwards is copied back."""
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNS):
        raise PermissionError("no namespace of one's own")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    home, beside = folder / "home", folder / "before"
    home.rename(beside)
    home.mkdir()
    if libc.mount(b"none", str(home).encode(), b"tmpfs", 0, b""):
        raise PermissionError("no right to mount")
    shutil.copytree(beside, home, dirs_exist_ok=True, symlinks=True)
    status = os.statvfs(home)
    used = (status.f_blocks - status.f_bfree) * status.f_frsize
    remount = 32
    options = f"size={used + free}".encode()
    assert not libc.mount(b"none", str(home).encode(), b"tmpfs", remount, options)
    try:
        ask(lambda: make(folder), folder)
        said = ""
    except RuntimeError as error:  # a message; a signal would be a loss of its own
        said = str(error)
    after = folder / "after"
    shutil.copytree(home, after, symlinks=True)
    assert not libc.umount(str(home).encode())
    home.rmdir()
    after.rename(home)
    shutil.rmtree(beside)
    return said


FAULTS = {"kill": kill, "space": space, "twice": twice}


def run_trials(
    fault: str, trials: int, seed: int, root: Path, stage: str | None = None
) -> dict[str, Any]:
    """Trials and losses by the stage that was disturbed, and what was lost."""
    dice = random.Random(seed)
    start_folder, quiet = root / "start", root / "quiet"
    start_folder.mkdir()
    records = {
        name: [{"id": str(i), "text": sentence(i)} for i in some]
        for name, some in (("a", range(12)), ("b", range(8, 20)))
    }
    write_workspace(start_folder, records)
    with (start_folder / "catalog.yaml").open("a") as catalog:
        catalog.write("  talks: {format: alpaca, uris: [talks.jsonl], license: CC0-1.0}\n")
    (start_folder / "talks.jsonl").write_text(
        "".join(json.dumps(talk(number)) + "\n" for number in range(12))
    )
    ask(lambda: make(start_folder), start_folder)
    before = ask(lambda: picture(start_folder), start_folder)
    change(start_folder)
    (start_folder / "stage").write_text("before the first stage")
    shutil.copytree(start_folder, quiet, symlinks=True)
    times = ask(lambda: make(quiet), quiet)
    disturb = partial(kill, stage=stage) if stage else FAULTS[fault]
    after, expected = (ask(lambda f=f: f(quiet), quiet) for f in (picture, final))
    tried: Counter[str] = Counter()
    lost: dict[str, list[str]] = {}
    for number in range(trials):
        folder = root / f"trial{number}"
        shutil.copytree(start_folder, folder, symlinks=True)
        where = fault
        try:
            where = disturb(folder, dice, times)
            seen = ask(lambda folder=folder: picture(folder), folder)
            for place in before.keys() | after.keys() | seen.keys():
                one, other, found = (each.get(place) for each in (before, after, seen))
                assert found in (one, other), f"half: {place}: {found}, not {one} or {other}"
            ask(lambda folder=folder: make(folder), folder)
            ended = ask(lambda folder=folder: final(folder), folder)
            assert ended == expected, [name for name in expected if ended[name] != expected[name]]
            assert temporaries(folder) == []
        except (AssertionError, RuntimeError, OSError) as error:
            lost.setdefault(where, []).append(str(error)[-600:])
        tried[where] += 1
        shutil.rmtree(folder)
    return {
        "fault": fault,
        "seconds_undisturbed": round(times["the end"], 2),
        "trials": dict(sorted(tried.items())),
        "losses": {where: len(each) for where, each in lost.items()},
        "lost": lost,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fault", choices=sorted(FAULTS))
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--stage", choices=sorted(STAGES), help="of `kill`")
    given = parser.parse_args()
    if given.stage and given.fault != "kill":
        parser.error("--stage goes with kill")
    with tempfile.TemporaryDirectory() as folder:
        found = run_trials(given.fault, given.trials, given.seed, Path(folder), given.stage)
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
