"""Delta tables: content-named Parquet files, replaced a partition at a time in one commit."""

import json
import random
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, Schema
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.transaction import (
    AddAction,
    CommitProperties,
    PostCommitHookProperties,
    RemoveAction,
    Transaction,
)

from llm_data_assets.lake.delta_log import active_files, entries, files_at, newest_version
from llm_data_assets.lake.schemas import Table
from llm_data_assets.lake.shard_files import (
    ShardFile,
    ShardWriter,
    columns_that_repeat,
    file_digest,
)
from llm_data_assets.lake.storage import StorageError, storage_error
from llm_data_assets.lake.store import Store, store_of
from llm_data_assets.lake.temporaries import beside, is_left

Result = TypeVar("Result")

_COMMIT_ATTEMPTS = 60
_FOLDED_FROM = 64  # files of a partition that only grows


@dataclass(frozen=True)
class Lake:
    """The Delta tables below one folder; or, where that folder says so, on an object store.

    Then the folder holds copies, and every path that is given is that of a copy that is here.
    """

    root: Path

    @property
    def store(self) -> Store | None:
        return store_of(self.root)

    def address(self, table: Table) -> str:
        """Where the table's log lies: a folder, or a URL."""
        folder = self.table_path(table)
        return self.store.address(folder) if self.store else str(folder)

    def folder(self, table: Table, partition: Mapping[str, str] | None = None) -> Path:
        """Where the files of a partition lie (Hive layout, as Delta writes it)."""
        return self.root / table.name / _partition_path(table, partition or {})

    def table_path(self, table: Table) -> Path:
        return self.root / table.name

    def exists(self, table: Table) -> bool:
        return self._newest(table) is not None

    def _newest(self, table: Table) -> int | None:
        folder = self.table_path(table)
        return self.store.newest_version(folder) if self.store else newest_version(folder)

    def open(self, table: Table, version: int | None = None) -> DeltaTable:
        """The Delta table, made empty if it is not there yet.

        Raises:
            StorageError: the object store failed, or refused.
        """
        place = self.address(table)
        if not self.exists(table):
            self.table_path(table).mkdir(parents=True, exist_ok=True)
            with self._told(table, "written"):
                self._create(table, place)
        with self._told(table, "read"):
            return DeltaTable(place, version=version)

    def _create(self, table: Table, place: str) -> None:
        try:
            DeltaTable.create(
                place,
                Schema.from_arrow(table.full_schema),
                mode="ignore",
                partition_by=list(table.partition_by),
                # Versions stay until garbage collection asks for their removal.
                configuration={"delta.logRetentionDuration": "interval 36500 days"},
            )
        except DeltaError as error:
            # Another writer made it meanwhile, and wrote: that counts as a conflict.
            if not (_is_conflict(error) and self.exists(table)):
                raise

    @contextmanager
    def _told(self, table: Table, doing: str) -> Iterator[None]:
        """Errors of the object store, conflicts aside, as what happened, where, and the way out."""
        try:
            yield
        except (DeltaError, OSError) as error:
            if self.store is None or _is_conflict(error) or isinstance(error, StorageError):
                raise
            raise storage_error(self.address(table), error, doing) from error

    # -- writing ---------------------------------------------------------------------------

    def find_shard(
        self, table: Table, partition: Mapping[str, str], shard: str, key: str
    ) -> ShardFile | None:
        """The finished file of `shard` made from `key`, committed or not."""
        folder = self.folder(table, partition)
        found = sorted(folder.glob(f"{shard}-{key}-*.parquet"))
        if not found and self.store:
            found = self.store.find(folder, f"{shard}-{key}-")[:1]
            self.store.fetch(found)
        return ShardFile.parse(found[0].name) if found else None

    def write_shard(
        self,
        table: Table,
        partition: Mapping[str, str],
        shard: str,
        key: str,
        data: Iterable[pa.Table],
    ) -> ShardFile:
        """Write one shard file whole or not at all; it is read only once it is committed.

        Args:
            data: Arrow tables with the columns of `table.schema`, in row order.

        Raises:
            OSError: the disk is full or not writable; nothing is left behind.
        """
        with self.shard_writer(table, partition, shard, key) as writer:
            for rows in data:
                writer.write(rows)
        return writer.file

    @contextmanager
    def shard_writer(
        self, table: Table, partition: Mapping[str, str], shard: str, key: str
    ) -> Iterator[ShardWriter]:
        """As `write_shard`, for rows that come bit by bit; `file` is there after the block."""
        folder = self.folder(table, partition)
        folder.mkdir(parents=True, exist_ok=True)
        temporary = beside(folder / shard)
        try:
            with pq.ParquetWriter(
                temporary,
                table.schema,
                compression="zstd",
                compression_level=1,
                use_dictionary=columns_that_repeat(table.schema),
            ) as parquet:
                writer = ShardWriter(parquet)
                yield writer
                writer.flush()
            writer.file = ShardFile(shard, key, file_digest(temporary))
            temporary.replace(folder / writer.file.name)
            if self.store:
                self.store.send(folder / writer.file.name)
        finally:
            temporary.unlink(missing_ok=True)

    def sweep(self) -> int:
        """Remove what writers that were killed left behind; returns how many files."""
        left = [path for path in self.root.glob("**/.*.tmp") if is_left(path)]
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)

    def purge(self, table: Table) -> int:
        """Remove the table's files that its current version does not name; returns how many.

        Older versions cannot be read after that. No writer of the table may be running.
        """
        current = set(self.files(table))
        left = [path for path in self.stored(table) if path not in current]
        for path in left:
            self.remove(path)
        return len(left)

    def stored(self, table: Table) -> dict[Path, int]:
        """Every shard file there is, of whatever version or of none, and its bytes."""
        folder = self.table_path(table)
        here = {path: path.stat().st_size for path in folder.rglob("*.parquet")
                if "_delta_log" not in path.parts}  # fmt: skip
        return here | self.store.sizes(folder) if self.store else here

    def remove(self, path: Path) -> None:
        """Remove a shard file, wherever it lies."""
        path.unlink(missing_ok=True)
        if self.store:
            self.store.remove(path)

    def log(self, table: Table) -> list[str]:
        """The entries of the table's log, each as lines of JSON."""
        folder = self.table_path(table)
        if self.store:
            return self.store.log(folder)
        log = folder / "_delta_log"
        return [(log / name).read_text(encoding="utf-8") for name in entries(folder)]

    def replace_partition(
        self, table: Table, partition: Mapping[str, str], files: Sequence[ShardFile]
    ) -> int:
        """Make `files` the partition, in one commit; returns the table's version after it.

        Readers see the old files or the new ones. Files that stay are not touched. Nothing is
        committed when nothing changed. A concurrent writer of the same partition is retried
        against its result; the last one wins whole.
        """
        prefix = _partition_path(table, partition)
        wanted = {f"{prefix}{file.name}": file for file in files}

        def replace() -> int:
            delta = self.open(table)
            current = active_files(delta, prefix)
            added = [self._add(table, path, partition) for path in wanted if path not in current]
            gone = {path: size for path, size in current.items() if path not in wanted}
            if not added and not gone:
                return int(delta.version())
            self._exchange(delta, table, partition, "replace", added, gone)
            return self.version(table)

        return _until_committed(replace)

    def append(
        self,
        table: Table,
        partition: Mapping[str, str],
        data: pa.Table,
        note: Mapping[str, str] | None = None,
    ) -> None:
        """Add rows to a table that only grows (statistics, check results).

        Args:
            note: what the commit says of itself, for `notes`.
        """
        file = self.write_shard(table, partition, "rows", uuid.uuid4().hex, [data])
        path = f"{_partition_path(table, partition)}{file.name}"
        added = self._add(table, path, partition)
        _until_committed(lambda: self._commit(self.open(table), table, [added], [], note))
        if len(self.named(table, partition)) >= _FOLDED_FROM:
            self._fold(table, partition)

    def _fold(self, table: Table, partition: Mapping[str, str]) -> None:
        """Make one file of a partition's many, each of which every reader has to open."""
        delta, prefix = self.open(table), _partition_path(table, partition)
        rows = self.read(table, partition, table.schema.names, int(delta.version()))
        file = self.write_shard(table, partition, "rows", uuid.uuid4().hex, [rows])
        added = self._add(table, f"{prefix}{file.name}", partition)
        try:
            self._exchange(delta, table, partition, "fold", [added], active_files(delta, prefix))
        except (CommitFailedError, DeltaError) as error:
            if not _is_conflict(error):  # else another writer did it meanwhile
                raise

    def _exchange(
        self,
        delta: DeltaTable,
        table: Table,
        partition: Mapping[str, str],
        purpose: str,
        added: Sequence[AddAction],
        gone: Mapping[str, int],
    ) -> None:
        """Commit files in place of others (path -> bytes); the second of two writers that do so at
        once for one purpose meets a conflict."""
        application = f"{purpose}:{_partition_path(table, partition)}"
        turn = (delta.transaction_version(application) or 0) + 1
        removed = [
            RemoveAction(path, True, 0, size=size, partition_values=dict(partition))
            for path, size in gone.items()
        ]
        self._commit(delta, table, [*added, *removed], [Transaction(application, turn)])

    def notes(self, table: Table) -> list[dict[str, Any]]:
        """What the table's commits say of themselves, newest first."""
        return self.open(table).history()

    def version(self, table: Table) -> int:
        """The newest version of a table; -1 before its first."""
        newest = self._newest(table)
        return -1 if newest is None else newest

    def _add(self, table: Table, path: str, partition: Mapping[str, str]) -> AddAction:
        file = self.table_path(table) / path
        if self.store:
            self.store.send(file)  # again, if it was collected there since it was made
        rows = pq.read_metadata(file).num_rows
        stats = json.dumps({"numRecords": rows})
        return AddAction(path, file.stat().st_size, dict(partition), 0, True, stats)

    def _commit(
        self,
        delta: DeltaTable,
        table: Table,
        actions: list[AddAction | RemoveAction],
        transactions: list[Transaction],
        note: Mapping[str, str] | None = None,
    ) -> None:
        with self._told(table, "written"):
            delta.create_write_transaction(
                actions,
                "append",
                Schema.from_arrow(table.full_schema),
                partition_by=list(table.partition_by),
                commit_properties=CommitProperties(
                    custom_metadata=dict(note) if note else None,
                    max_commit_retries=_COMMIT_ATTEMPTS,
                    app_transactions=transactions,
                ),
                post_commithook_properties=PostCommitHookProperties(cleanup_expired_logs=False),
            )

    # -- reading ---------------------------------------------------------------------------

    def files(
        self,
        table: Table,
        partition: Mapping[str, str] | None = None,
        version: int | None = None,
    ) -> list[Path]:
        """Files of the current (or a given) version, of one partition or of all, sorted."""
        paths = self.named(table, partition, version)
        if self.store:
            self.store.fetch(paths)
        return paths

    def named(
        self,
        table: Table,
        partition: Mapping[str, str] | None = None,
        version: int | None = None,
    ) -> list[Path]:
        """The same as the log names them, whether or not they are still there."""
        prefix = _partition_path(table, partition or {})
        folder = self.table_path(table)
        at = self._newest(table) if version is None else version
        if at is None:
            return []
        with self._told(table, "read"):
            listed = files_at(self.address(table), at)
        return [folder / path for path in listed if path.startswith(prefix)]

    def shards(self, table: Table, partition: Mapping[str, str]) -> list[ShardFile]:
        """The shard files of one partition, sorted by shard."""
        return sorted(ShardFile.parse(path.name) for path in self.files(table, partition))

    def read(
        self,
        table: Table,
        partition: Mapping[str, str] | None = None,
        columns: Sequence[str] | None = None,
        version: int | None = None,
    ) -> pa.Table:
        """Rows of one partition or of all, with the partition columns, in file order."""
        wanted = list(columns or table.full_schema.names)
        stored = [name for name in wanted if name in table.schema.names]
        parts = []
        for path in self.files(table, partition, version):
            part = pq.ParquetFile(path).read(columns=stored)
            for name, value in self.partition_of(table, path).items():
                if name in wanted:
                    part = part.append_column(name, pa.repeat(pa.scalar(value), part.num_rows))
            for name in set(stored) - set(part.column_names):  # written before there was one
                part = part.append_column(name, _nulls(table, name, part))
            parts.append(part.select(wanted))
        schema = pa.schema([table.full_schema.field(name) for name in wanted])
        return pa.concat_tables([schema.empty_table(), *parts]).cast(schema)

    def read_shard(
        self,
        table: Table,
        partition: Mapping[str, str],
        file: ShardFile,
        columns: Sequence[str] | None = None,
    ) -> pa.Table:
        """The rows of one shard file."""
        path = self.folder(table, partition) / file.name
        return pq.ParquetFile(path).read(columns=list(columns) if columns else None)

    def partition_of(self, table: Table, path: Path) -> dict[str, str]:
        """The partition values of a file, from its place."""
        parts = path.relative_to(self.table_path(table)).parts[:-1]
        return dict(part.split("=", 1) for part in parts)

    def partitions(self, table: Table) -> list[dict[str, str]]:
        """Partitions that hold at least one file, sorted."""
        found = {tuple(self.partition_of(table, path).items()) for path in self.files(table)}
        return [dict(items) for items in sorted(found)]


def _nulls(table: Table, name: str, rows: pa.Table) -> pa.Array:
    return pa.nulls(rows.num_rows, table.schema.field(name).type)


def _partition_path(table: Table, partition: Mapping[str, str]) -> str:
    names = [name for name in table.partition_by if name in partition]
    if len(names) != len(partition):
        unknown = sorted(set(partition) - set(table.partition_by))
        raise KeyError(f"{table.name} is partitioned by {table.partition_by}, not by {unknown}")
    return "".join(f"{name}={quote(partition[name], safe='')}/" for name in names)


def _until_committed(commit: Callable[[], Result]) -> Result:
    """Again while other writers come between; `commit` looks at the newest version each time."""
    for attempt in range(_COMMIT_ATTEMPTS):
        try:
            return commit()
        except (CommitFailedError, DeltaError) as error:
            if attempt + 1 == _COMMIT_ATTEMPTS or not _is_conflict(error):
                raise
            time.sleep(random.uniform(0, 0.02 * (attempt + 1)))
    raise AssertionError("unreachable: the last attempt returns or raises")


def _is_conflict(error: Exception) -> bool:
    return isinstance(error, CommitFailedError) or "transaction" in str(error).lower()
