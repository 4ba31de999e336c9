"""Media: what is left of the pairs, why the others left, and two of their signals as dots."""

from collections.abc import Mapping
from typing import Any

from llm_data_assets.lake.media_tables import score_columns
from llm_data_assets.studio.pages.spread import numeric_columns, spread
from llm_data_assets.studio.reader import Reader

_FILL = "llm-data sources add NAME --format laion --uri FILE, then llm-data run"


def page(reader: Reader, query: Mapping[str, str]) -> dict[str, Any]:
    """The funnel, the reasons with their bounds, kept and removed by two signals."""
    funnel = reader.panel(
        "funnel",
        "Pairs from file to what is worth fetching",
        """SELECT source, any_value(docs) FILTER (step = 1) AS read_in,
       any_value(docs) FILTER (step = 2) AS deduped, any_value(docs) FILTER (step = 3) AS kept,
       kept / nullif(read_in, 0) AS share_kept
FROM branch_survival WHERE branch = 'media' AND reason IS NULL GROUP BY source ORDER BY source""",
        fill=_FILL,
    )
    reasons = reader.panel(
        "reasons",
        "Why pairs left",
        """SELECT source, stage, reason, pairs, mean_value, threshold, example
FROM media_reasons ORDER BY source, stage, pairs DESC, reason""",
        fill=_FILL,
    )
    left = reader.panel(
        "left",
        "What is left",
        "SELECT source, kind, pairs, hours, median_pixels, caption_bytes "
        "FROM media_contents ORDER BY ALL",
        fill=_FILL,
    )
    scores = [
        row["name"]
        for row in reader.rows(
            "SELECT DISTINCT score.name AS name FROM "
            "(SELECT unnest(scores) AS score FROM pair_signals) ORDER BY name"
        )
    ]
    drawn = spread(
        reader,
        query,
        relation=f"(SELECT *{score_columns(scores)} FROM pair_signals)",
        stays="filtered_pairs",
        axes=[*numeric_columns(reader, "pair_signals"), *scores],
        usual=("caption_words", "caption_characters"),
        noun="pairs",
        word="kept",
        fill=_FILL,
    )
    return {**drawn, "panels": [funnel, reasons, drawn["panel"], left]}
