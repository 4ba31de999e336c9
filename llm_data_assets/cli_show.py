"""Commands that ask the tables and change nothing: `llm-data query | explain | exposure ...`"""

from pathlib import Path
from typing import Annotated, Any

import duckdb
import typer
from rich.markup import escape

from llm_data_assets.cli_output import AsJson, fail, out, print_json, print_rows, print_tables
from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import open_workspace

show_app = typer.Typer()


def _reading(command: str) -> duckdb.DuckDBPyConnection:
    """The catalog for a command that shows it."""
    from llm_data_assets.stages.access import note_reveal
    from llm_data_assets.stages.publication import open_catalog

    workspace = open_workspace()
    connection = open_catalog(workspace)
    note_reveal(workspace, command)
    return connection


@show_app.command("filter")
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
        fail(
            "a threshold is changed in pipeline.yaml, so that it is on record. "
            "Try: --dry-run to see what it would do, then edit the rule and `llm-data run`",
            code=2,
        )
    found = what_if(open_workspace(), change)
    print_tables({"survivors": found.survivors, "boundary": found.boundary}, as_json)


@show_app.command("compare-rules")
def compare_rules(
    one: Annotated[str, typer.Argument(help="A shipped rule set, as gopher@datatrove.")],
    other: Annotated[str, typer.Argument(help="Another one, as gopher@dolma.")],
    as_json: AsJson = False,
) -> None:
    """Where two rule sets disagree about the measured documents, with samples."""
    from llm_data_assets.stages.what_if import compare_rule_sets

    found = compare_rule_sets(open_workspace(), one, other)
    print_tables({"counts": found.survivors, "samples": found.boundary}, as_json)


@show_app.command()
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
    print_tables(found, as_json)


@show_app.command()
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
    print_rows(names, rows.fetchall(), as_json)


@show_app.command()
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
            fail(
                f"no document {place['doc_id']!r}. "
                'Try: `llm-data query "SELECT doc_id FROM raw_corpus LIMIT 5"`',
                code=1,
            )
        passports.append({"place": place, **passport} if places else passport)
    if as_json:
        print_json(passports if places else passports[0])
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
                print_json(passport)
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


@show_app.command()
def instructions(as_json: AsJson = False) -> None:
    """One page of figures: dialogues by source and stage, why they left, what was selected."""
    from llm_data_assets.instruction_report import report

    print_tables(report(_reading("instructions")), as_json)


@show_app.command()
def media(as_json: AsJson = False) -> None:
    """One page of figures: pairs by source and stage, why they left, what is left."""
    from llm_data_assets.media_report import report

    print_tables(report(_reading("media")), as_json)
