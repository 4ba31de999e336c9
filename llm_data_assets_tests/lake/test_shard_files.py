"""What a shard file is like inside."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.schemas import FILTERED_CORPUS, RAW_CORPUS, TOKENIZED_CORPUS, Table

MB = 1 << 20


def test_all_columns_but_texts_have_a_dictionary(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    for table in (RAW_CORPUS, FILTERED_CORPUS, TOKENIZED_CORPUS):
        rows = pa.table(
            {field.name: _twice(field.type) for field in table.schema}, schema=table.schema
        )
        partition = dict.fromkeys(table.partition_by, "all")
        file = lake.write_shard(table, partition, "0", "k", [rows])
        group = pq.ParquetFile(lake.folder(table, partition) / file.name).metadata.row_group(0)
        columns = [group.column(at) for at in range(group.num_columns)]
        without = {each.path_in_schema for each in columns if not each.has_dictionary_page}
        flags = {each.path_in_schema for each in columns if each.physical_type == "BOOLEAN"}
        assert without - flags == {"text"}.intersection(table.schema.names)


@pytest.mark.parametrize(
    ("batches", "groups"),
    [
        ([[1_000]] * 10, [10]),
        ([[9 * MB]] * 3, [1, 1, 1]),
        ([[1_000], [9 * MB], [1_000], [1_000]], [2, 2]),
        ([[MB] * 80], [31, 31, 18]),
        ([[]], []),
    ],
)
def test_batches_are_gathered_into_row_groups_of_8_to_32_mb(
    tmp_path: Path, batches: list[list[int]], groups: list[int]
) -> None:
    lake, table = Lake(tmp_path), Table("texts", "", (), pa.schema([("text", pa.string())]))
    texts = [["x" * size for size in sizes] for sizes in batches]
    rows = (pa.table({"text": pa.array(each, pa.string())}) for each in texts)
    file = lake.write_shard(table, {}, "0", "k", rows)
    written = pq.ParquetFile(lake.folder(table, {}) / file.name)
    assert [written.metadata.row_group(at).num_rows for at in range(len(groups))] == groups
    assert written.num_row_groups == len(groups)
    assert written.read()["text"].to_pylist() == [text for each in texts for text in each]


def _twice(kind: pa.DataType) -> pa.Array:
    """Two values that are alike."""
    if pa.types.is_struct(kind):
        return pa.StructArray.from_arrays([_twice(each.type) for each in kind], fields=list(kind))
    if pa.types.is_list(kind):
        return pa.ListArray.from_arrays([0, 1, 2], _twice(kind.value_type))
    return pa.array(["7", "7"]).cast(kind) if kind != pa.bool_() else pa.array([True, True])
