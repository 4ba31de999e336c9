"""What `llm-data run` shows: progress, then the funnel and the largest drops."""

import json
import sys
import time
import warnings
from collections.abc import Sequence

import dagster as dg
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.defs.instance import open_instance
from llm_data_assets.defs.report import report_file
from llm_data_assets.defs.run import Report, Step, run
from llm_data_assets.engine.progress import listeners
from llm_data_assets.lake.catalog import CATALOG, connect
from llm_data_assets.stages.graph import STAGES

INTERRUPTED = 130  # as a shell says it of Ctrl-C
_STAGE_ORDER = ("raw_corpus", "deduped_corpus", "filtered_corpus", "tokenized_corpus")


def run_command(workspace: Workspace, sources: Sequence[str], to: str | None, as_json: bool) -> int:
    """Run, show, and return the exit code."""
    _check_names(workspace, sources, to)
    # Known and pinned (pyproject.toml); nothing a user of the command could act on.
    warnings.filterwarnings("ignore", category=dg.PreviewWarning)
    warnings.filterwarnings("ignore", category=dg.BetaWarning)
    console = Console(stderr=True)
    started = time.monotonic()
    with open_instance(workspace.home) as instance, _progress(console) as progress:
        bar = progress.add_task("starting Dagster", total=None)
        shards = progress.add_task("", total=None, visible=False)

        step_started = [started]

        def on_bytes(done: int, total: int) -> None:
            said = _said(done, total, time.monotonic() - step_started[0])
            progress.update(shards, completed=done, total=total, description=said, visible=True)

        def on_step(step: Step, number: int, total: int) -> None:
            step_started[0] = time.monotonic()
            said = escape(f"{number}/{total} {step.label}")
            progress.update(bar, total=total, completed=number - 1, description=said)
            progress.update(shards, visible=False)
            if not console.is_terminal:
                console.print(f"[{number}/{total}] {step.label}", highlight=False, markup=False)

        listeners.append(on_bytes)
        try:
            report = run(workspace, instance, sources=sources, to=to, on_step=on_step)
        except (KeyboardInterrupt, dg.DagsterExecutionInterruptedError):
            progress.stop()
            console.print("interrupted. Try: the same command again: finished shards are kept")
            return INTERRUPTED
        finally:
            listeners.remove(on_bytes)
        progress.remove_task(bar)
        progress.remove_task(shards)
    if as_json:
        sys.stdout.write(json.dumps(_as_dict(workspace, report, time.monotonic() - started)) + "\n")
    else:
        _show(workspace, report, time.monotonic() - started)
    return 1 if report.failures else 0


def _said(done: int, total: int, seconds: float) -> str:
    """Bytes, bytes a second, and the time that is left at this rate."""
    said = f"{done / 1e6:,.0f} of {total / 1e6:,.0f} MB"
    if not done or seconds <= 0:
        return said
    left = (total - done) * seconds / done
    return f"{said}, {done / 1e6 / seconds:,.1f} MB/s, {left // 60:.0f}:{left % 60:02.0f} left"


def _check_names(workspace: Workspace, sources: Sequence[str], to: str | None) -> None:
    for source in sources:
        if source not in workspace.all_sources:
            raise ConfigError(
                "--source",
                source,
                "is not in the catalog",
                f"one of {', '.join(workspace.all_sources)}",
            )
    if to is not None and to not in STAGES:
        raise ConfigError("--to", to, "is not a stage", f"one of {', '.join(STAGES)}")


def _progress(console: Console) -> Progress:
    columns = (
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _show(workspace: Workspace, report: Report, seconds: float) -> None:
    console = Console()
    if not report.ran:
        console.print(f"Everything is fresh: nothing to do ({report.fresh} partitions checked).")
    if (workspace.home / CATALOG).exists():
        _funnel(workspace, console)
    for warning in report.warnings:
        console.print(f"[yellow]warning[/] {escape(warning)}", soft_wrap=True)
    for failure in report.failures:
        console.print(f"[bold red]failed[/] {escape(failure)}", soft_wrap=True)
    console.print(f"{len(report.ran)} runs in {seconds:.1f} s, home {escape(str(workspace.home))}")
    if report.failures:
        console.print("Try: mend what is named above and run again; finished work is kept.")
        return
    console.print("\nNext:", highlight=False)
    commands = {
        "llm-data studio": "the same in the browser",
        "dagster dev": "Dagster's UI: lineage, checks, runs",
        'llm-data query "FROM largest_drops"': "why documents left",
        "llm-data explain DOC_ID": "one document's way through the stages",
    }
    for command, shows in commands.items():
        console.print(f"  {command:43}{shows}", highlight=False, soft_wrap=True)
    if (page := report_file(workspace)).exists():
        console.print(f"  {escape(str(page))}   to send", highlight=False, soft_wrap=True)


def _funnel(workspace: Workspace, console: Console) -> None:
    connection = connect(workspace.home)
    rows = connection.execute(
        "SELECT source, stage, docs, bytes, tokens FROM funnel ORDER BY source"
    ).fetchall()
    cells = {(source, stage): rest for source, stage, *rest in rows}
    headings = (stage.removesuffix("_corpus") for stage in _STAGE_ORDER)
    table = Table("source", *headings, "tokens", title="Documents (kB) left after each stage")
    totals = [[0, 0] for _ in _STAGE_ORDER]
    all_tokens = 0
    for source in workspace.sources:
        shown = []
        for place, stage in enumerate(_STAGE_ORDER):
            docs, n_bytes, _ = cells.get((source, stage), (0, 0, 0))
            totals[place] = [totals[place][0] + docs, totals[place][1] + n_bytes]
            shown.append(f"{docs:,} ({n_bytes / 1000:,.0f})")
        tokens = cells.get((source, "tokenized_corpus"), (0, 0, 0))[2] or 0
        all_tokens += tokens
        table.add_row(source, *shown, f"{tokens:,}")
    table.add_section()
    table.add_row("all", *(f"{d:,} ({b / 1000:,.0f})" for d, b in totals), f"{all_tokens:,}")
    console.print(table)
    drops = connection.execute(
        "SELECT stage, reason, docs, sources FROM largest_drops "
        "ORDER BY docs DESC, stage, reason LIMIT 8"
    ).fetchall()
    reasons = Table("stage", "reason", "documents", "sources", title="Largest drops")
    for row in drops:
        reasons.add_row(*(str(cell) for cell in row))
    console.print(reasons)


def _as_dict(workspace: Workspace, report: Report, seconds: float) -> dict[str, object]:
    return {
        "home": str(workspace.home),
        "seconds": round(seconds, 2),
        "ran": [{"partition": step.partition.key, "stages": step.stages} for step in report.ran],
        "fresh": report.fresh,
        "warnings": report.warnings,
        "failures": report.failures,
    }
