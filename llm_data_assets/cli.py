"""`llm-data`: the command, thin over the rooms.

Exit codes: 0 done, 1 failed, 2 wrong use. What runs, writes or serves is here; the files beside it
hold one group of commands each.
"""

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import duckdb
import typer
from rich.markup import escape

from llm_data_assets.cli_access import access_app
from llm_data_assets.cli_output import AsJson, fail, out, print_rows
from llm_data_assets.cli_plan import plan_app
from llm_data_assets.cli_show import show_app
from llm_data_assets.cli_sources import sources_app
from llm_data_assets.cli_versions import versions_app
from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import (
    ROLES_VARIABLE,
    init_workspace,
    keep_private,
    open_workspace,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="LLM training data as Dagster assets: run stages, query tables, explain a document.",
)
app.add_typer(sources_app, name="sources")
for group in (show_app, plan_app, versions_app, access_app):
    app.add_typer(group)


def main() -> None:
    """Run the command; every foreseen error is one message and an exit code."""
    keep_private()
    try:
        app()
    except ConfigError as error:
        fail(str(error), code=2)
    except (FileNotFoundError, PermissionError) as error:
        fail(str(error), code=1)
    except duckdb.Error as error:
        fail(f'{error}. Try: `llm-data query "SHOW TABLES"` lists what can be read', code=1)
    except BrokenPipeError:
        # The reader (`head`, `grep -q`) has seen enough; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        fail(f"{error}. Try: free some space, or set LLM_DATA_HOME to another disk", code=1)


@app.callback()
def common(
    role: Annotated[
        list[str] | None, typer.Option(help="A role that you hold; repeatable. See docs/access.md")
    ] = None,
) -> None:
    if role:
        os.environ[ROLES_VARIABLE] = ",".join([*role, os.environ.get(ROLES_VARIABLE, "")])


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="An empty or new folder.")]) -> None:
    """Make a workspace of one's own: a catalog, a pipeline and sample files to replace."""
    written = init_workspace(folder)
    for path in written:
        out.print(f"wrote {path}")
    out.print(f"next: cd {folder} && llm-data sources check && llm-data run && dagster dev")


@app.command()
def run(
    source: Annotated[list[str] | None, typer.Option(help="Only this source; repeatable.")] = None,
    to: Annotated[str | None, typer.Option(help="The last stage to make.")] = None,
    as_json: AsJson = False,
) -> None:
    """Materialise every partition that is not fresh, through Dagster."""
    # Dagster takes two seconds to import; to look through what is imported for garbage, then and
    # later, would take another.
    gc.disable()
    from llm_data_assets.defs.command import run_command
    from llm_data_assets.engine.local import collect_seldom

    gc.freeze()
    gc.enable()
    collect_seldom()
    sys.exit(run_command(open_workspace(), source or [], to, as_json))


@app.command()
def export(
    recipe: Annotated[str, typer.Argument(help="A recipe of pipeline.yaml.")],
    format: Annotated[str, typer.Option(help="megatron, mds, parquet, jsonl or webdataset.")],
    out: Annotated[str, typer.Option(help="A folder, or any fsspec URL.")],
) -> None:
    """Write a recipe's run to where a trainer opens it; goes on where it was cut off."""
    from llm_data_assets.stages.export_out import export_to

    for file in export_to(open_workspace(), recipe, format, out):
        typer.echo(file)


@app.command()
def generate(
    out_file: Annotated[Path, typer.Argument(help="JSON lines in the layout of Alpaca.")],
    templates: Annotated[Path | None, typer.Option(help="YAML of templates and entities.")] = None,
    seeds: Annotated[Path | None, typer.Option(help="An instruction a line, for --url.")] = None,
    url: Annotated[str | None, typer.Option(help="A server of chat completions, .../v1.")] = None,
    model: Annotated[str, typer.Option(help="The server's name of the model.")] = "default",
    n: Annotated[int, typer.Option(min=1, help="Instructions to write.")] = 100,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds without an answer.")] = 60,
    seed: Annotated[int, typer.Option(help="Of the examples that are shown.")] = 1,
) -> None:
    """Write synthetic instructions: templates filled, or a model asked (Self-Instruct)."""
    from llm_data_assets import generate_command

    if templates is not None:
        rows: Iterator[Any] = generate_command.from_templates(templates)
    elif url is not None and seeds is not None:
        rows = generate_command.from_model(url, model, seeds, n, timeout, seed)
    else:
        raise ConfigError("generate", "", "was not told how", "--templates, or --url and --seeds")
    written, errors = generate_command.write_rows(out_file, rows)
    for error in errors:
        typer.echo(error, err=True)
    if not written:
        fail("nothing was written", code=1)
    typer.echo(f"{written} rows in {out_file}; next: a source of format alpaca")


