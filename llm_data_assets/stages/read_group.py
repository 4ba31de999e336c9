"""One group of files into shards of documents, rejects and edits: resumed, and read only once.

What was read is remembered in the home's cache: which shards a group gave, from which files, and
where the next shard starts. So an interrupted run goes on after its last finished shard, and a
group with a changed file takes the rows of the other files from the shard that is there. Losing
the cache costs reading again, and changes nothing.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from llm_data_assets.lake.json_file import write_json
from llm_data_assets.lake.schemas import EDITS, RAW_CORPUS, REJECTS, Table
from llm_data_assets.lake.shard_files import ShardFile
from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.formats import read_documents
from llm_data_assets.stages.raw_rows import RawRows
from llm_data_assets.stages.shards import Task

OUTPUTS = (RAW_CORPUS, REJECTS, EDITS)
Shards = dict[str, ShardFile]  # by table name


def read_group(task: Task) -> list[Shards]:
    """Read what no finished shard holds; returns every shard of the group.

    `task.settings` hold the group's files, what the catalog declares of the source, the bytes of
    text after which a shard ends, and the `memory` file.
    """
    files = task.settings["files"]
    if len(files) == 1:
        return _read_on(task, files[0])
    with _shard(task, 0) as (rows, written):
        known = _known(task)
        for file in files:
            if (file.uri, file.checksum) in known:
                rows.copy(*known[file.uri, file.checksum])
            else:
                for record in _records(task, file):
                    rows.add(file, record)
    _remember(task, [(written, None)])
    return [written]


def finished(task: Task) -> list[Shards] | None:
    """The shards of a group that was read to its end, if they are all there."""
    shards = _remembered(task)
    return [files for files, _ in shards] if shards and shards[-1][1] is None else None


def _read_on(task: Task, file: SourceFile) -> list[Shards]:
    """One file, cut into shards by the bytes of its text, from the first that is not there."""
    shards = _remembered(task)
    start = shards[-1][1] if shards else file.start
    if start is None:
        return [files for files, _ in shards]
    records = _records(task, replace(file, start=start))
    upcoming = next(records, None)
    while upcoming is not None or not shards:
        with _shard(task, len(shards)) as (rows, written):
            last = -1
            # Records of one offset stay together: the offset is where the next shard starts.
            while upcoming is not None and (
                rows.n_bytes < task.settings["shard_bytes"] or upcoming.offset <= last
            ):
                rows.add(file, upcoming)
                last = upcoming.offset
                upcoming = next(records, None)
        shards.append((written, upcoming.offset if upcoming else None))
        _remember(task, shards)
    return [files for files, _ in shards]


def _records(task: Task, file: SourceFile) -> Iterator[Document | Reject]:
    return read_documents(task.settings["format"], file, task.settings["options"])


@contextmanager
def _shard(task: Task, number: int) -> Iterator[tuple[RawRows, Shards]]:
    """The rows of a new shard; its files are there after the block."""
    name = f"{task.shard}n{number:04d}" if number else task.shard
    written: Shards = {}
    with ExitStack() as stack:
        writers = {
            table.name: stack.enter_context(
                task.lake.shard_writer(table, _partition(task, table), name, task.key)
            )
            for table in OUTPUTS
        }
        rows = RawRows(task.settings, writers)
        yield rows, written
        rows.flush()
    written.update({name: writer.file for name, writer in writers.items()})


def _partition(task: Task, table: Table) -> dict[str, str]:
    return {**task.partition, **({"stage": RAW_CORPUS.name} if table is EDITS else {})}


# -- what is remembered ------------------------------------------------------------------------


def _remember(task: Task, shards: Sequence[tuple[Shards, int | None]]) -> None:
    content = {
        "key": task.key,
        "reader": task.settings["reader"],
        "files": [(file.uri, file.checksum) for file in task.settings["files"]],
        "shards": [
            {"files": {name: file.name for name, file in files.items()}, "next": next_offset}
            for files, next_offset in shards
        ],
    }
    write_json(task.settings["memory"], content)


def _remembered(task: Task) -> list[tuple[Shards, int | None]]:
    """The finished shards of this very group, up to the first that is gone."""
    memory = _memory(task)
    shards: list[tuple[Shards, int | None]] = []
    for each in memory["shards"] if memory and memory["key"] == task.key else ():
        files = {name: ShardFile.parse(file) for name, file in each["files"].items()}
        if not _are_there(task, files):
            break
        shards.append((files, each["next"]))
    return shards


def _known(task: Task) -> dict[tuple[str, str], tuple[pa.Table, pa.Table, pa.Table]]:
    """(uri, checksum) -> documents, rejects and edits of files that were read before."""
    memory = _memory(task)
    if not memory or memory["reader"] != task.settings["reader"] or len(memory["shards"]) != 1:
        return {}
    files = {n: ShardFile.parse(each) for n, each in memory["shards"][0]["files"].items()}
    if memory["shards"][0]["next"] is not None or not _are_there(task, files):
        return {}
    documents, rejects, edits = (
        task.lake.read_shard(table, _partition(task, table), files[table.name]) for table in OUTPUTS
    )
    if pc.count_distinct(documents["doc_id"]).as_py() != documents.num_rows:
        return {}  # an id that two files claim: which edits are whose cannot be told
    found = {}
    for uri, checksum in memory["files"]:
        origin = documents["origin"].combine_chunks().field("file")
        mine = documents.filter(pc.equal(origin, uri))
        found[uri, checksum] = (
            mine,
            rejects.filter(pc.equal(rejects["file"], uri)),
            edits.filter(pc.is_in(edits["doc_id"], mine["doc_id"].combine_chunks())),
        )
    return found


def _memory(task: Task) -> dict[str, Any] | None:
    try:
        return json.loads(task.settings["memory"].read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None


def _are_there(task: Task, files: Shards) -> bool:
    return all(
        (task.lake.folder(table, _partition(task, table)) / files[table.name].name).exists()
        for table in OUTPUTS
    )
