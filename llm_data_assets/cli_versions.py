"""`llm-data versions | restore | diff | pin | rebuild | gc`: the command over versions."""

from typing import Annotated

import typer
from rich.markup import escape

from llm_data_assets.cli_output import out, print_json, print_rows
from llm_data_assets.config.workspace import open_workspace

versions_app = typer.Typer()
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
_SHOWN = ["stage", "partition", "version", "time", "run", "changed", "kept", "docs"]


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
    short = [row | {"run": row["run"][-8:]} for row in found]
    print_rows(_SHOWN, [tuple(row[name] for name in _SHOWN) for row in short], False)


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
