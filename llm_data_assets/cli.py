"""`llm-data`: the command, thin over the rooms.

Exit codes: 0 done, 1 failed, 2 wrong use.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NoReturn

import duckdb
import typer
import yaml
from rich.console import Console
from rich.markup import escape

from llm_data_assets.cli_access import access_app
from llm_data_assets.cli_output import out
from llm_data_assets.cli_output import print_json as _print_json
from llm_data_assets.cli_output import print_rows as _print_rows
from llm_data_assets.cli_output import print_tables as _print_tables
from llm_data_assets.cli_versions import versions_app
from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import (
    ROLES_VARIABLE,
    init_workspace,
    keep_private,
    open_workspace,
)
from llm_data_assets.sources.formats import all_formats, load_reader

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="LLM training data as Dagster assets: run stages, query tables, explain a document.",
)
sources_app = typer.Typer(no_args_is_help=True, help="The sources of the catalog.")
app.add_typer(sources_app, name="sources")
app.add_typer(versions_app)
app.add_typer(access_app)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]

err = Console(stderr=True)


def main() -> None:
    """Run the command; every foreseen error is one message and an exit code."""
    keep_private()
    try:
        app()
    except ConfigError as error:
        _fail(str(error), code=2)
    except (FileNotFoundError, PermissionError) as error:
        _fail(str(error), code=1)
    except duckdb.Error as error:
        _fail(f'{error}. Try: `llm-data query "SHOW TABLES"` lists what can be read', code=1)
    except BrokenPipeError:
        # The reader (`head`, `grep -q`) has seen enough; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        _fail(f"{error}. Try: free some space, or set LLM_DATA_HOME to another disk", code=1)


def _fail(message: str, *, code: int) -> NoReturn:
    err.print(f"[bold red]error[/] {escape(message)}", soft_wrap=True)
    sys.exit(code)


@app.callback()
def common(
    role: Annotated[
        list[str] | None, typer.Option(help="A role that you hold; repeatable. See docs/access.md")
    ] = None,
) -> None:
    if role:
        os.environ[ROLES_VARIABLE] = ",".join([*role, os.environ.get(ROLES_VARIABLE, "")])


def _reading(command: str) -> duckdb.DuckDBPyConnection:
    """The catalog for a command that shows it."""
    from llm_data_assets.stages.access import note_reveal
    from llm_data_assets.stages.publication import open_catalog

    workspace = open_workspace()
    connection = open_catalog(workspace)
    note_reveal(workspace, command)
    return connection


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
    from llm_data_assets.defs.command import run_command  # Dagster takes a second to import

    sys.exit(run_command(open_workspace(), source or [], to, as_json))


@app.command("filter")
def filter_(
    change: Annotated[
        list[str], typer.Option("--set", help="rule.bound=value, as in gopher_short_doc.min=80.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Required: nothing is written.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """What another threshold would keep: survivors, and the documents at the boundary."""
    from llm_data_assets.stages.what_if import what_if

    if not dry_run:
        _fail(
            "a threshold is changed in pipeline.yaml, so that it is on record. "
            "Try: --dry-run to see what it would do, then edit the rule and `llm-data run`",
            code=2,
        )
    found = what_if(open_workspace(), change)
    _print_tables({"survivors": found.survivors, "boundary": found.boundary}, as_json)


@app.command("compare-rules")
def compare_rules(
    one: Annotated[str, typer.Argument(help="A shipped rule set, as gopher@datatrove.")],
    other: Annotated[str, typer.Argument(help="Another one, as gopher@dolma.")],
    as_json: AsJson = False,
) -> None:
    """Where two rule sets disagree about the measured documents, with samples."""
    from llm_data_assets.stages.what_if import compare_rule_sets

    found = compare_rule_sets(open_workspace(), one, other)
    _print_tables({"counts": found.survivors, "samples": found.boundary}, as_json)


@app.command()
def exposure(as_json: AsJson = False) -> None:
    """Which packed recipes and exported files met a benchmark, and with which documents."""
    connection = _reading("exposure")
    recipes = """SELECT recipe, evaluation_set, count(DISTINCT question_id) AS questions,
        count(DISTINCT doc_id) AS documents, max(question_share) AS largest_share,
        count(DISTINCT doc_id) FILTER (is_cut) AS documents_cut_since,
        min_by(doc_id, (-question_share, doc_id)) AS example
        FROM exposure GROUP BY ALL ORDER BY ALL"""
    found = {
        name: connection.sql(select).to_arrow_table().to_pylist()
        for name, select in (("recipes", recipes), ("exports", "FROM exposed_exports"))
    }
    if not as_json and not found["recipes"]:
        out.print("No packed recipe holds a question of the evaluation sets that were looked for.")
    _print_tables(found, as_json)


@app.command()
def query(
    sql: Annotated[str, typer.Argument(help="One SELECT over tables and models, by name.")],
    as_json: AsJson = False,
) -> None:
    """Query every stage and SQL model by its name, with DuckDB; never waits for a writer."""
    statements = duckdb.extract_statements(sql)
    reads = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)
    if len(statements) != 1 or statements[0].type not in reads:
        raise ConfigError("query", "", "takes exactly one SELECT", "`llm-data query 'FROM funnel'`")
    rows = _reading("query").execute(sql)
    names = [column[0] for column in rows.description or []]
    _print_rows(names, rows.fetchall(), as_json)


@app.command()
def explain(
    doc_id: Annotated[str | None, typer.Argument(help="The document's id.")] = None,
    position: Annotated[int | None, typer.Option(help="A position of the run.")] = None,
    recipe: Annotated[str | None, typer.Option(help="The run's recipe.")] = None,
    file: Annotated[Path | None, typer.Option(help="An exported .bin file.")] = None,
    offset: Annotated[int, typer.Option(help="A byte in that file.")] = 0,
    as_json: AsJson = False,
) -> None:
    """A document's way through the stages, also if it was removed; or what stands at a place."""
    from llm_data_assets.explain import explain_document, passport_lines
    from llm_data_assets.explain_position import documents_at, place_in_file

    connection = _reading("explain")
    token, places = None, []
    if file is not None:
        recipe, position, token = place_in_file(file, offset)
    if position is not None:
        names = [recipe] if recipe else open_workspace().recipes
        if len(names) > 1:
            raise ConfigError("--recipe", "", "is needed", f"one of {', '.join(names)}")
        places = documents_at(connection, names[0], position, token)
    elif doc_id is None:
        raise ConfigError("explain", "", "nothing was named", "DOC_ID, --position or --file")
    passports = []
    for place in places or [{"doc_id": doc_id}]:
        passport = explain_document(connection, place["doc_id"])
        if passport is None and _explained(connection, place["doc_id"], as_json):
            return
        if passport is None:
            _fail(
                f"no document {place['doc_id']!r}. "
                'Try: `llm-data query "SELECT doc_id FROM raw_corpus LIMIT 5"`',
                code=1,
            )
        passports.append({"place": place, **passport} if places else passport)
    if as_json:
        _print_json(passports if places else passports[0])
        return
    for passport in passports:
        if places:
            out.print(_place_line(passport["place"], position, token), highlight=False)
        for line in passport_lines(passport):
            out.print(line, highlight=False, soft_wrap=True)


