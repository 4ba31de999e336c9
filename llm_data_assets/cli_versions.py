"""`llm-data versions | restore | diff | pin | rebuild | gc`: the command over versions."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from llm_data_assets.cli_output import AsJson, out, print_json, print_rows
from llm_data_assets.config.workspace import open_workspace

versions_app = typer.Typer()
_SHOWN = ["version", "time", "run", "changed", "kept", "docs"]


@versions_app.command()
def versions(
    stage: Annotated[str | None, typer.Option(help="Only this stage.")] = None,
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    as_json: AsJson = False,
) -> None:
    """Which versions of each partition there were, why each was made, and what is kept."""
    from llm_data_assets.versions import history

    found = history.versions(open_workspace(), stage, source)
    if as_json:
        print_json(found)
        return
    rows = [
        (f"{row['stage']}/{row['partition']}".rstrip("/"), *(row[name] for name in _SHOWN))
        for row in (each | {"run": each["run"][:8], "time": each["time"][:16]} for each in found)
    ]
    print_rows(["partition", *_SHOWN], rows, False)


@versions_app.command()
def restore(
    partition: Annotated[str, typer.Argument(help="STAGE/SOURCE, as `versions` shows them.")],
    version: Annotated[int, typer.Argument(help="A number of `llm-data versions`.")],
) -> None:
    """Make an older version of a partition current again; what reads it becomes stale."""
    from llm_data_assets.defs.restored import report_restored
    from llm_data_assets.versions.restore import restore as go_back

    workspace = open_workspace()
    stage, key, content = go_back(workspace, partition, version)
    report_restored(workspace, stage, key, content)
    out.print(
        f"{escape(partition)} holds version {version} again, until its inputs or settings change; "
        "next: llm-data run",
        soft_wrap=True,
    )


@versions_app.command()
def diff(
    before: Annotated[str, typer.Argument(help="A pin, `now`, or STAGE/SOURCE@VERSION.")],
    after: Annotated[str, typer.Argument(help="Another one.")] = "now",
    as_json: AsJson = False,
) -> None:
    """Documents that came, left, or were judged otherwise, per stage and source."""
    from llm_data_assets.versions import changes

    found = changes.diff(open_workspace(), before, after)
    names = ["stage", "partition", "came", "left", "changed_verdict"]
    if found or as_json:
        print_rows(names, [tuple(row.values()) for row in found], as_json)
    else:
        out.print("no difference")


@versions_app.command()
def pin(
    name: Annotated[str | None, typer.Argument(help="A new name; without one, the list.")] = None,
) -> None:
    """Keep all tables as they are now under a name, with what is needed to make them again."""
    from llm_data_assets.versions import pins

    workspace = open_workspace()
    if name is None:
        rows = [pins.read_pin(workspace, each) for each in pins.names(workspace)]
        shown = ["name", "created", "code", "tokenizer"]
        print_rows(shown, [tuple(row[key] for key in shown) for row in rows], False)
        return
    path = pins.pin(workspace, name)
    out.print(f"pinned as {name} in {path}; keep that file with the catalog", soft_wrap=True)


@versions_app.command()
def rebuild(
    name: Annotated[str, typer.Argument(help="A pin.")],
    home: Annotated[Path, typer.Argument(help="An empty or new folder.")],
) -> None:
    """Make a pinned set again in an empty home, and compare it byte for byte."""
    from llm_data_assets.defs.command import run_command
    from llm_data_assets.versions import pins
    from llm_data_assets.versions import rebuild as rebuilding

    here = open_workspace()
    pinned = pins.read_pin(here, name)
    workspace = rebuilding.workspace_of(pinned, here, home)
    code = run_command(workspace, [], None, False)
    if code:
        sys.exit(code)
    differing = rebuilding.differences(pinned, workspace)
    for each in differing:
        out.print(f"differs: {escape(each)}", soft_wrap=True)
    if differing:
        for each in rebuilding.other_packages(pinned):
            out.print(f"package: {each}")
        sys.exit(1)
    tables = sum(bool(paths) for paths in pinned["tables"].values())
    out.print(f"{name}: {tables} tables are byte for byte what was pinned, in {home}")


@versions_app.command()
def gc(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove old versions that no pin names; run it while no other run is going on."""
    from llm_data_assets.versions import garbage

    workspace = open_workspace()
    found = garbage.garbage(workspace) if dry_run else garbage.collect(workspace)
    rows = [(each.table, len(each.files), each.n_bytes) for each in found]
    if rows or as_json:
        print_rows(["table", "files", "bytes"], rows, as_json)
    if not as_json:
        files, n_bytes = sum(row[1] for row in rows), sum(row[2] for row in rows)
        out.print(f"{files} files, {n_bytes:,} bytes {'would go' if dry_run else 'went'}")
