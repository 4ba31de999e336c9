"""Two records of one source that claim the same id: the first in file order stays."""

from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from llm_data_assets.lake.catalog import literal
from llm_data_assets.lake.schemas import EDITS, RAW_CORPUS, REJECTS
from llm_data_assets.lake.shard_files import ShardFile
from llm_data_assets.stages.shards import batches, task_key
from llm_data_assets.stages.stage import Context


def without_repeated_ids(
    context: Context, files: dict[str, list[ShardFile]]
) -> dict[str, list[ShardFile]]:
    """Move every later record of a repeated id to the rejects, rewriting only its shard.

    "Later" is by (file, offset), so the outcome does not depend on shards or on arrival.
    """
    lake, partition = context.lake, context.partition.values
    repeated = _repeated(context, files[RAW_CORPUS.name])
    if not repeated:
        return files
    shards = {file.shard for file in files[RAW_CORPUS.name]} & set(repeated)
    result = {name: list(each) for name, each in files.items()}
    for shard in sorted(shards):
        losers = repeated[shard]
        for table, values, rows in (
            (RAW_CORPUS, partition, _documents_without),
            (REJECTS, partition, _rejects_with),
            (EDITS, {**partition, "stage": RAW_CORPUS.name}, _unchanged),
        ):
            old = next(file for file in result[table.name] if file.shard == shard)
            key = task_key(old.key, sorted(losers))
            new = lake.find_shard(table, values, shard, key) or lake.write_shard(
                table, values, shard, key, rows(batches(lake, table, values, old), losers)
            )
            result[table.name].remove(old)
            result[table.name].append(new)
    return {name: sorted(each) for name, each in result.items()}


Loser = tuple[str, int, str]  # file, offset, doc_id


def _repeated(context: Context, files: list[ShardFile]) -> dict[str, list[Loser]]:
    folder = context.lake.folder(RAW_CORPUS, context.partition.values)
    listed = ", ".join(literal(str(folder / file.name)) for file in files)
    rows = duckdb.connect().execute(
        f"""
        SELECT split_part(parse_filename(filename), '-', 1), origin.file, origin."offset", doc_id
        FROM read_parquet([{listed}], filename = true, hive_partitioning = false)
        QUALIFY row_number() OVER (PARTITION BY doc_id ORDER BY origin.file, origin."offset") > 1
        """
    )
    repeated: dict[str, list[Loser]] = {}
    for shard, file, offset, doc_id in rows.fetchall():
        repeated.setdefault(shard, []).append((file, offset, doc_id))
    return repeated


def _documents_without(rows: Iterator[pa.Table], losers: list[Loser]) -> Iterator[pa.Table]:
    places = pa.array([f"{offset} {file}" for file, offset, _ in losers])
    for table in rows:
        origin = table["origin"].combine_chunks()
        place = pc.binary_join_element_wise(
            pc.cast(origin.field("offset"), pa.string()), origin.field("file"), " "
        )
        yield table.filter(pc.invert(pc.is_in(place, places)))


def _rejects_with(rows: Iterator[pa.Table], losers: list[Loser]) -> Iterator[pa.Table]:
    yield from rows
    yield pa.Table.from_pylist(
        [
            {
                "file": file,
                "offset": offset,
                "error": f"repeated id: {doc_id} stands earlier in this source",
                "first_bytes": b"",
            }
            for file, offset, doc_id in sorted(losers)
        ],
        REJECTS.schema,
    )


def _unchanged(rows: Iterator[pa.Table], losers: list[Loser]) -> Iterator[pa.Table]:
    yield from rows
