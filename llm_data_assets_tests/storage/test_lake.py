"""Tables on an object store: what holds for a lake on a disk holds there, for many machines."""

import multiprocessing
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import fsspec
import pyarrow as pa
import pytest

from llm_data_assets.config.workspace import STORE_MARK, Workspace, open_workspace
from llm_data_assets.lake.catalog import connect
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.schemas import DUPLICATES, STAGE_STATS
from llm_data_assets.lake.storage import StorageError
from llm_data_assets.stages import materialise as materialise_module
from llm_data_assets.stages.damage import damaged, mend
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import lake_of, materialise
from llm_data_assets.stages.publication import publish_catalog
from llm_data_assets.stages.takedown import purge
from llm_data_assets.versions.garbage import collect, garbage
from llm_data_assets_tests.conftest import sentence, write_workspace
from llm_data_assets_tests.storage.conftest import Environ, Store

WEB = {"source": "web"}
_TURNS = 4


def lake_at(folder: Path, bucket: str) -> Lake:
    """The lake of one machine: copies in `folder`, tables in the bucket."""
    (folder / "lake").mkdir(parents=True, exist_ok=True)
    (folder / STORE_MARK).write_text(f"s3://{bucket}/lake\n")
    return Lake(folder / "lake")


def rows(*names: str) -> pa.Table:
    return pa.Table.from_pylist(
        [{"doc_id": name, "kept_doc_id": "k", "kept_source": "s", "similarity": 1.0,
          "method": "exact"} for name in names],
        DUPLICATES.schema,
    )  # fmt: skip


def replace(lake: Lake, partition: dict[str, str], *names: str) -> int:
    file = lake.write_shard(
        DUPLICATES, partition, "all", "-".join(names).replace("-", "_"), [rows(*names)]
    )
    return lake.replace_partition(DUPLICATES, partition, [file])


def read(
    lake: Lake, partition: dict[str, str] | None = None, version: int | None = None
) -> list[str]:
    return lake.read(DUPLICATES, partition, ["doc_id"], version)["doc_id"].to_pylist()


def test_another_machine_reads_what_one_wrote(bucket: str, tmp_path: Path) -> None:
    one, other = lake_at(tmp_path / "one", bucket), lake_at(tmp_path / "other", bucket)
    assert not other.exists(DUPLICATES) and read(other) == []
    first = replace(one, WEB, "a", "b")
    assert read(other) == ["a", "b"]
    replace(other, WEB, "c")
    assert read(one) == ["c"] and read(one, version=first) == ["a", "b"]
    shutil.rmtree(tmp_path / "one")
    assert read(lake_at(tmp_path / "one", bucket)) == ["c"]
    assert one.sweep() == 0


def test_a_finished_shard_of_another_machine_is_found(bucket: str, tmp_path: Path) -> None:
    one, other = lake_at(tmp_path / "one", bucket), lake_at(tmp_path / "other", bucket)
    file = one.write_shard(DUPLICATES, WEB, "all", "k1", [rows("a")])
    assert read(other) == []  # finished, and named by no version
    assert other.find_shard(DUPLICATES, WEB, "all", "k1") == file
    assert other.find_shard(DUPLICATES, WEB, "all", "k2") is None
    assert other.read_shard(DUPLICATES, WEB, file)["doc_id"].to_pylist() == ["a"]


def _write(folder: Path, bucket: str, writer: int, same: bool) -> None:
    lake = lake_at(folder / str(writer), bucket)
    for turn in range(_TURNS):
        partition = WEB if same else {"source": f"w{writer}"}
        replace(lake, partition, *(f"{writer}_{turn}_{i}" for i in range(3)))


