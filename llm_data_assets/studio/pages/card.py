"""The corpus card: what a recipe holds, under which terms, and its datasheet."""

from collections.abc import Mapping
from typing import Any

from llm_data_assets.lake.catalog import literal
from llm_data_assets.studio.cards.datasheet import TO_FILL_IN, datasheet
from llm_data_assets.studio.cards.facts import facts_of
from llm_data_assets.studio.reader import Reader


def page(reader: Reader, query: Mapping[str, str]) -> dict[str, Any]:
    """The card of `recipe`, the first by default."""
    recipes = [
        row["recipe"] for row in reader.rows("SELECT DISTINCT recipe FROM mixture ORDER BY 1")
    ]
    recipe = query.get("recipe") or next(iter(recipes), "")
    panels = [
        reader.panel(
            name,
            title,
            f"""SELECT {column}, sum(docs)::BIGINT AS docs, sum(bytes)::BIGINT AS bytes,
       sum(tokens)::BIGINT AS tokens
FROM recipe_contents WHERE recipe = {literal(recipe)}
GROUP BY {column} ORDER BY tokens DESC, {column}""",
        )
        for name, title, column in (
            ("sources", "Sources", "source"),
            ("licenses", "Licences", "license"),
            ("languages", "Languages", "language"),
        )
    ]
    made = bool(panels[0].rows) and recipe in reader.workspace.recipes
    facts = facts_of(reader, recipe) if made else None
    sections = datasheet(facts) if facts else []
    answers = [answer for _, asked in sections for _, answer in asked]
    questions = reader.computed(
        "datasheet",
        "Datasheet",
        [
            {"section": title, "question": question, "answer": answer}
            for title, asked in sections
            for question, answer in asked
        ],
        note="Questions after Gebru et al. 2021.",
    )
    return {
        "panels": [*panels, questions],
        "recipe": recipe,
        "recipes": recipes,
        "tokens": max((row["tokens"] for row in panels[0].rows), default=1) or 1,
        "sections": sections,
        "to_fill_in": TO_FILL_IN,
        "tiles": {
            "documents": facts.total("docs"),
            "tokens, counted once": facts.total("tokens"),
            "licences": len(panels[1].rows),
            "checks that fail": sum(not row["passed"] for row in facts.checks),
            "questions answered from data": len(answers) - answers.count(TO_FILL_IN),
            "questions to fill in": answers.count(TO_FILL_IN),
        }
        if facts
        else {},
    }
