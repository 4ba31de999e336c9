"""An export to where a trainer wants it: a folder, or any fsspec URL."""

import shutil
from pathlib import Path

import fsspec

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.schemas import MIXED_CORPUS
from llm_data_assets.lake.storage import storage_error
from llm_data_assets.stages.export_files import FORMATS, MANIFEST, export_run
from llm_data_assets.stages.materialise import lake_of
from llm_data_assets.stages.stage import Context, Partition


def export_to(workspace: Workspace, recipe: str, form: str, out: str) -> list[str]:
    """Write a recipe's run in one format to `out`; returns the files, the manifest last.

    Raises:
        StorageError: `out` could not be written; the same command goes on.
        ConfigError: there is no such recipe or format, the run is not there yet, or may not
            leave.
    """
    if recipe not in workspace.recipes:
        raise ConfigError(
            "export", recipe, "is no recipe", f"one of {', '.join(workspace.recipes)}"
        )
    if form not in FORMATS:
        raise ConfigError("--format", form, "is not written", f"one of {', '.join(FORMATS)}")
    context = Context(workspace, lake_of(workspace), Partition(recipe=recipe))
    if not context.lake.files(MIXED_CORPUS, {"recipe": recipe}):
        raise ConfigError("export", recipe, "has no run yet", "`llm-data run --to mixed_corpus`")
    if "://" not in out:
        folder = Path(out).absolute()
        export_run(context, [form], folder, base=folder)
        return [str(path) for path in _files(folder)]
    folder = workspace.home / "cache" / "export" / recipe
    export_run(context, [form], folder, base=folder, to=out)
    base = out.rstrip("/")
    try:
        _forget(f"{base}/{MANIFEST}")
        sent = [_send(path, f"{base}/{path.relative_to(folder)}") for path in _files(folder)]
    except Exception as error:  # each protocol has errors of its own
        raise storage_error(out, error, "written") from error
    shutil.rmtree(folder)
    return sent


def _files(folder: Path) -> list[Path]:
    """All files of an export; the manifest last, since it says that the others are there."""
    return sorted(
        (path for path in folder.rglob("*") if path.is_file()),
        key=lambda path: (path.name == MANIFEST, path),
    )


def _forget(url: str) -> None:
    """The manifest of an earlier export there, which speaks of files that are replaced now."""
    filesystem, target = fsspec.url_to_fs(url)
    if filesystem.exists(target):
        filesystem.rm_file(target)


def _send(path: Path, url: str) -> str:
    filesystem, target = fsspec.url_to_fs(url)
    filesystem.makedirs(filesystem._parent(target), exist_ok=True)
    filesystem.put_file(str(path), target)
    sent = filesystem.info(target)["size"]
    if sent != path.stat().st_size:
        raise OSError(f"{url} has {sent} bytes after the copy of {path.stat().st_size}")
    return url
