"""A run into files of one format: shards of consecutive positions, resumed, with a manifest."""

import importlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import xxhash

from llm_data_assets.config.digest import file_checksum
from llm_data_assets.config.pipeline import VALIDATION, ExportFormat, Recipe
from llm_data_assets.lake.json_file import write_json
from llm_data_assets.lake.schemas import (
    MIXED_CORPUS,
    MIXTURE_PLAN,
    TOKENIZED_CORPUS,
    TOKENIZER,
    TRAINING_EXPORT,
)
from llm_data_assets.lake.shard_files import ShardFile
from llm_data_assets.lake.temporaries import is_left
from llm_data_assets.stages.access import note_export, refuse_restricted
from llm_data_assets.stages.data_gap import refuse_unplanned, verdict_of
from llm_data_assets.stages.run_tokens import forget, prepare, read_run
from llm_data_assets.stages.shards import Task, make_shards, task_key
from llm_data_assets.stages.stage import Context, recipe_sources
from llm_data_assets.stages.versions import data_version
from llm_data_assets.tokens import mds

CODE_VERSION = "2"
FORMATS: tuple[str, ...] = get_args(ExportFormat)
MANIFEST = "manifest.json"
# What an export writes below its folder, whole or on the way.
_OWN = re.compile(rf"({'|'.join(FORMATS)})/({VALIDATION}/)?(\.?corpus-\d+[.-].+|index\.json)")


def export_run(
    context: Context, formats: Sequence[str], folder: Path, *, base: Path, to: str | None = None
) -> list[ShardFile]:
    """Write the run of a recipe below `folder/<format>`.

    Shards that are there and whole are not written again. The manifest goes before the first
    file changes and comes back after the last: without it, an export is not finished.

    Returns the shards of `training_export` that list the files, as paths below `base`. The audit
    log says that they went to `to`, `folder` if it is not given.

    Raises:
        ConfigError: the pipeline's `plan` refuses the run, or a source in it is restricted to
            roles that are not held.
        ValueError: an id of the run does not lie in the vocabulary.
        OSError: the disk is full; shards that are whole stay, and are found by the next try.
    """
    names = recipe_sources(context.workspace, context.recipe)
    refuse_restricted(context.workspace, f"export {context.recipe}", names)
    refuse_unplanned(context)
    order = context.lake.read(MIXED_CORPUS, {"recipe": context.recipe}).sort_by("position")
    held_out = _validation_starts(context, order.num_rows)
    parts = [("", order.slice(0, held_out)), (VALIDATION, order.slice(held_out))]
    folders = {source: prepare(context, source) for source in names}
    tasks = [
        task
        for form in formats
        for place, part in parts
        if part.num_rows or not place
        for task in _tasks(context, folders, form, part, folder / form / place, base)
    ]
    outputs = {TRAINING_EXPORT.name: (TRAINING_EXPORT, context.partition.values)}
    wanted = {task.shard: task.key for task in tasks}
    for task in tasks:
        _forget_damaged(task)
    if _manifest_key(folder) != wanted:
        (folder / MANIFEST).unlink(missing_ok=True)
    made = make_shards(context, _write_shard, tasks, outputs, order.num_rows * _bytes_each(context))
    files = made[TRAINING_EXPORT.name]
    rows = [
        row
        for file in files
        for row in context.lake.read_shard(
            TRAINING_EXPORT, context.partition.values, file
        ).to_pylist()
    ]
    _remove_others(folder, {base / row["file"] for row in rows})
    if "mds" in formats:
        for place, _ in parts:  # the reader's `split` is a folder below
            if shards := sorted((folder / "mds" / place).glob("corpus-*.mds")):
                index = mds.index(shards, _vocab_size(context))
                write_json(folder / "mds" / place / "index.json", index, indent=2)
    write_json(folder / MANIFEST, {**manifest(context, rows), "shards": wanted}, indent=2)
    note_export(context.workspace, context.recipe, formats, to or str(folder), rows)
    forget(context)
    return files


def export_folder(context: Context) -> Path:
    return context.workspace.home / "exports" / context.recipe


