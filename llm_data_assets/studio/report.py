"""The one-file report: the studio's pages as they are now, in a file that can be sent."""

import re
from pathlib import Path
from typing import Any

from llm_data_assets.config.workspace import Workspace
from llm_data_assets.studio.app import environment, static_text
from llm_data_assets.studio.reader import Reader
from llm_data_assets.studio.screens import SCREENS

MOST_BYTES = 3_000_000


def write_report(workspace: Workspace, file: Path) -> Path:
    """Write aggregates and capped samples of a home as one HTML file that loads nothing.

    Raises:
        FileNotFoundError: nothing has been materialised yet.
        ValueError: it would be larger than `MOST_BYTES`.
    """
    text = report_html(workspace)
    if len(text.encode()) > MOST_BYTES:
        raise ValueError(
            f"the report would have {len(text.encode()):,} bytes, {MOST_BYTES:,} are allowed. "
            "Try: `llm-data studio`, which shows the same page by page"
        )
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.new")
    beside.write_text(text, encoding="utf-8")
    return beside.replace(file)


def report_html(workspace: Workspace) -> str:
    """The report as HTML; personal data is always masked in it."""
    reader = Reader(workspace, static=True)
    largest = reader.rows("SELECT stage, reason FROM largest_drops ORDER BY docs DESC LIMIT 1")
    parts: list[dict[str, Any]] = []
    for screen in SCREENS:
        if not screen.in_report:
            continue
        query = largest[0] if screen.name == "flow" and largest else {}
        try:
            values = screen.page(reader, query)
        except FileNotFoundError as error:
            parts.append({"screen": screen, "problem": str(error)})
            continue
        values["panel"] = {panel.name: panel for panel in values["panels"]}
        parts.append({"screen": screen, "problem": "", **values})
    templates = environment()
    sections = [
        {
            "screen": part["screen"],
            "problem": part["problem"],
            "body": ""
            if part["problem"]
            else templates.get_template(f"pages/{part['screen'].name}.html").render(
                query={}, static=True, reveal=False, **part
            ),
        }
        for part in parts
    ]
    page = templates.get_template("report.html").render(
        sections=sections, style=static_text("studio.css"), catalog=workspace.catalog.path.name
    )
    return re.sub(r"\n\s*\n+", "\n", page)
