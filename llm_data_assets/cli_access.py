"""`llm-data audit`: the command over the audit log."""

import json
from dataclasses import asdict

import typer
from rich.markup import escape

from llm_data_assets.cli_output import AsJson, out, print_json
from llm_data_assets.config.audit import read_audit
from llm_data_assets.config.workspace import open_workspace

access_app = typer.Typer()
_SHOWN = 160  # characters of an entry in the lines to read; JSON has all


@access_app.command()
def audit(as_json: AsJson = False) -> None:
    """Takedowns, reveals, exports and overrides, once the chain of signatures was found whole."""
    workspace = open_workspace()
    entries = read_audit(workspace.audit)
    if as_json:
        print_json([asdict(entry) for entry in entries])
        return
    for entry in entries:
        told = json.dumps(entry.told, ensure_ascii=False)
        cut = f"{told[:_SHOWN]} ..." if len(told) > _SHOWN else told
        line = f"{entry.number:>4}  {entry.at}  {entry.who}  {entry.act:<8}  {cut}"
        out.print(escape(line), highlight=False, soft_wrap=True)
    last = f"; the last signature is {entries[-1].signature}" if entries else ""
    out.print(f"{workspace.audit}: {len(entries)} entries, whole{last}", soft_wrap=True)
