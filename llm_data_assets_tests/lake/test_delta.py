"""A partition is replaced whole, in one commit, while others read and write."""

import multiprocessing
import os
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from llm_data_assets.lake.catalog import connect, publish, relation
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.schemas import CHECKS, DEDUPED_CORPUS, TABLES
from llm_data_assets.lake.shard_files import ShardFile, content_version


def rows(*names: str) -> pa.Table:
    return pa.table({"doc_id": list(names), "n_bytes": [len(name) for name in names]})


def put(lake: Lake, source: str, shards: dict[str, pa.Table], key: str = "k") -> int:
    partition = {"source": source}
    files = [
        lake.write_shard(DEDUPED_CORPUS, partition, shard, key, [table])
        for shard, table in shards.items()
    ]
    return lake.replace_partition(DEDUPED_CORPUS, partition, files)


def ids(lake: Lake, source: str, version: int | None = None) -> list[str]:
    table = lake.read(DEDUPED_CORPUS, {"source": source}, ["doc_id"], version)
    return table["doc_id"].to_pylist()


def test_replacing_one_partition_leaves_the_others(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    put(lake, "a", {"0": rows("a/1", "a/2")})
    put(lake, "b", {"0": rows("b/1")})
    put(lake, "a", {"0": rows("a/3")})
    assert ids(lake, "a") == ["a/3"]
    assert ids(lake, "b") == ["b/1"]
    assert lake.read(DEDUPED_CORPUS).column_names == ["source", "doc_id", "n_bytes"]


def test_older_versions_can_be_read_back(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    first = put(lake, "a", {"0": rows("a/1")})
    put(lake, "a", {"0": rows("a/2")})
    assert ids(lake, "a", first) == ["a/1"]


def test_a_table_made_anew_in_its_place_is_not_read_on_from_the_one_before(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    put(lake, "a", {"0": rows("a/1")})
    assert ids(lake, "a") == ["a/1"]
    shutil.rmtree(tmp_path / DEDUPED_CORPUS.name)
    for number in range(5):
        put(lake, "b", {"0": rows(f"b/{number}")})
    assert (ids(lake, "a"), ids(lake, "b")) == ([], ["b/4"])


def test_what_other_processes_commit_is_read_on(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    put(lake, "a", {"0": rows("a/1")})
    assert ids(lake, "a") == ["a/1"]
    other = multiprocessing.get_context("spawn").Process(
        target=put, args=(lake, "a", {"0": rows("a/2"), "1": rows("a/3")})
    )
    other.start()
    other.join()
    assert ids(lake, "a") == ["a/2", "a/3"]


def check(number: int) -> pa.Table:
    return pa.Table.from_pylist([{"partition": str(number), "check": "c"}], CHECKS.schema)


def checked(lake: Lake, version: int | None = None) -> list[int]:
    rows = lake.read(CHECKS, {"asset": "a"}, ["partition"], version)
    return sorted(int(each) for each in rows["partition"].to_pylist())


def test_a_table_that_only_grows_is_folded_into_few_files(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.append(CHECKS, {"asset": "b"}, check(0))
    for number in range(150):
        lake.append(CHECKS, {"asset": "a"}, check(number), {"made": str(number)})
        assert len(lake.files(CHECKS, {"asset": "a"})) < 64
    assert checked(lake) == list(range(150))
    assert checked(lake, version=41) == list(range(40)), "older versions are as they were"
    assert len(lake.files(CHECKS, {"asset": "b"})) == 1
    noted = [note["made"] for note in lake.notes(CHECKS) if "made" in note]
    assert noted == [str(number) for number in reversed(range(150))]


def append_checks(lake: Lake, numbers: range) -> None:
    for number in numbers:
        lake.append(CHECKS, {"asset": "a"}, check(number))


def test_writers_that_fold_at_once_lose_and_double_nothing(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.append(CHECKS, {"asset": "a"}, check(0))
    context = multiprocessing.get_context("spawn")
    writers = [
        context.Process(target=append_checks, args=(lake, range(1 + at, 181, 3))) for at in range(3)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert checked(lake) == list(range(181))
    assert len(lake.files(CHECKS, {"asset": "a"})) < 2 * 64


def test_a_commit_touches_only_the_shards_that_changed(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    put(lake, "a", {"0": rows("a/1"), "1": rows("a/2")})
    before = lake.shards(DEDUPED_CORPUS, {"source": "a"})
    put(lake, "a", {"0": rows("a/1"), "1": rows("a/9")}, key="l")
    after = lake.shards(DEDUPED_CORPUS, {"source": "a"})
    assert before[0].content == after[0].content
    assert content_version(before) != content_version(after)


def test_replacing_with_the_same_files_makes_no_version(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    assert put(lake, "a", {"0": rows("a/1")}) == put(lake, "a", {"0": rows("a/1")})


def test_a_finished_shard_is_found_by_its_key_before_it_is_committed(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    partition = {"source": "a"}
    file = lake.write_shard(DEDUPED_CORPUS, partition, "0", "key", [rows("a/1")])
    assert lake.find_shard(DEDUPED_CORPUS, partition, "0", "key") == file
    assert lake.find_shard(DEDUPED_CORPUS, partition, "0", "other") is None
    assert lake.files(DEDUPED_CORPUS) == []


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    def torn() -> object:
        yield rows("a/1")
        raise OSError(28, "No space left on device")

    lake = Lake(tmp_path)
    with pytest.raises(OSError, match="No space left"):
        lake.write_shard(DEDUPED_CORPUS, {"source": "a"}, "0", "k", torn())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_equal_rows_give_equal_files(tmp_path: Path) -> None:
    files = [
        Lake(tmp_path / name).write_shard(DEDUPED_CORPUS, {"source": "a"}, "0", "k", [rows("a/1")])
        for name in ("one", "two")
    ]
    assert files[0] == files[1]
    assert ShardFile.parse(files[0].name) == files[0]


def _replace_many(root: Path, source: str, mark: str, times: int) -> None:
    for number in range(times):
        put(Lake(root), source, {"0": rows(*(f"{mark}/{number}/{i}" for i in range(50)))}, mark)


def test_a_table_that_another_writer_makes_meanwhile_is_taken_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = DeltaTable.create

    def late(*args: object, **options: object) -> None:
        monkeypatch.setattr(DeltaTable, "create", create)
        put(Lake(tmp_path), "a", {"0": rows("a/1")})
        raise CommitFailedError("a concurrent transaction deleted data this operation read")

    monkeypatch.setattr(DeltaTable, "create", late)
    put(Lake(tmp_path), "b", {"0": rows("b/1")})
    assert (ids(Lake(tmp_path), "a"), ids(Lake(tmp_path), "b")) == (["a/1"], ["b/1"])


def test_concurrent_writers_lose_nothing_and_readers_never_see_a_half(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    jobs = [("a", "one"), ("b", "two"), ("a", "three")]
    writers = [context.Process(target=_replace_many, args=(tmp_path, *job, 15)) for job in jobs]
    for writer in writers:
        writer.start()
    lake, seen = Lake(tmp_path), 0
    while any(writer.is_alive() for writer in writers):
        for source in ("a", "b"):
            found = ids(lake, source)
            assert len(found) in (0, 50)
            assert len({name.rsplit("/", 1)[0] for name in found}) <= 1
            seen += bool(found)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert seen > 0
    assert {name.split("/")[0] for name in ids(lake, "b")} == {"two"}
    assert len(ids(lake, "a")) == 50


def test_a_killed_writer_leaves_the_old_or_the_new_version(tmp_path: Path) -> None:
    put(Lake(tmp_path), "a", {"0": rows(*(f"old/{i}" for i in range(50)))})
    context = multiprocessing.get_context("spawn")
    for delay in (0.0, 0.15, 0.4):
        writer = context.Process(target=_replace_many, args=(tmp_path, "a", "new", 1_000))
        writer.start()
        while writer.is_alive() and ids(Lake(tmp_path), "a")[0].startswith("old") and delay:
            time.sleep(0.01)
        time.sleep(delay)
        os.kill(writer.pid or 0, signal.SIGKILL)
        writer.join()
        assert len(ids(Lake(tmp_path), "a")) == 50
    assert put(Lake(tmp_path), "a", {"0": rows("after")}) > 0
    assert ids(Lake(tmp_path), "a") == ["after"]


def test_every_table_is_a_view_even_when_empty(tmp_path: Path) -> None:
    publish(tmp_path, TABLES.values(), {})
    connection = connect(tmp_path)
    for name, table in TABLES.items():
        found = connection.execute(f"SELECT * FROM {name}")
        names = [column[0] for column in found.description]
        if name != DEDUPED_CORPUS.name:  # a query sees it with the text of its documents
            assert names == table.full_schema.names
        assert found.fetchall() == []


def test_the_catalog_is_read_only_and_a_new_publication_is_seen(tmp_path: Path) -> None:
    import duckdb

    lake = Lake(tmp_path / "lake")
    publish(tmp_path, TABLES.values(), {})
    old = connect(tmp_path)
    put(lake, "a", {"0": rows("a/1")})
    publish(tmp_path, TABLES.values(), {"counted": "SELECT 1 AS one"})
    assert connect(tmp_path).execute("SELECT * FROM counted").fetchall() == [(1,)]
    with pytest.raises(duckdb.Error):
        old.execute("SELECT * FROM counted").fetchall()
    with pytest.raises(duckdb.Error):
        connect(tmp_path).execute("CREATE TABLE t (x INTEGER)")


def test_connecting_to_an_empty_home_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="llm-data run"):
        connect(tmp_path)


def test_every_column_has_a_description() -> None:
    for table in TABLES.values():
        for field in table.full_schema:
            assert (field.metadata or {}).get(b"description"), f"{table.name}.{field.name}"


def test_polars_reads_the_tables_as_they_are(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    put(lake, "a", {"0": rows("a/1")})
    put(lake, "a", {"0": rows("a/1", "a/2")}, key="l")
    put(lake, "b", {"0": rows("b/1")})
    found = pl.read_delta(str(lake.table_path(DEDUPED_CORPUS))).sort("doc_id")
    assert found.select("source", "doc_id").rows() == [("a", "a/1"), ("a", "a/2"), ("b", "b/1")]


def test_a_column_that_is_new_is_null_in_files_from_before(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    put(lake, "a", {"0": rows("a/1")})
    new = pa.field("n_words", pa.int64(), metadata={"description": "Words"})
    grown = replace(DEDUPED_CORPUS, schema=DEDUPED_CORPUS.schema.append(new))
    assert lake.read(grown)["n_words"].to_pylist() == [None]
    select = "SELECT source, doc_id, n_words FROM {} ORDER BY source"
    queried = duckdb.sql(select.format(relation(lake, grown)))
    assert queried.fetchall() == [("a", "a/1", None)]
    more = rows("b/1").append_column("n_words", pa.array([7], pa.int64()))
    partition = {"source": "b"}
    lake.replace_partition(grown, partition, [lake.write_shard(grown, partition, "0", "k", [more])])
    queried = duckdb.sql(select.format(relation(lake, grown)))
    assert queried.fetchall() == [("a", "a/1", None), ("b", "b/1", 7)]
    assert lake.read(grown)["n_words"].to_pylist() == [None, 7]
