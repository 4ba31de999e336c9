"""The files behind a source: what they are, and one version for all of them together."""

import json
from collections.abc import MutableMapping
from dataclasses import replace
from pathlib import Path

from llm_data_assets.config.digest import digest
from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.takedowns import read_takedowns
from llm_data_assets.config.workspace import Workspace, make_home
from llm_data_assets.lake.json_file import write_json
from llm_data_assets.sources.files import SourceFile, describe, list_files
from llm_data_assets.sources.formats import all_formats, check_options, companions


def files_of(workspace: Workspace, source: str) -> list[SourceFile]:
    """The source's files, sorted by uri, with size and checksum.

    A file that lost a document to a takedown counts as changed. Checksums of local files are
    remembered in the home by path, size and modification time.

    Raises:
        ConfigError: there is no such format or option, or a uri matches nothing; the message
            names the catalog's line and the way out.
    """
    settings = workspace.catalog.model.sources[source]
    try:
        check_options(settings.format, settings.options)
    except ValueError as error:
        field = "options" if settings.format in all_formats() else "format"
        raise _located(workspace, source, field, error) from error
    uris = settings.uris
    cache = workspace.home / "cache" / f"checksums-{source}.json"
    checksums = _remembered(cache)
    before = dict(checksums)
    try:
        files = [
            _with_companions(settings.format, file, checksums)
            for file in list_files(uris, base=workspace.catalog.path.parent, checksums=checksums)
        ]
    except (FileNotFoundError, ValueError, PermissionError) as error:
        raise _located(workspace, source, "uris", error) from error
    if checksums != before:
        make_home(workspace.home)
        write_json(cache, dict(checksums))
    return _without_taken_down(workspace, source, files)


def _without_taken_down(
    workspace: Workspace, source: str, files: list[SourceFile]
) -> list[SourceFile]:
    gone: dict[str, list[str]] = {}
    for takedown in read_takedowns(workspace.audit):
        for of_source, file, doc_id in takedown.met:
            if of_source == source:
                gone.setdefault(file, []).append(doc_id)
    return [
        replace(file, checksum=digest(file.checksum, sorted(set(gone[file.uri]))))
        if file.uri in gone
        else file
        for file in files
    ]


def files_version(workspace: Workspace, source: str) -> str:
    """Digest of (uri, size, checksum) of every file: changes when any file does."""
    files = files_of(workspace, source)
    return digest([(file.uri, file.size, file.checksum) for file in files])


def _with_companions(
    format: str, file: SourceFile, checksums: MutableMapping[str, str]
) -> SourceFile:
    """The file with a checksum that changes with every other file that decides what is read."""
    beside = [describe(each.uri, each.path, checksums) for each in companions(format, file)]
    if not beside:
        return file
    marks = [file.checksum, *((each.uri, each.checksum) for each in beside)]
    return replace(file, checksum=digest(marks))


def _located(workspace: Workspace, source: str, field: str, error: Exception) -> ConfigError:
    problem, _, way_out = str(error).partition(" Try: ")
    return workspace.catalog.error(
        ("sources", source, field),
        problem.rstrip("."),
        way_out or "correct it, or remove the source",
    )


def _remembered(cache: Path) -> MutableMapping[str, str]:
    try:
        return json.loads(cache.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
