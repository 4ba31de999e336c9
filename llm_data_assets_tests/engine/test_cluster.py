"""The cluster gives the tables of this machine, loses nothing with a node, and never waits for
ever."""

import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from llm_data_assets.config.engine import Engine
from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.engine import attach, cluster
from llm_data_assets.engine.errors import EngineUnreachableError
from llm_data_assets.engine.run import run_shards, side_by_side
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import lake_of, materialise
from llm_data_assets.stages.tally import _tally_file
from llm_data_assets_tests.conftest import PROJECT, sentence, write_workspace
from llm_data_assets_tests.stages.test_whole_flow import contents, materialise_all

pytest.importorskip("ray", reason="extra `ray` not installed: tests of the cluster skipped")

# Every stage that hands out shards, duplicates and the tokenizer's sample among them.
SHARDED = {
    "raw_corpus", "document_signatures", "duplicates", "deduped_corpus", "quality_signals",
    "removed_signals", "contamination", "filtered_corpus", "tokenizer", "tokenized_corpus",
    "training_export",
}  # fmt: skip
NODES = 3
STORE = {"object_store_memory": 80 << 20}


def double(number: int) -> int:
    return 2 * number


def fail(number: int) -> int:
    raise ValueError(f"shard {number} is broken")


# -- a cluster that is not there ---------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_a_port_that_says_nothing_is_an_error_within_the_bound(tmp_path: Path, scheme: str) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"{scheme}127.0.0.1:{silent.getsockname()[1]}"
        engine = Engine(kind="ray", address=address, wait_seconds=0.5)
        with pytest.raises(
            EngineUnreachableError, match=f"answered at {address} within 0.5 s. Try"
        ):
            run_shards(double, range(3), engine=engine, home=tmp_path)


def test_auto_neither_waits_for_a_cluster_that_is_gone_nor_without_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    engine = Engine(kind="ray", address="auto", wait_seconds=0.5)
    with pytest.raises(EngineUnreachableError, match="no cluster was started on this machine"):
        run_shards(double, range(3), engine=engine, home=tmp_path)
    with socket.socket() as gone:
        gone.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{gone.getsockname()[1]}"
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text(address)
    with pytest.raises(EngineUnreachableError, match=f"nothing answered at {address}"):
        run_shards(double, range(3), engine=engine, home=tmp_path)


def test_an_engine_that_is_not_installed_is_named_with_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(EngineUnreachableError, match=r"llm_data_assets\[ray\]"):
        run_shards(double, range(3), engine=Engine(kind="ray"), home=tmp_path)


def test_a_cluster_that_went_away_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attach, "_lost", ["the cluster's head went away"])
    with pytest.raises(EngineUnreachableError, match="went away"):
        attach.attach(Engine(kind="ray"))


@pytest.mark.parametrize("address", ["auto", "head:6379", "ray://head.lake:10001", "[::1]:6379"])
def test_addresses_of_a_cluster(address: str) -> None:
    assert Engine(kind="ray", address=address).address == address


@pytest.mark.parametrize("address", ["head", "http://head:8265", "ray://head", "head:port"])
def test_what_is_no_address_says_which_are(address: str) -> None:
    with pytest.raises(ValidationError, match="Try: auto, HOST:PORT"):
        Engine(kind="ray", address=address)
    with pytest.raises(ValidationError, match="kind: ray"):
        Engine(address=address)


# -- a node that is another one ----------------------------------------------------------------


def test_a_node_with_other_packages_or_another_home_is_named(tmp_path: Path) -> None:
    mark, about = cluster._mark(tmp_path), cluster._about()
    cluster._check_node(tmp_path, mark, about)
    other = tuple((name, "0.1" if name == "pyarrow" else version) for name, version in about)
    with pytest.raises(EngineUnreachableError, match=r"pyarrow \S+, not 0\.1.*Try: one image"):
        cluster._check_node(tmp_path, mark, other)
    elsewhere = tmp_path / "elsewhere"
    cluster._mark(elsewhere)
    for home in (elsewhere, tmp_path / "nowhere"):
        with pytest.raises(EngineUnreachableError, match="does not see the home"):
            cluster._check_node(home, mark, about)


# -- a cluster of three nodes ------------------------------------------------------------------


