"""`llm-data sources list | formats | check | add`: the command over the catalog."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.markup import escape

from llm_data_assets.cli_output import AsJson, fail, out, print_json, print_rows
from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import open_workspace
from llm_data_assets.sources.formats import all_formats, load_reader

sources_app = typer.Typer(no_args_is_help=True, help="The sources of the catalog.")


@sources_app.command("list")
def sources_list(as_json: AsJson = False) -> None:
    """The catalog's sources."""
    workspace = open_workspace()
    rows = [
        (name, each.format, each.domain, each.license or "unknown", each.priority, len(each.uris))
        for name, each in sorted(workspace.catalog.model.sources.items())
    ]
    print_rows(["source", "format", "domain", "license", "priority", "uris"], rows, as_json)


@sources_app.command("formats")
def sources_formats(as_json: AsJson = False) -> None:
    """The native formats that can be read, with their options."""
    rows = [
        (each.name, each.description, ", ".join(load_reader(each.name).Options.model_fields))
        for each in all_formats().values()
    ]
    print_rows(["format", "reads", "options"], rows, as_json)


@sources_app.command("check")
def sources_check(
    name: Annotated[list[str] | None, typer.Argument(help="Sources; all if none is named.")] = None,
    as_json: AsJson = False,
) -> None:
    """Read the first records of a source without writing anything."""
    from llm_data_assets.stages.preview import preview

    workspace = open_workspace()
    found = [preview(workspace, each) for each in name or workspace.all_sources]
    if as_json:
        print_json([each.as_dict() for each in found])
    else:
        for each in found:
            for line in each.lines():
                out.print(escape(line), highlight=False, soft_wrap=True)
    if any(each.problem for each in found):
        sys.exit(1)


@sources_app.command("add")
def sources_add(
    name: Annotated[str, typer.Argument(help="Lower-case letters, digits and underscores.")],
    format: Annotated[str, typer.Option(help="Native format, see `llm-data sources formats`.")],
    uri: Annotated[list[str], typer.Option(help="File, folder, glob or URL; repeatable.")],
    license: Annotated[str | None, typer.Option(help="SPDX expression.")] = None,
    language: Annotated[str | None, typer.Option(help="Language code.")] = None,
    domain: Annotated[str | None, typer.Option(help="web, book, code ...")] = None,
    priority: Annotated[int | None, typer.Option(help="The smaller number keeps its copy.")] = None,
    option: Annotated[
        list[str] | None, typer.Option(help="KEY=VALUE for the format; repeatable.")
    ] = None,
) -> None:
    """Add a source to the catalog, once its first records could be read."""
    from llm_data_assets.config.add_source import add_source
    from llm_data_assets.stages.preview import preview

    fields = {
        "format": format, "uris": uri, "license": license, "language": language,
        "domain": domain, "priority": priority, "options": _options(option or []),
    }  # fmt: skip
    catalog = Path(os.environ.get("LLM_DATA_CATALOG") or "catalog.yaml").absolute()
    before = catalog.read_bytes() if catalog.is_file() else None
    add_source(catalog, name, {key: value for key, value in fields.items() if value})
    try:
        found = preview(open_workspace(catalog=catalog), name)
        if not found.documents:
            reason = found.problem or f"no document in the first records: {found.rejects[:3]}"
            fail(f"{reason}. Nothing was added", code=1)
        before = catalog.read_bytes()
    finally:
        if before is None:
            catalog.unlink()
        else:
            catalog.write_bytes(before)
    for line in found.lines():
        out.print(escape(line), highlight=False, soft_wrap=True)
    out.print(f"added to {catalog}; next: llm-data run --source {name}", soft_wrap=True)


def _options(given: list[str]) -> dict[str, Any]:
    pairs = [each.partition("=") for each in given]
    for key, mark, _ in pairs:
        if not mark:
            raise ConfigError("--option", key, "has no value", f"--option {key}=VALUE")
    return {key: yaml.safe_load(value) for key, _, value in pairs}
