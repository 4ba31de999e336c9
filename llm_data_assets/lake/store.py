"""Tables on an object store: their logs and shard files lie there, copies of the files here.

A shard file is named by its content and never changes, so a copy that is here is as good as the one
there. The log alone says what is current, and it is read and written at the store: one commit puts
one object on condition that it is not there yet, so writers on several machines exclude each other.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import fsspec

from llm_data_assets.config.workspace import STORE_MARK
from llm_data_assets.lake.storage import StorageError, storage_error
from llm_data_assets.lake.temporaries import beside

_MARK = Path(STORE_MARK).name
_FETCHED_AT_ONCE = 8


@lru_cache
def store_of(root: Path) -> "Store | None":
    """The store that the tables below `root` are copies of; None if they lie there themselves."""
    mark = root / _MARK
    return Store(mark.read_text(encoding="utf-8").strip(), root) if mark.is_file() else None


@dataclass(frozen=True)
class Store:
    """An fsspec URL that deltalake can write to as well, and the folder of the copies.

    Credentials come from the environment, as the store's own clients take them.
    """

    url: str
    root: Path

    def address(self, path: Path) -> str:
        """Where the original of a copy lies."""
        return f"{self.url}/{path.relative_to(self.root).as_posix()}"

    def newest_version(self, folder: Path) -> int | None:
        """The newest version in a table's log; None if there is no such table."""
        versions = (
            int(name.rpartition("/")[2].removesuffix(".json"))
            for name in self._listed(folder / "_delta_log")
            if name.endswith(".json") and name.rpartition("/")[2][:-5].isdigit()
        )
        return max(versions, default=None)

    def sizes(self, folder: Path) -> dict[Path, int]:
        """The shard files below a folder, as the paths of their copies, and their bytes."""
        with self._told(self.address(folder), "listed") as (filesystem, place):
            found = filesystem.find(place, detail=True)
        start = len(place.rstrip("/")) + 1
        return {
            folder / name[start:]: int(about["size"])
            for name, about in found.items()
            if name.endswith(".parquet") and "_delta_log" not in name
        }

    def find(self, folder: Path, beginning: str) -> list[Path]:
        """The shard files of a folder whose names begin so, as the paths of their copies."""
        names = (name.rpartition("/")[2] for name in self._listed(folder))
        return sorted(folder / name for name in names if name.startswith(beginning))

    def log(self, folder: Path) -> list[str]:
        """The entries of a table's log, as texts."""
        texts = []
        for name in self._listed(folder / "_delta_log"):
            if name.endswith(".json"):
                with self._told(name, "read") as (filesystem, _):
                    texts.append(filesystem.cat_file(name).decode("utf-8"))
        return texts

    def send(self, path: Path) -> None:
        """Put a copy there, unless it is."""
        with self._told(self.address(path), "written") as (filesystem, place):
            if not filesystem.exists(place):
                filesystem.makedirs(filesystem._parent(place), exist_ok=True)
                filesystem.put_file(str(path), place)

    def fetch(self, paths: Iterable[Path]) -> None:
        """Make the copies that are not here yet; what is gone from the store is passed over."""
        missing = [path for path in paths if not path.exists()]
        if missing:
            with ThreadPoolExecutor(_FETCHED_AT_ONCE) as pool:
                list(pool.map(self._fetch, missing))

    def remove(self, path: Path) -> None:
        """Remove the original."""
        with self._told(self.address(path), "removed") as (filesystem, place):
            if filesystem.exists(place):
                filesystem.rm_file(place)

    def _fetch(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = beside(path)
        try:
            with self._told(self.address(path), "read") as (filesystem, place):
                filesystem.get_file(place, str(temporary))
            temporary.replace(path)
        except FileNotFoundError:
            pass
        finally:
            temporary.unlink(missing_ok=True)

    def _listed(self, folder: Path) -> list[str]:
        with self._told(self.address(folder), "listed") as (filesystem, place):
            try:
                return list(filesystem.ls(place, detail=False))
            except FileNotFoundError:
                return []

    @contextmanager
    def _told(self, address: str, doing: str) -> Iterator[tuple[Any, str]]:
        """The file system and the place in it; its errors say what, where and the way out."""
        try:
            whole = address if "://" in address else f"{self.url.partition('://')[0]}://{address}"
            yield fsspec.url_to_fs(whole, use_listings_cache=False)  # others write there too
        except (FileNotFoundError, StorageError):
            raise
        except Exception as error:  # each protocol has errors of its own
            raise storage_error(address, error, doing) from error