class Nodes:
    """A head without cores, and nodes of one core each, as processes on loopback."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        # Five seconds until a silent node counts as dead; half a minute is usual.
        beats = {
            "health_check_initial_delay_ms": 0,
            "health_check_period_ms": 1000,
            "health_check_timeout_ms": 1000,
            "health_check_failure_threshold": 5,
        }
        head = {"num_cpus": 0, "include_dashboard": False, "_system_config": beats, **STORE}
        self.cluster: Any = Cluster(initialize_head=True, head_node_args=head)
        self.engine = Engine(kind="ray", address=self.cluster.address, wait_seconds=60)
        self.fill_up(0)

    def fill_up(self, alive: int) -> None:
        for _ in range(alive, NODES):
            self.add()

    def add(self, tries: int = 3) -> None:
        """One more node; Ray gives it half a minute, which a busy machine may exceed."""
        try:
            self.cluster.add_node(num_cpus=1, wait=False, **STORE)
        except Exception as error:
            if "timed out during startup" not in str(error) or tries == 1:
                raise
            self.add(tries - 1)


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("PYTHONPATH", str(PROJECT))  # its workers import these tests
        started = Nodes()
        yield started
        attach.leave()
        started.cluster.shutdown()


@pytest.mark.slow  # starts a cluster
def test_answers_and_errors_are_those_of_this_machine(nodes: Nodes, tmp_path: Path) -> None:
    assert run_shards(double, range(50), engine=nodes.engine, home=tmp_path) == [
        2 * number for number in range(50)
    ]
    with pytest.raises(ValueError, match=r"^shard [0-9] is broken$"):
        run_shards(fail, range(9), engine=nodes.engine, home=tmp_path)
    with side_by_side(nodes.engine, tmp_path) as in_order:
        assert list(in_order(double, range(50))) == [2 * number for number in range(50)]


def _struck(killed: Path, written: bool, function: Callable[[Any], Any], shard: Any) -> Any:
    """A shard whose node dies under it, once; where `written`, only its answer is lost."""
    if written:
        function(shard)
    with suppress(FileExistsError):
        killed.touch(exist_ok=False)
        raylet = os.getppid()
        assert b"raylet" in Path(f"/proc/{raylet}/cmdline").read_bytes()
        os.kill(raylet, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
    return function(shard)


_REMOTE = cluster._remote


def _striking(killed: Path, written: bool, *given: Any) -> Callable[..., Any]:
    remote = _REMOTE(*given)
    struck = partial(_struck, killed, written)
    return lambda function, shard: remote(
        function if function is _tally_file else partial(struck, function), shard
    )


def _workspace(folder: Path, engine: Engine) -> Workspace:
    folder.mkdir()
    records = {
        name: [{"id": f"{name}{i}", "text": sentence(i)} for i in some]
        for name, some in (("first", range(12)), ("second", range(8, 20)))
    }
    write_workspace(folder, records)
    question = sentence(5).split(". ")[0]
    (folder / "questions.jsonl").write_text(f'{{"id": "q", "question": "{question}"}}\n')
    settings = yaml.safe_load((folder / "pipeline.yaml").read_text())
    settings |= {
        "engine": engine.model_dump(exclude_none=True),
        "evaluation_sets": {
            "asked": {"uri": "questions.jsonl", "format": "jsonl", "fields": ["question"]}
        },
    }
    (folder / "pipeline.yaml").write_text(yaml.safe_dump(settings))
    return open_workspace(folder / "home", folder / "catalog.yaml", folder / "pipeline.yaml")


def _exports(workspace: Workspace) -> dict[str, bytes]:
    folder = workspace.home / "exports"
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.slow  # a node is killed in each of eleven stages
def test_a_node_killed_in_the_middle_of_each_stage_loses_nothing(
    nodes: Nodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = _workspace(tmp_path / "here", Engine(workers=1))
    materialise_all(here)
    there = _workspace(tmp_path / "there", nodes.engine)
    lake = lake_of(there)
    struck = set()
    for number, (name, stage) in enumerate(STAGES.items()):
        killed = tmp_path / f"{name}_killed"
        with monkeypatch.context() as patch:
            striking = partial(_striking, killed, bool(number % 2))
            patch.setattr(cluster, "_remote", striking)
            for partition in stage.partitions(there):
                done = materialise(stage, partition, there)
                assert not done.blocked_by(stage), (name, partition.key)
        if killed.exists():
            struck.add(name)
            nodes.fill_up(NODES - 1)
    assert struck == SHARDED
    expected, found = contents(here), contents(there)
    assert [name for name in expected if expected[name] != found[name]] == []
    assert _exports(there) == _exports(here)
    lake.sweep()  # what the next run does first
    assert [path.name for path in lake.root.rglob(".*.tmp")] == []
