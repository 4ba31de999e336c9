"""Files that a trainer opens: the bytes of the published layouts, and what their readers see."""

import itertools
import json
import struct
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from llm_data_assets.tokens import jsonl, mds, megatron, parquet, webdataset
from llm_data_assets.tokens.sequences import SCHEMA

WRITERS = [jsonl, mds, megatron, parquet, webdataset]
IDS = [[1, 2, 3], [4, 5], [6], [9, 8, 7, 6]]


def run(*lists: list[int]) -> pa.Table:
    """A run of one source whose n-th sequence holds the n-th list, all of one document."""
    n = len(lists)
    return pa.table(
        [range(n), ["web"] * n, range(n), [0] * n, lists, [[0] * len(each) for each in lists]],
        schema=SCHEMA,
    )


def test_megatron_bytes_are_those_of_the_published_layout(tmp_path: Path) -> None:
    made = megatron.write(tmp_path / "c", [run([1, 2, 3]), run([4, 5])], vocab_size=100)
    assert [path.name for path in made] == ["c.bin", "c.idx"]
    assert made[0].read_bytes().hex() == "01000200030004000500"
    assert made[1].read_bytes().hex() == (
        "4d4d49444944580000" "0100000000000000" "08" "0200000000000000" "0300000000000000"
        "03000000" "02000000" "0000000000000000" "0600000000000000"
        "0000000000000000" "0100000000000000" "0200000000000000"
    )  # fmt: skip
    read = megatron.read(tmp_path / "c")
    assert read.tokens.tolist() == [1, 2, 3, 4, 5]
    assert read.lengths.tolist() == [3, 2]


def test_mds_offsets_are_those_of_the_published_layout() -> None:
    # Two samples of one `bytes` column, of four and of two bytes.
    config = {
        "column_encodings": ["bytes"], "column_names": ["tokens"], "column_sizes": [None],
        "compression": None, "format": "mds", "hashes": [], "size_limit": 1 << 26, "version": 2,
    }  # fmt: skip
    data = mds.shard([b"\4\0\0\0abcd", b"\2\0\0\0ab"], config)
    assert struct.unpack_from("<4I", data) == (2, 189, 197, 203)
    assert len(data) == 203


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it closes late
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_mds_opens_with_its_own_package(tmp_path: Path) -> None:
    streaming = pytest.importorskip(
        "streaming", reason="mosaicml-streaming is not installed (it needs torch)"
    )
    shards = [
        mds.write(tmp_path / f"c-{number}", [run(*ids)], vocab_size=70_000)[0]
        for number, ids in enumerate((IDS[:2], IDS[2:]))
    ]
    (tmp_path / "index.json").write_text(json.dumps(mds.index(shards, 70_000)))
    opened = streaming.LocalDataset(str(tmp_path))
    assert [opened[number]["tokens"].tolist() for number in range(len(opened))] == IDS
    assert opened[0]["tokens"].dtype == np.int32
    assert opened[3]["segments"].tolist() == [0, 0, 0, 0]


def test_mds_without_its_package(tmp_path: Path) -> None:
    (path,) = mds.write(tmp_path / "c", [run(*IDS)], vocab_size=100)
    data = path.read_bytes()
    offsets = np.frombuffer(data, "<u4", len(IDS) + 1, 4)
    assert offsets[-1] == len(data)
    found = []
    for begin, end in itertools.pairwise(offsets):
        segments, tokens = struct.unpack_from("<2I", data, begin)
        assert begin + 8 + segments + tokens == end
        kind, length = struct.unpack_from("<BI", data, begin + 8 + segments)
        assert kind == (1 << 2 | 2)
        found.append(np.frombuffer(data[:end], "<u2", length, begin + 8 + segments + 5).tolist())
    assert found == IDS


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it closes late
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_webdataset_opens_with_its_own_package(tmp_path: Path) -> None:
    package = pytest.importorskip("webdataset", reason="webdataset is not installed")
    (path,) = webdataset.write(tmp_path / "c", [run(*IDS)], vocab_size=100)
    samples = list(package.WebDataset(str(path), shardshuffle=False).decode())
    assert [sample["tokens.npy"].tolist() for sample in samples] == IDS
    assert samples[1]["json"] == {"epoch": 0, "position": 1, "sequence": 1, "source": "web"}
    assert samples[1]["__key__"] == "000000000001"


def test_parquet_and_json_lines_hold_the_run(tmp_path: Path) -> None:
    (path,) = parquet.write(tmp_path / "c", [run(*IDS)], vocab_size=100)
    assert pq.read_table(path) == run(*IDS)
    (path,) = jsonl.write(tmp_path / "c", [run(*IDS)], vocab_size=100)
    data = zstandard.ZstdDecompressor().stream_reader(path.read_bytes()).read()
    assert [json.loads(line) for line in data.splitlines()] == run(*IDS).to_pylist()


@pytest.mark.parametrize("writer", WRITERS, ids=lambda module: module.__name__.split(".")[-1])
@pytest.mark.parametrize("wrong", [11, -1])
def test_an_id_outside_the_vocabulary_is_refused_and_nothing_is_left(
    tmp_path: Path, writer: ModuleType, wrong: int
) -> None:
    with pytest.raises(ValueError, match=f"id {wrong} .*the vocabulary has 10 pieces"):
        writer.write(tmp_path / "c", [run([1]), run([1, wrong])], vocab_size=10)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("writer", WRITERS, ids=lambda module: module.__name__.split(".")[-1])
def test_equal_runs_give_equal_bytes_and_a_run_may_be_empty(
    tmp_path: Path, writer: ModuleType
) -> None:
    first = writer.write(tmp_path / "a", [run(*IDS)], vocab_size=100)
    again = writer.write(tmp_path / "b", [run(*IDS[:2]), run(*IDS).slice(2)], vocab_size=100)
    assert [a.read_bytes() == b.read_bytes() for a, b in zip(first, again, strict=True)] == [
        True
    ] * len(first) or writer is parquet
    empty = writer.write(tmp_path / "empty", [], vocab_size=100)
    assert all(path.exists() for path in empty)
