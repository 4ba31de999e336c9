"""Instruction selection: what is left of the dialogues, what was picked, and what that covers."""

from collections.abc import Mapping
from typing import Any

from llm_data_assets.studio.pages.spread import numeric_columns, spread
from llm_data_assets.studio.reader import Reader

_FILL = "llm-data sources add NAME --format sharegpt --uri FILE, then llm-data run"


def page(reader: Reader, query: Mapping[str, str]) -> dict[str, Any]:
    """The funnel, quality against diversity by picked or not, task types and covered figures."""
    funnel = reader.panel(
        "funnel",
        "Dialogues left after each stage",
        "SELECT * FROM instruction_funnel ORDER BY source, docs DESC, stage",
        fill=_FILL,
    )
    tasks = reader.panel(
        "tasks",
        "Picked by task type",
        """SELECT source, task_type, count(*) AS picked, count(DISTINCT cluster) AS clusters,
       avg(score) AS mean_score, avg(nearest) AS mean_nearest
FROM selected_instructions GROUP BY ALL ORDER BY ALL""",
        note="Nearest is the cosine to the closest dialogue picked before: lower is more diverse.",
        fill=_FILL,
    )
    report = reader.panel(
        "coverage",
        "What the selection covers",
        "SELECT source, metric, key, value FROM selection_report ORDER BY ALL",
        fill=_FILL,
    )
    drawn = spread(
        reader,
        query,
        relation="scored_instructions",
        stays="selected_instructions",
        axes=numeric_columns(reader, "scored_instructions"),
        usual=("concept_density", "quality"),
        noun="dialogues",
        word="picked",
        fill=_FILL,
    )
    return {**drawn, "panels": [funnel, drawn["panel"], tasks, report]}
