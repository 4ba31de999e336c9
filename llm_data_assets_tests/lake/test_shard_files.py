"""What a shard file is like inside."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.schemas import FILTERED_CORPUS, RAW_CORPUS, TOKENIZED_CORPUS


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


def _twice(kind: pa.DataType) -> pa.Array:
    """Two values that are alike."""
    if pa.types.is_struct(kind):
        return pa.StructArray.from_arrays([_twice(each.type) for each in kind], fields=list(kind))
    if pa.types.is_list(kind):
        return pa.ListArray.from_arrays([0, 1, 2], _twice(kind.value_type))
    return pa.array(["7", "7"]).cast(kind) if kind != pa.bool_() else pa.array([True, True])