@pytest.mark.parametrize("same", [False, True])
def test_writers_on_several_machines_exclude_each_other(
    bucket: str, tmp_path: Path, same: bool
) -> None:
    reader = lake_at(tmp_path / "reader", bucket)
    reader.open(DUPLICATES)
    context = multiprocessing.get_context("spawn")
    writers = [
        context.Process(target=_write, args=(tmp_path, bucket, number, same)) for number in (1, 2)
    ]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        for partition in [WEB] if same else [{"source": "w1"}, {"source": "w2"}]:
            found = read(reader, partition)
            assert len(found) in (0, 3) and len({name.rpartition("_")[0] for name in found}) <= 1
        time.sleep(0.2)
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    if same:
        assert read(reader, WEB)[0].rpartition("_")[0] in ("1_3", "2_3")
    else:
        assert read(reader) == ["1_3_0", "1_3_1", "1_3_2", "2_3_0", "2_3_1", "2_3_2"]


def test_a_killed_writer_leaves_nothing_that_is_read(bucket: str, tmp_path: Path) -> None:
    reader = lake_at(tmp_path / "reader", bucket)
    replace(reader, {"source": "w1"}, "x_0", "x_1", "x_2")
    context = multiprocessing.get_context("spawn")
    for seconds in (3.0, 3.5, 4.0):
        writer = context.Process(target=_write, args=(tmp_path, bucket, 1, False))
        writer.start()
        time.sleep(seconds)
        writer.kill()
        writer.join()
        found = read(reader, {"source": "w1"})
        assert len(found) == 3 and len({name.rpartition("_")[0] for name in found}) == 1
    assert replace(lake_at(tmp_path / "1", bucket), {"source": "w1"}, "y") > 0
    assert read(reader, {"source": "w1"}) == ["y"]


def test_a_listing_that_lags_shows_an_older_whole_and_loses_no_commit(
    bucket: str, store: Store, tmp_path: Path
) -> None:
    """The log is listed as it was: the commit finds its number taken, and takes the next."""
    one, other = lake_at(tmp_path / "one", bucket), lake_at(tmp_path / "other", bucket)
    replace(one, WEB, "a")
    seen: list[bytes] = []

    def lags(environ: Environ) -> tuple[str, bytes] | None:
        if environ["REQUEST_METHOD"] != "GET" or "list-type" not in environ["QUERY_STRING"]:
            return None
        return ("200 OK", seen[0]) if seen else None

    import urllib.request

    prefix = f"{store.address}/{bucket}?list-type=2&prefix=lake/duplicates/_delta_log/"
    seen.append(urllib.request.urlopen(prefix).read())
    replace(one, {"source": "b"}, "b")
    store.troubles.append(lags)
    assert read(other) == ["a"]
    store.troubles.clear()
    replace(other, {"source": "c"}, "c")
    assert read(one) == read(other) == ["b", "c", "a"]  # by partition: `web` is the last


@pytest.mark.parametrize("method", ["PUT", "GET", ""])
def test_a_busy_store_is_asked_again(
    bucket: str, store: Store, tmp_path: Path, method: str
) -> None:
    lake = lake_at(tmp_path, bucket)
    replace(lake, WEB, "a")
    store.busy(3, method)
    replace(lake, WEB, "b")
    store.slow(4, 0.3)
    assert read(lake_at(tmp_path / "other", bucket)) == ["b"]


def test_a_commit_whose_answer_is_lost_is_made_once(
    bucket: str, store: Store, tmp_path: Path
) -> None:
    """The store has the commit, the client hears 500 and tries again: its own number is taken."""
    lake = lake_at(tmp_path, bucket)
    replace(lake, WEB, "a")
    lost = [1]

    def answer_is_lost(environ: Environ) -> tuple[str, bytes] | None:
        path = environ["PATH_INFO"]
        if environ["REQUEST_METHOD"] == "PUT" and "_delta_log" in path and lost[0]:
            lost[0] -= 1
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            fsspec.filesystem("s3").pipe_file(path.lstrip("/"), body)
            environ["CONTENT_LENGTH"] = "0"
            return "500 Internal Server Error", b"<Error><Code>InternalError</Code></Error>"
        return None

    store.troubles.append(answer_is_lost)
    replace(lake, WEB, "b")
    assert lost == [0] and read(lake) == ["b"]


