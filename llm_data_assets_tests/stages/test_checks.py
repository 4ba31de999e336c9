"""Checks that look at stored files see what is really there."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.schemas import RAW_CORPUS
from llm_data_assets.lake.shard_files import ShardFile
from llm_data_assets.stages import checks
from llm_data_assets.stages.checks import NO_EMPTY_RAW, RAW_SCHEMA
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import lake_of, materialise
from llm_data_assets.stages.stage import Context, Partition


def test_a_file_with_other_columns_fails_the_schema_check(small_workspace: Workspace) -> None:
    partition = Partition(source="first")
    assert materialise(STAGES["raw_corpus"], partition, small_workspace).checks["schema"].passed
    lake = lake_of(small_workspace)
    rows = pq.read_table(lake.files(RAW_CORPUS, partition.values)[0], partitioning=None)
    narrow = rows.set_column(
        rows.schema.get_field_index("n_bytes"), "n_bytes", rows["n_bytes"].cast(pa.int32())
    )
    foreign = ShardFile("0", "foreign", "bytes")
    pq.write_table(narrow, lake.folder(RAW_CORPUS, partition.values) / foreign.name)
    lake.replace_partition(RAW_CORPUS, partition.values, [foreign])
    found = RAW_SCHEMA.evaluate(Context(small_workspace, lake, partition))
    assert not found.passed
    assert found.samples[0]["file"] == foreign.name


def test_a_text_without_a_word_is_named(small_workspace: Workspace) -> None:
    partition = Partition(source="first")
    materialise(STAGES["raw_corpus"], partition, small_workspace)
    lake = lake_of(small_workspace)
    rows = lake.read_shard(
        RAW_CORPUS, partition.values, lake.shards(RAW_CORPUS, partition.values)[0]
    )
    texts = pa.array([" \n\t", None, *rows["text"].to_pylist()[2:]], pa.string())
    blank = rows.set_column(rows.schema.get_field_index("text"), "text", texts)
    file = lake.write_shard(RAW_CORPUS, partition.values, "0", "blank", [blank])
    lake.replace_partition(RAW_CORPUS, partition.values, [file])
    found = NO_EMPTY_RAW.evaluate(Context(small_workspace, lake, partition))
    assert (found.passed, found.observed) == (False, 2)
    assert [row["doc_id"] for row in found.samples] == rows["doc_id"].to_pylist()[:2]


def test_only_texts_that_no_version_before_had_are_looked_at(
    small_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    partition = Partition(source="first")
    materialise(STAGES["raw_corpus"], partition, small_workspace)
    lake = lake_of(small_workspace)
    (old,) = lake.shards(RAW_CORPUS, partition.values)
    rows = lake.read_shard(RAW_CORPUS, partition.values, old)
    read: list[ShardFile] = []
    monkeypatch.setattr(
        checks, "batches", lambda lake, table, values, file, columns: read.append(file) or [rows]
    )
    context = Context(small_workspace, lake, partition)
    assert NO_EMPTY_RAW.evaluate(context).passed
    assert read == []
    new = lake.write_shard(RAW_CORPUS, partition.values, "1", "more", [rows])
    lake.replace_partition(RAW_CORPUS, partition.values, [old, new])
    assert NO_EMPTY_RAW.evaluate(context).passed
    assert read == [new]
