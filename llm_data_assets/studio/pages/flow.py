"""Flow: where documents, bytes and tokens go, every loss by name, and the texts behind it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from llm_data_assets.lake.catalog import literal
from llm_data_assets.studio.reader import Reader, Row, where
from llm_data_assets.studio.river import Step, river
from llm_data_assets.studio.shown import compact

MEASURES = ("docs", "tokens", "bytes")
STAGES = ("raw_corpus", "deduped_corpus", "filtered_corpus", "tokenized_corpus")
SAMPLES = 20  # texts shown of one loss
_NOT_TAKEN, _NOT_MADE = "not in the recipe", "not made yet"


def page(reader: Reader, query: Mapping[str, str]) -> dict[str, Any]:
    """The river of one source or all, and samples of the loss that `stage` and `reason` name."""
    measure = query.get("measure", "docs")
    measure = measure if measure in MEASURES else "docs"
    source = query.get("source")
    recipes = [
        each["recipe"] for each in reader.rows("SELECT DISTINCT recipe FROM mixture ORDER BY 1")
    ]
    recipe = query.get("recipe") or (recipes[0] if recipes else "")
    also = f"AND source = {literal(source)}" if source else ""
    survival = reader.panel(
        "losses",
        "Every loss",
        f"""SELECT step, stage, reason, sum(docs)::BIGINT AS docs, sum(bytes)::BIGINT AS bytes,
       sum(tokens)::BIGINT AS tokens, count(DISTINCT source) AS sources
FROM survival {where(source=source)}
GROUP BY ALL ORDER BY step, reason NULLS FIRST, docs DESC""",
        note="A reason without a name is what stays. "
        "Tokens before tokenisation are estimated at the density of the source's tokens.",
    )
    sources = reader.panel(
        "sources",
        "Sources",
        "SELECT source, "
        + ", ".join(
            f"coalesce(sum(docs) FILTER (stage = '{stage}'), 0)::BIGINT AS "
            f"{stage.removesuffix('_corpus')}"
            for stage in STAGES
        )
        + ", sum(tokens)::BIGINT AS tokens FROM funnel GROUP BY source ORDER BY source",
    )
    drawn = reader.panel(
        "river",
        "Survival",
        f"""SELECT stage, reason, sum(docs)::BIGINT AS docs, sum(bytes)::BIGINT AS bytes,
       sum(tokens)::BIGINT AS tokens
FROM (
    SELECT step, stage, reason, docs, bytes, tokens FROM survival {where(source=source)}
    UNION ALL
    SELECT 5, recipe, NULL, docs, bytes, tokens
    FROM recipe_reach WHERE recipe = {literal(recipe)} {also}
)
GROUP BY step, stage, reason ORDER BY step, reason NULLS FIRST, docs DESC""",
    )
    steps = _steps(drawn.rows, STAGES, measure)
    reached = [row for row in drawn.rows if row["stage"] == recipe]
    if recipe:
        taken = sum(row[measure] or 0 for row in reached)
        steps.append(Step(recipe, taken, [(_NOT_TAKEN, steps[-1].value - taken)]))
    branches = reader.panel(
        "branches",
        "Other branches",
        """SELECT branch, step, stage, reason, sum(docs)::BIGINT AS docs,
       count(DISTINCT source) AS sources
FROM branch_survival GROUP BY ALL ORDER BY branch, step, reason NULLS FIRST, docs DESC""",
    )
    return {
        "panels": [drawn, survival, sources, branches, *_samples(reader, query)],
        "branches": _branches(branches.rows, query, reader.static),
        "picture": river(steps, compact, _link(query, reader.static, STAGES, "losses"))
        if survival.rows
        else "",
        "steps": steps,
        "measure": measure,
        "measures": MEASURES,
        "source": source,
        "sources": [row["source"] for row in sources.rows],
        "recipe": recipe,
        "recipes": recipes,
        "unread": reader.rows(
            f"SELECT source, records FROM unreadable {where(source=source)} ORDER BY source"
        ),
    }


def _branches(rows: list[Row], query: Mapping[str, str], static: bool) -> dict[str, str]:
    """Branch -> the river of its stages, of those that have been run."""
    drawn = {}
    for branch in dict.fromkeys(row["branch"] for row in rows):
        here = [row for row in rows if row["branch"] == branch]
        stages = list(dict.fromkeys(row["stage"] for row in here))
        link = _link(query, static, stages, "branches")
        drawn[branch] = river(_steps(here, stages, "docs"), compact, link)
    return drawn


def _steps(rows: list[Row], stages: Sequence[str], measure: str) -> list[Step]:
    """The stages in order; what is neither kept nor lost by name was not decided about yet."""
    steps: list[Step] = []
    for stage in stages:
        here = [row for row in rows if row["stage"] == stage]
        kept = sum(row[measure] or 0 for row in here if row["reason"] is None)
        losses = [(row["reason"], row[measure] or 0) for row in here if row["reason"]]
        if steps:
            unexplained = steps[-1].value - kept - sum(value for _, value in losses)
            # Estimated tokens differ from counted ones by their rounding.
            if measure != "tokens" and unexplained > 0:
                losses.append((_NOT_MADE, unexplained))
        steps.append(Step(_short(stage), kept, losses))
    return steps


def _short(stage: str) -> str:
    """A stage's name without that of its branch: raw, deduped, filtered."""
    return stage.removesuffix("_corpus").removesuffix("_instructions").removesuffix("_pairs")


def _link(
    query: Mapping[str, str], static: bool, stages: Sequence[str], table: str
) -> Callable[[str, str], str]:
    """To the samples of a loss of one of `stages`; of all others to the panel of that name."""
    full = {_short(stage): stage for stage in stages}
    kept = {name: query[name] for name in ("source", "measure", "recipe") if query.get(name)}

    def link(step: str, reason: str) -> str:
        if static:
            return ""
        if step not in full or "other reasons" in reason or reason == _NOT_MADE:
            return f"#{table}"
        return f"?{urlencode({**kept, 'stage': full[step], 'reason': reason})}#samples"

    return link


def _samples(reader: Reader, query: Mapping[str, str]) -> list[Any]:
    stage, reason, source = query.get("stage"), query.get("reason"), query.get("source")
    if not stage or not reason:
        return []
    # drop_samples has as many of each source: those of all sources are among them.
    return [
        reader.panel(
            "samples",
            f"Removed by {reason}",
            f"""SELECT doc_id, value, threshold, detail, text FROM drop_samples
{where(stage=stage, reason=reason, source=source)}
ORDER BY md5(doc_id), doc_id LIMIT {SAMPLES}""",
            note=f"{SAMPLES} at most, drawn by a hash of their names: always the same.",
        )
    ]
