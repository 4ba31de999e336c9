"""source_files -> raw_corpus: bytes in, documents and rejects out."""

from collections import Counter
from typing import Any

from llm_data_assets.config.digest import digest
from llm_data_assets.config.takedowns import read_takedowns
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.schemas import EDITS, RAW_CORPUS, REJECTS
from llm_data_assets.lake.shard_files import ShardFile
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.stages.checks import (
    NO_EMPTY_RAW,
    NOT_EMPTY,
    RAW_SCHEMA,
    REJECT_SHARE,
    UNIQUE_IDS,
)
from llm_data_assets.stages.file_groups import group_digest, group_files
from llm_data_assets.stages.read_group import OUTPUTS, finished, read_group
from llm_data_assets.stages.repeated_ids import without_repeated_ids
from llm_data_assets.stages.shards import Task, run_tasks, task_key
from llm_data_assets.stages.source_files import files_of, files_version
from llm_data_assets.stages.stage import Context, Outcome, Partition, Stage
from llm_data_assets.stages.tally import tally

CODE_VERSION = "2"


def run(context: Context) -> Outcome:
    """Read every file of the source that no finished shard holds."""
    files = files_of(context.workspace, context.source)
    tasks = _tasks(context, files)
    found = [finished(task) for task in tasks]
    missing = [task for task, shards in zip(tasks, found, strict=True) if shards is None]
    read = iter(run_tasks(context, read_group, missing, _stored_bytes(missing)))
    shards = [each for group in found for each in (next(read) if group is None else group)]
    made = {table.name: sorted(each[table.name] for each in shards) for table in OUTPUTS}
    made = without_repeated_ids(context, made)
    edits = {**context.partition.values, "stage": STAGE.name}
    context.lake.replace_partition(REJECTS, context.partition.values, made[REJECTS.name])
    context.lake.replace_partition(EDITS, edits, made[EDITS.name])
    context.lake.replace_partition(RAW_CORPUS, context.partition.values, made[RAW_CORPUS.name])
    return _outcome(context, made[RAW_CORPUS.name], len(files))


def _tasks(context: Context, files: list[SourceFile]) -> list[Task]:
    """One task a group of files; a setting of how to cut changes no row."""
    shard_bytes = int(context.workspace.pipeline.model.engine.shard_mb * (1 << 20))
    declared = _declared(context.workspace, context.partition)
    reader = digest(CODE_VERSION, declared)
    taken_down = read_takedowns(context.workspace.audit)
    groups = group_files(files, declared["format"], declared["options"], shard_bytes)
    return [
        Task(
            lake=context.lake,
            partition=context.partition.values,
            shard=shard,
            key=task_key(reader, group_digest(group), shard_bytes),
            inputs={},
            settings={
                **declared,
                "files": group,
                "source": context.source,
                "reader": reader,
                "shard_bytes": shard_bytes,
                "taken_down": taken_down,
                "memory": context.workspace.home / "cache" / "read" / context.source / shard,
            },
        )
        for shard, group in groups.items()
    ]


def _stored_bytes(tasks: list[Task]) -> int:
    """Bytes behind some tasks, a part of a file counting for its share."""
    files = [file for task in tasks for file in task.settings["files"]]
    parts = Counter(file.uri for file in files)
    return sum(file.size // parts[file.uri] for file in files)


def _outcome(context: Context, files: list[ShardFile], n_files: int) -> Outcome:
    read = tally(context, RAW_CORPUS, context.partition.values, total="n_bytes")
    rejects = tally(context, REJECTS, context.partition.values, by=["error"])
    drops: Counter[str] = Counter()
    for (error,), rows in sorted(rejects.by.items()):
        drops[error.split(":", 1)[0]] += rows
    return Outcome(
        files=files,
        docs_in=read.rows + rejects.rows,
        docs=read.rows,
        n_bytes=read.total,
        drops=drops,
        figures={"files": n_files},
    )


def _declared(workspace: Workspace, partition: Partition) -> dict[str, Any]:
    """What the catalog says of a source that changes how it is read."""
    assert partition.source is not None
    source = workspace.catalog.model.sources[partition.source]
    return source.model_dump(mode="json", include={"format", "options", "license", "language"})


STAGE = Stage(
    name=RAW_CORPUS.name,
    description="""Documents as their publisher shipped them: one row a document, text decoded,
repaired and NFC-normalised, with the file and offset it came from. What cannot be read stands in
`rejects` with the reason and its first bytes; every repair stands in `edits`.""",
    table=RAW_CORPUS,
    partitioning="source",
    upstream=(),
    code_version=CODE_VERSION,
    settings=_declared,
    run=run,
    inputs=lambda context: {"source_files": files_version(context.workspace, context.source)},
    checks=(RAW_SCHEMA, NOT_EMPTY, REJECT_SHARE, UNIQUE_IDS, NO_EMPTY_RAW),
)