def manifest(context: Context, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the files were made from, for whoever opens them without the lake."""
    plan = context.lake.read(MIXTURE_PLAN, {"recipe": context.recipe}).sort_by(
        [("first_position", "ascending"), ("source", "ascending")]
    )
    recipe = _recipe(context)
    budget = verdict_of(context)
    sources = context.workspace.catalog.model.sources
    tokenizer = context.lake.read(TOKENIZER, {}, ["tokenizer", "vocab_size"]).to_pylist()[0]
    return {
        "recipe": context.recipe,
        "settings": recipe.model_dump(mode="json"),
        "seed": recipe.seed,
        "tokenizer": tokenizer,
        "plan": plan.to_pylist(),
        "budget": asdict(budget) if budget else None,
        "sources": {
            name: {
                "license": sources[name].license,
                "version": data_version(context.lake, TOKENIZED_CORPUS, {"source": name}),
            }
            for name in recipe_sources(context.workspace, context.recipe)
        },
        "files": list(rows),
    }


def _validation_starts(context: Context, positions: int) -> int:
    """The first position that is held out; the number of positions where none is."""
    plan = context.lake.read(MIXTURE_PLAN, {"recipe": context.recipe}, ["phase", "first_position"])
    return next(
        (row["first_position"] for row in plan.to_pylist() if row["phase"] == VALIDATION),
        positions,
    )


def _tasks(
    context: Context,
    folders: Mapping[str, Path],
    form: str,
    order: pa.Table,
    folder: Path,
    base: Path,
) -> list[Task]:
    """One task a shard of the format: some consecutive positions."""
    first = order["position"][0].as_py() if order.num_rows else 0
    recipe = _recipe(context)
    vocab_size = _vocab_size(context)
    shard_bytes = int(recipe.export_shard_mb * 1e6)
    if form == "mds":
        shard_bytes = min(shard_bytes, mds.SHARD_BYTES)
    step = max(1, shard_bytes // _bytes_each(context))
    versions = {source: folder.name for source, folder in folders.items()}
    place = os.path.relpath(folder, base)
    tasks = []
    for number, begin in enumerate(range(0, max(1, order.num_rows), step)):
        part = order.slice(begin, step)
        tasks.append(
            Task(
                lake=context.lake,
                partition=context.partition.values,
                shard=f"{form}{first + begin:013d}",
                key=task_key(CODE_VERSION, place, versions, vocab_size, _digest(part)),
                inputs={},
                settings={
                    "base": base,
                    "format": form,
                    "prefix": folder / f"corpus-{number:05d}",
                    "order": part.combine_chunks(),
                    "first_position": first + begin,
                    "folders": dict(folders),
                    "vocab_size": vocab_size,
                },
            )
        )
    return tasks


def _digest(part: pa.Table) -> str:
    """Of the positions of a shard and what stands there."""
    whole = xxhash.xxh3_128()
    for batch in part.combine_chunks().to_batches():
        whole.update(batch.serialize())
    return whole.hexdigest()


def _vocab_size(context: Context) -> int:
    return int(context.lake.read(TOKENIZER, {}, ["vocab_size"])["vocab_size"][0].as_py())


def _bytes_each(context: Context) -> int:
    return 4 * _recipe(context).sequence_length


def _recipe(context: Context) -> Recipe:
    return context.workspace.pipeline.model.recipes[context.recipe]


def _write_shard(task: Task) -> dict[str, ShardFile]:
    settings = task.settings
    writer = importlib.import_module(f"llm_data_assets.tokens.{settings['format']}")
    counted = {"tokens": 0}

    def tables() -> Iterator[pa.Table]:
        for table in read_run(settings["order"], settings["folders"]):
            counted["tokens"] += len(table["input_ids"].combine_chunks().flatten())
            yield table

    paths = writer.write(settings["prefix"], tables(), vocab_size=settings["vocab_size"])
    rows = [
        {
            "file": path.relative_to(settings["base"]).as_posix(),
            "format": settings["format"],
            "n_bytes": path.stat().st_size,
            "checksum": file_checksum(path),
            "first_position": settings["first_position"],
            "sequences": settings["order"].num_rows,
            "tokens": counted["tokens"],
        }
        for path in paths
    ]
    table = pa.Table.from_pylist(rows, TRAINING_EXPORT.schema)
    return {TRAINING_EXPORT.name: task.write(TRAINING_EXPORT, [table])}


def _forget_damaged(task: Task) -> None:
    """A shard whose files are gone, or hold something else by now, is written again."""
    file = task.lake.find_shard(TRAINING_EXPORT, task.partition, task.shard, task.key)
    if file is None:
        return
    for row in task.lake.read_shard(TRAINING_EXPORT, task.partition, file).to_pylist():
        path = task.settings["base"] / row["file"]
        if not path.is_file() or file_checksum(path) != row["checksum"]:
            task.lake.remove(task.lake.folder(TRAINING_EXPORT, task.partition) / file.name)
            return


def _manifest_key(folder: Path) -> dict[str, str] | None:
    try:
        return json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["shards"]
    except (FileNotFoundError, ValueError, KeyError):
        return None


def _remove_others(folder: Path, wanted: Set[Path]) -> None:
    """Shards of an earlier export that are no part of this one; whatever else lies there stays,
    and so does what a run beside this one is writing."""
    for path in folder.rglob("*"):
        own = _OWN.fullmatch(path.relative_to(folder).as_posix())
        under_way = path.name.startswith(".") and not is_left(path)
        if own and path.is_file() and path not in wanted and not under_way:
            path.unlink(missing_ok=True)
    for form in FORMATS:
        for place in (folder / form / VALIDATION, folder / form):
            if place.is_dir() and not any(place.iterdir()):
                place.rmdir()
