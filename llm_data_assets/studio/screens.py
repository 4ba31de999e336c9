"""Every screen by its address."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from llm_data_assets.studio.pages import (
    card,
    checks,
    compare,
    document,
    duplicates,
    explore,
    filters,
    flow,
    instructions,
    media,
    mix,
    plan,
    sql,
    tokenizer,
)
from llm_data_assets.studio.reader import Reader


@dataclass(frozen=True)
class Screen:
    """A page of the studio; `/csv/<name>/<panel>` gives the rows of its panels."""

    name: str
    path: str
    title: str
    says: str
    page: Callable[[Reader, Mapping[str, str]], dict[str, Any]]
    # Whether the one-file report has it: no forms, no single documents.
    in_report: bool = True


SCREENS = (
    Screen("flow", "/", "Flow", "Where every document went", flow.page),
    Screen("checks", "/checks", "Checks", "Failures first", checks.page),
    Screen("duplicates", "/duplicates", "Duplicates", "What repeats what", duplicates.page),
    Screen("filters", "/filters", "Filter lab", "Move a bound, see who survives", filters.page),
    Screen("explore", "/explore", "Explore", "Signals that narrow each other", explore.page),
    Screen("mix", "/mix", "Mixture", "What each source gives, and what it is worth", mix.page),
    Screen("plan", "/plan", "Plan", "A budget under every scaling law", plan.page),
    Screen("tokenizer", "/tokenizer", "Tokenizer", "How densely it packs", tokenizer.page),
    Screen("compare", "/compare", "Compare", "Two versions", compare.page, in_report=False),
    Screen("instructions", "/instructions", "Instructions", "What was picked", instructions.page),
    Screen("media", "/media", "Media", "Which pairs are worth fetching", media.page),
    Screen("card", "/card", "Corpus card", "What a recipe holds, under which terms", card.page),
    Screen("document", "/doc", "Document", "One document, from source to sequence",
           document.page, in_report=False),
    Screen("sql", "/sql", "SQL", "Ask the lake", sql.page, in_report=False),
)  # fmt: skip
