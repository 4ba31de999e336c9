"""Dagster's storage in SQLite, for an embedded home of many small runs.

The files are those of Dagster's own `storage: sqlite`, which opens them as well. Its event log
makes SQLAlchemy's engine anew for each event, without the statements that the last one had
compiled, and goes through all migrations for each run, whose events have a file of their own:
together a fifth of what a run over small sources costs.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.pool import NullPool

_KEPT = 8  # engines: the index of all runs, and the runs that are under way


class SqliteStorage(DagsterSqliteStorage):
    """What `dagster.yaml` names; `base_dir` as for `storage: sqlite`."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        self._event_log_storage = _EventLog(str(Path(base_dir) / "history" / "runs"))

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Any
    ) -> "SqliteStorage":
        return cls.from_local(inst_data=inst_data, **config_value)


class _EventLog(SqliteEventLogStorage):
    _new_run: bytes | None = None  # the file of a run without events

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            if shard not in self._initialized_dbs:
                self._begin(shard)
                self._initialized_dbs.add(shard)
            with _engine(self.conn_string_for_shard(shard)).begin() as connection:
                yield connection

    def _begin(self, shard: str) -> None:
        path = Path(self.path_for_shard(shard))
        is_new = not path.exists()
        if is_new and self._new_run and _put(path, self._new_run):
            return
        self._initdb(_engine(self.conn_string_for_shard(shard)))
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


@lru_cache(maxsize=_KEPT)
def _engine(place: str) -> Engine:
    """Connections are closed after use: what was compiled is kept."""
    waits = {"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}
    return create_engine(place, poolclass=NullPool, connect_args=waits)