@pytest.mark.parametrize("code", ["InvalidAccessKeyId", "ExpiredToken"])
def test_refused_credentials_are_said_to_be_so(
    bucket: str, store: Store, tmp_path: Path, code: str
) -> None:
    lake = lake_at(tmp_path, bucket)
    replace(lake, WEB, "a")
    store.denied(code)
    with pytest.raises(StorageError, match=r"s3://.*Try: .*credentials"):
        read(lake)
    store.troubles.clear()
    store.denied(code, lambda environ: environ["REQUEST_METHOD"] == "PUT")
    with pytest.raises(StorageError, match=r"s3://.*Try: .*credentials"):
        replace(lake, WEB, "b")
    store.troubles.clear()
    assert read(lake) == ["a"]
    replace(lake, WEB, "b")
    assert read(lake_at(tmp_path / "other", bucket)) == ["b"]


@pytest.fixture
def workspace(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace whose home is a URL; its copies lie in a cache of their own."""
    written = write_workspace(
        tmp_path, {"first": [{"id": f"a{i}", "text": sentence(i)} for i in range(6)]}
    )
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LLM_DATA_HOME", f"s3://{bucket}/home")
    return open_workspace(None, written.catalog.path, written.pipeline.path)


UP_TO_DUPLICATES = ("raw_corpus", "document_signatures", "duplicates", "deduped_corpus")


def run_all(workspace: Workspace, names: Sequence[str]) -> None:
    """The stages; the catalog is published once, at the end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(materialise_module, "publish_catalog", lambda workspace: None)
        for name in names:
            for partition in STAGES[name].partitions(workspace):
                materialise(STAGES[name], partition, workspace)
    publish_catalog(workspace)


@pytest.mark.parametrize(
    "names", [UP_TO_DUPLICATES, pytest.param(tuple(STAGES), marks=pytest.mark.slow)], ids=len
)
def test_the_flow_on_a_store_gives_the_tables_of_a_disk(
    workspace: Workspace,
    bucket: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    names: Sequence[str],
) -> None:
    run_all(workspace, names)
    on_disk = open_workspace(tmp_path / "disk", workspace.catalog.path, workspace.pipeline.path)
    run_all(on_disk, names)

    def contents(lake: Lake) -> list[str]:
        return [f"{path.parent.name}/{path.name}" for stage in STAGES.values()
                for path in lake.files(stage.table)]  # fmt: skip

    assert contents(lake_of(workspace)) == contents(lake_of(on_disk))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another machine"))
    there = open_workspace(None, workspace.catalog.path, workspace.pipeline.path)
    assert there.home != workspace.home and contents(lake_of(there)) == contents(lake_of(on_disk))
    counted = "SELECT count(*) FROM raw_corpus"
    assert connect(workspace.home).execute(counted).fetchall() == [(6,)]
    _mends_and_forgets(workspace, bucket)


def _mends_and_forgets(workspace: Workspace, bucket: str) -> None:
    """A damaged copy is made again, old versions go from the store as well."""
    lake = lake_of(workspace)
    (file,) = lake.files(STAGES["raw_corpus"].table)
    file.write_bytes(file.read_bytes()[:-9] + b"x" * 9)
    found = list(damaged(workspace))
    assert [each.path for each in found] == [file] and mend(workspace, found) == []
    first = workspace.catalog.path.parent / "first.jsonl"
    first.write_text("".join(first.read_text().splitlines(keepends=True)[:-1]))
    run_all(workspace, UP_TO_DUPLICATES)
    assert garbage(workspace) != []
    gone = {path for each in collect(workspace) for path in each.files}
    s3 = fsspec.filesystem("s3")
    s3.invalidate_cache()
    left = {name.rpartition("/")[2] for name in s3.find(f"{bucket}/home")}
    assert file.name not in left and left.isdisjoint(path.name for path in gone)
    assert all(path.exists() for path in lake.files(STAGE_STATS))
    assert purge(workspace) >= 0
