"""Dagster's storage in SQLite, for an embedded home of many small runs.

The files are those of Dagster's own `storage: sqlite`, which opens them as well. For each event
that makes SQLAlchemy's engine anew, without the statements that the last one had compiled, and
opens and closes the file, which has SQLite write its whole log back each time; and it goes through
all migrations for each run, whose events have a file of their own: together a quarter of what a run
over small sources costs.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.runs.sqlite.sqlite_run_storage import SqliteRunStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy.pool import NullPool, Pool, QueuePool

_KEPT = 8  # files: the table of runs, the index of all events, and the runs that are under way


class SqliteStorage(DagsterSqliteStorage):
    """What `dagster.yaml` names; `base_dir` as for `storage: sqlite`."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        self._run_storage = _Runs(self._run_storage._conn_string)
        self._event_log_storage = _EventLog(str(Path(base_dir) / "history" / "runs"))

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Any
    ) -> "SqliteStorage":
        return cls.from_local(inst_data=inst_data, **config_value)


class _Runs(SqliteRunStorage):
    @contextmanager
    def connect(self) -> Iterator[Connection]:
        with _kept(self._conn_string).begin() as connection:
            yield connection


class _EventLog(SqliteEventLogStorage):
    _new_run: bytes | None = None  # the file of a run without events

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            if shard not in self._initialized_dbs:
                self._begin(shard)
                self._initialized_dbs.add(shard)
            with _kept(self.conn_string_for_shard(shard)).begin() as connection:
                yield connection

    def _begin(self, shard: str) -> None:
        path = Path(self.path_for_shard(shard))
        is_new = not path.exists()
        if is_new and self._new_run and _put(path, self._new_run):
            return
        self._initdb(_engine(self.conn_string_for_shard(shard), NullPool))
        if is_new and not Path(f"{path}-wal").exists():  # else somebody reads it, and it is not all
            self._new_run = path.read_bytes()


def _put(path: Path, data: bytes) -> bool:
    """Whether the file is there now, whole; not where somebody was faster, or without links."""
    with tempfile.NamedTemporaryFile(dir=path.parent) as file, suppress(OSError):
        file.write(data)
        file.flush()
        os.link(file.name, path)
        return True
    return False


def _kept(place: str) -> Engine:
    """The engine of the file that lies there now: a home may be removed and made again."""
    return _of_file(place, Path(str(make_url(place).database)).stat().st_ino)


@lru_cache(maxsize=_KEPT)
def _of_file(place: str, file: int) -> Engine:
    """A connection stays open; those that threads need beside it are closed after use."""
    return _engine(place, QueuePool, pool_size=1, max_overflow=-1)


def _engine(place: str, pool: type[Pool], **settings: int) -> Engine:
    waits = {"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}
    return create_engine(place, poolclass=pool, connect_args=waits, **settings)
