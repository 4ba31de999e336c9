"""How the command prints: tables for people, JSON for programs; and how it fails."""

import json
import os
import sys
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]

# Into a file or a pipe a table is as wide as it needs to be; rich would fold it at 80 columns.
_WIDTH = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 200
out = Console(width=_WIDTH)
err = Console(stderr=True)


def fail(message: str, *, code: int) -> NoReturn:
    """Say what is wrong and the way out, and end the process."""
    err.print(f"[bold red]error[/] {escape(message)}", soft_wrap=True)
    sys.exit(code)


def print_tables(tables: dict[str, list[dict[str, Any]]], as_json: bool) -> None:
    """Lists of records by name, each as a table; or all as JSON."""
    if as_json:
        print_json(tables)
        return
    for title, rows in tables.items():
        if rows:
            print_rows(list(rows[0]), [tuple(row.values()) for row in rows], False, title)


def print_rows(
    names: list[str], rows: list[tuple[Any, ...]], as_json: bool, title: str | None = None
) -> None:
    """Rows under column names, as a table or as JSON records."""
    if as_json:
        print_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    table = RichTable(title=title, title_justify="left")
    for name in names:
        table.add_column(escape(name), overflow="fold")  # a cut name could not be used
    for row in rows:
        table.add_row(*("" if cell is None else escape(str(cell)) for cell in row))
    out.print(table)


def print_json(value: Any) -> None:
    """A value as JSON, for a program to read."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=1, default=str) + "\n")