def _explained(connection: duckdb.DuckDBPyConnection, doc_id: str, as_json: bool) -> bool:
    """Print the passport of a dialogue or a pair; False if there is none of that id."""
    from llm_data_assets import instruction_report, media_report

    for explain_row, lines in (
        (instruction_report.explain_dialogue, instruction_report.dialogue_lines),
        (media_report.explain_pair, media_report.pair_lines),
    ):
        if passport := explain_row(connection, doc_id):
            if as_json:
                _print_json(passport)
                return True
            for line in lines(passport):
                out.print(escape(line), highlight=False, soft_wrap=True)
            return True
    return False


def _place_line(place: dict[str, Any], position: int | None, token: int | None) -> str:
    first = place["first_token"] + (0 if token is None else token - place["at"])
    which = (
        f"tokens {first} to {first + place['tokens'] - 1}" if token is None else f"token {first}"
    )
    return (
        f"position {position}: sequence {place['sequence']} of {place['source']}, "
        f"pass {place['epoch']}; {which} of"
    )


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
def instructions(as_json: AsJson = False) -> None:
    """One page of figures: dialogues by source and stage, why they left, what was selected."""
    from llm_data_assets.instruction_report import report

    _print_tables(report(_reading("instructions")), as_json)


@app.command()
def media(as_json: AsJson = False) -> None:
    """One page of figures: pairs by source and stage, why they left, what is left."""
    from llm_data_assets.media_report import report

    _print_tables(report(_reading("media")), as_json)


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
        _fail("nothing was written", code=1)
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
def fit_mixture(
    runs: Annotated[Path, typer.Argument(help="CSV: a row a run, its shares and its losses.")],
    target: Annotated[str, typer.Option(help="The column that is to be low.")],
    domain: Annotated[list[str], typer.Option(help="A column of shares; repeatable.")],
    as_json: AsJson = False,
) -> None:
    """Weights for a recipe from one's own proxy runs, by regression (RegMix)."""
    import polars as pl

    from llm_data_assets.mixing import regmix

    frame = pl.read_csv(runs)
    for name in (*domain, target):
        if name not in frame.columns:
            raise ConfigError(str(runs), name, "is no column", f"one of {', '.join(frame.columns)}")
    try:
        numbers = frame.select(pl.col(*domain, target).cast(pl.Float64)).to_numpy()
        found = regmix.fit_mixture(numbers[:, :-1], numbers[:, -1])
    except (ValueError, pl.exceptions.PolarsError) as error:
        _fail(f"{runs}: {error}", code=1)
    weights = {name: round(float(w), 4) for name, w in zip(domain, found.weights, strict=True)}
    if as_json:
        _print_json({"weights": weights, "predicted": found.predicted, "spearman": found.spearman})
        return
    out.print(f"# {target}: predicted {found.predicted:.4g}; held-out runs are ranked at "
              f"{found.spearman:.3f} (Spearman)", highlight=False)  # fmt: skip
    out.print(yaml.safe_dump({"weights": weights}, sort_keys=False), highlight=False)