@app.command()
def takedown(
    doc_id: Annotated[list[str] | None, typer.Argument(help="Ids of documents.")] = None,
    url: Annotated[list[str] | None, typer.Option(help="Addresses; later copies too.")] = None,
    hash: Annotated[
        list[str] | None, typer.Option(help="XXH3-128 of a text, hex; later copies too.")
    ] = None,
    reason: Annotated[str, typer.Option(help="For the record.")] = "",
    with_duplicates: Annotated[
        bool, typer.Option(help="Also the documents that repeat them.")
    ] = False,
    yes: Annotated[bool, typer.Option(help="Do it; without this, show what would change.")] = False,
    purge: Annotated[bool, typer.Option(help="Remove older versions as well.")] = False,
) -> None:
    """Take documents out of every table and export, for good, with a signed record."""
    from llm_data_assets.config.takedowns import Kind
    from llm_data_assets.defs.command import run_command
    from llm_data_assets.stages import takedown as takedowns

    asked: dict[Kind, list[str] | None] = {"doc_id": doc_id, "url": url, "hash": hash}
    named = [(kind, values) for kind, values in asked.items() if values]
    if len(named) != 1:
        raise ConfigError("takedown", "", "names documents in one way", "DOC_ID, --url or --hash")
    kind, values = named[0]
    workspace = open_workspace()
    effect = takedowns.effect_of(workspace, kind, values, with_duplicates=with_duplicates)
    for line in takedowns.effect_lines(effect):
        out.print(escape(line), highlight=False, soft_wrap=True)
    if not yes:
        out.print("nothing was changed; --yes does it, --purge removes older versions too")
        return
    signed = takedowns.record(workspace, kind, values, reason, effect)
    out.print(f"takedown {signed.number} is in {workspace.audit}", soft_wrap=True)
    code = run_command(open_workspace(), [], None, False)
    if purge and code == 0:
        out.print(f"{takedowns.purge(workspace)} files of older versions removed")
    sys.exit(code)


@app.command()
def studio(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on this machine.")] = 8765,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Show personal data as it stands in the texts.")
    ] = False,
) -> None:
    """Flow, checks, duplicates, filters and the text behind every number, in the browser."""
    from llm_data_assets.studio.serve import serve

    workspace = open_workspace()
    out.print(f"studio of {workspace.home} on http://127.0.0.1:{port}", soft_wrap=True)
    serve(workspace, port, reveal)


@app.command()
def report(
    recipe: Annotated[
        str, typer.Option("--recipe", help="Write the cards of this recipe beside the report.")
    ] = "",
    out_path: Annotated[
        Path | None, typer.Option("--out", help="The HTML file to write; of a recipe, the folder.")
    ] = None,
) -> None:
    """The studio's pages as one HTML file to send; of a recipe, with datasheet and licences."""
    from llm_data_assets.stages.publication import refresh_catalog
    from llm_data_assets.studio.cards.write import write_cards
    from llm_data_assets.studio.report import write_report

    workspace = open_workspace()
    refresh_catalog(workspace)
    file = out_path or Path("corpus_report.html")
    written: list[Path] = []
    if recipe:
        folder = out_path or Path(f"{recipe}_card")
        if folder.is_file():
            raise ConfigError("--out", str(folder), "this is a file", "the name of a folder")
        written += write_cards(workspace, recipe, folder)
        file = folder / "corpus_report.html"
    try:
        written.append(write_report(workspace, file))
    except ValueError as error:
        fail(str(error), code=1)
    for each in written:
        out.print(f"wrote {each}, {each.stat().st_size / 1000:,.1f} kB", soft_wrap=True)


@app.command()
def doctor(
    files: Annotated[bool, typer.Option("--files", help="Read every file; slow.")] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="As --files; damaged files are made again.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """What could be wrong: versions, disk, memory, ports, configuration, damaged files."""
    from llm_data_assets.doctor import diagnose

    findings = diagnose(checksums=files, repair=repair)
    print_rows(["check", "state", "detail"], findings, as_json)
    if any(state == "problem" for _, state, _ in findings):
        sys.exit(1)


if __name__ == "__main__":
    main()
