"""Shard files: `<shard>-<key>-<content>.parquet`.

Which part of the input a file holds, what it was made from (a digest of inputs, code and settings),
and the digest of its own bytes. So an interrupted run finds its finished shards by key, a commit
names exactly the files that changed, and a damaged file can be told by its name.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

_ROW_GROUP_BYTES = 32 << 20
# Rows wait for so many: a group of `quality_signals` costs 17 ms for its 170 columns, however few
# its rows are, and what is measured of a batch of text takes a fifth of what the batch does.
_LEAST_GROUP_BYTES = 8 << 20


@dataclass(frozen=True, order=True)
class ShardFile:
    """One Parquet file of a partition: which shard, what it was made from, what it holds."""

    shard: str
    key: str
    content: str

    @property
    def name(self) -> str:
        return f"{self.shard}-{self.key}-{self.content}.parquet"

    @classmethod
    def parse(cls, name: str) -> "ShardFile":
        shard, key, content = name.removesuffix(".parquet").split("-")
        return cls(shard, key, content)


class ShardWriter:
    """Rows on their way into a shard file, a row group at a time."""

    file: ShardFile

    def __init__(self, parquet: pq.ParquetWriter) -> None:
        self._parquet = parquet
        self._held: list[pa.Table] = []
        self._n_bytes = 0

    def write(self, table: pa.Table) -> None:
        """Add rows; they need the columns of the table's schema, in any order."""
        schema = self._parquet.schema
        rows = table.select(schema.names).cast(schema)
        if rows.num_rows:
            self._held.append(rows)
            self._n_bytes += rows.nbytes
        if self._n_bytes >= _LEAST_GROUP_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what is held."""
        if self._held:
            rows = pa.concat_tables(self._held).combine_chunks()
            per_row = max(1, self._n_bytes // rows.num_rows)
            self._parquet.write_table(rows, row_group_size=max(1, _ROW_GROUP_BYTES // per_row))
        self._held, self._n_bytes = [], 0


def columns_that_repeat(schema: pa.Schema) -> list[str]:
    """Parquet's names of the columns that a dictionary may make smaller: all but a document's text.

    Looking for repeated texts takes a sixth of the time of writing and reading them.
    """

    def leaves(field: pa.Field, path: str) -> list[str]:
        if pa.types.is_struct(field.type):
            return [leaf for each in field.type for leaf in leaves(each, f"{path}.{each.name}")]
        if pa.types.is_list(field.type):
            return leaves(field.type.value_field, f"{path}.list.element")
        return [path]

    return [leaf for field in schema if field.name != "text" for leaf in leaves(field, field.name)]


def content_version(files: Iterable[ShardFile]) -> str:
    """Digest of what a partition holds: equal for equal files, whatever they were made from."""
    text = "\n".join(f"{file.shard} {file.content}" for file in sorted(files))
    return xxhash.xxh3_128_hexdigest(text.encode())


def file_digest(path: Path) -> str:
    """XXH3-64 of a file's bytes, hex: the content that a shard file's name tells."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, xxhash.xxh3_64).hexdigest()