@app.command()
def plan(
    flops: Annotated[str | None, typer.Option(help="Training compute, as 5.76e23.")] = None,
    params: Annotated[str | None, typer.Option(help="Parameters, as 70B.")] = None,
    tokens: Annotated[str | None, typer.Option(help="Training tokens, as 1.4T.")] = None,
    gpu_hours: Annotated[str | None, typer.Option(help="Hours of --device, as 1.3M.")] = None,
    device: Annotated[str | None, typer.Option(help="A100, H100 ...")] = None,
    utilisation: Annotated[float, typer.Option(help="Part of the peak.")] = 0.4,
    unique_tokens: Annotated[str | None, typer.Option(help="Distinct tokens there are.")] = None,
    inference_tokens: Annotated[str | None, typer.Option(help="Tokens to be served.")] = None,
    law: Annotated[list[str] | None, typer.Option(help="Only this law; repeatable.")] = None,
    recipe: Annotated[str | None, typer.Option(help="Share the tokens out by it.")] = None,
    continual: Annotated[
        str | None, typer.Option(help="weak or strong: --tokens of new text for a trained model.")
    ] = None,
    new_source: Annotated[
        list[str] | None, typer.Option(help="Of new text, for --continual with --recipe.")
    ] = None,
    known: Annotated[bool, typer.Option("--known", help="Published data sets, models.")] = False,
    fit: Annotated[Path | None, typer.Option(help="CSV of runs to fit a law to.")] = None,
    drop_highest: Annotated[
        int | None, typer.Option(min=0, help="Highest losses left out of the fit; 2 % if unset.")
    ] = None,
    resamples: Annotated[int, typer.Option(min=0, help="Resamples behind the intervals.")] = 200,
    to: Annotated[
        Path | None, typer.Option("--out", help="Folder for the fit's tables and pictures.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What a budget buys under every scaling law, beside the tokens that there are."""
    from llm_data_assets import plan as planned
    from llm_data_assets.config.workspace import home_folder
    from llm_data_assets.planning.budget import given_of
    from llm_data_assets.planning.quantities import readable
    from llm_data_assets.stages.data_gap import recipe_gaps
    from llm_data_assets.stages.scaling_fit import fit_report, vocabulary_report

    if known:
        tables = planned.known_tables()
        _print_tables(tables if as_json else planned.readable_known(tables), as_json)
        return
    if fit is not None:
        words = vocabulary_report(fit)
        if words is not None:
            if to:
                planned.write_vocabulary_fit(words, to)
            shown = {name: value for name, value in words.items() if name != "residuals"}
            if as_json:
                _print_json({"vocabulary": words})
            else:
                _print_rows(["constant", "value"], list(shown.items()), False)
            return
        fitted = fit_report(fit, drop_highest, resamples)
        if to:
            planned.write_fit(fitted, to)
        if as_json:
            _print_json(fitted)
        for line in [] if as_json else planned.fit_lines(fitted):
            out.print(escape(line), highlight=False, soft_wrap=True)
        return
    if to is not None:
        raise ConfigError("--out", str(to), "is for a fit alone", "--fit runs.csv, or --json")
    asked = {
        "--flops": flops, "--params": params, "--tokens": tokens, "--gpu-hours": gpu_hours,
        "--unique-tokens": unique_tokens, "--inference-tokens": inference_tokens,
    }  # fmt: skip
    given = given_of(asked, device, utilisation)
    if continual is not None:
        advice = planned.continual(given, continual)
        block = recipe and planned.continual_recipe(
            open_workspace(), recipe, new_source or [], advice, continual
        )
        if block and not as_json:
            print(block)
            return
        if as_json:
            _print_json(advice)
        else:
            _print_rows(["advice", "value"], list(advice.items()), False)
        return
    report = planned.budget_report(given, law or [], home_folder())
    if recipe is not None:
        wanted = report["laws"][next(iter(law or ["chinchilla_1"]))]["tokens"]
        report["recipe"] = recipe_gaps(open_workspace(), recipe, wanted)
    if as_json:
        _print_json(report)
        return
    rows = [
        (name, readable(point["params"]), readable(point["tokens"]), f"{point['flops']:.3g}",
         f"{point['tokens'] / point['params']:.3g}", f"{point['loss']:.4f}")
        for name, point in report["laws"].items()
    ]  # fmt: skip
    _print_rows(["law", "params", "tokens", "flops", "tokens/param", "loss"], rows, False)
    if recipe is not None:
        _print_tables({"recipe": planned.readable_gaps(report["recipe"])}, False)
        for line in planned.gap_lines(report["recipe"]):
            out.print(escape(line), highlight=False, soft_wrap=True)
    for line in planned.budget_lines(report):
        out.print(escape(line), highlight=False, soft_wrap=True)


@sources_app.command("list")
def sources_list(as_json: AsJson = False) -> None:
    """The catalog's sources."""
    workspace = open_workspace()
    rows = [
        (name, each.format, each.domain, each.license or "unknown", each.priority, len(each.uris))
        for name, each in sorted(workspace.catalog.model.sources.items())
    ]
    _print_rows(["source", "format", "domain", "license", "priority", "uris"], rows, as_json)


@sources_app.command("formats")
def sources_formats(as_json: AsJson = False) -> None:
    """The native formats that can be read, with their options."""
    rows = [
        (each.name, each.description, ", ".join(load_reader(each.name).Options.model_fields))
        for each in all_formats().values()
    ]
    _print_rows(["format", "reads", "options"], rows, as_json)


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
        _print_json([each.as_dict() for each in found])
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
            _fail(f"{reason}. Nothing was added", code=1)
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
        _fail(str(error), code=1)
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
    _print_rows(["check", "state", "detail"], findings, as_json)
    if any(state == "problem" for _, state, _ in findings):
        sys.exit(1)


if __name__ == "__main__":
    main()
