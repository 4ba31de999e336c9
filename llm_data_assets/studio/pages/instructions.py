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
        "Dialogues from file to mix",
        "SELECT source, read_in, deduped, selected, train, validation FROM instruction_figures",
        note="Train and validation are what the exported files hold.",
        fill=_FILL,
    )
    losses = reader.panel("losses", "Why they left", "FROM instruction_losses", fill=_FILL)
    tasks = reader.panel(
        "tasks",
        "Selected by task type",
        """SELECT source, recall, reasoning, creative, tool_use, shortfall, cluster_coverage,
       quality_with_length FROM instruction_figures""",
        note="Quality without a rating of the data's own is a heuristic; its correlation with "
        "length stands beside it.",
        fill=_FILL,
    )
    pairs = reader.panel(
        "pairs",
        "Preferences",
        """SELECT source, pairs, with_margin, margin_mean, tied, chosen_is_longer,
       length_ratio_median FROM instruction_figures WHERE pairs > 0""",
        note="Where the chosen answer is nearly always the longer, a model learns length.",
        fill=_FILL,
    )
    files = reader.panel(
        "files",
        "Files",
        "SELECT file, rows, n_skipped, n_bytes FROM instruction_files ORDER BY file",
        note="Skipped rows are those that a layout cannot say: tools in Alpaca's, say.",
        fill=_FILL,
    )
    axes = numeric_columns(reader, "scored_instructions")
    # Without a list of terms every density is 0, and would draw one line.
    dense = axes and reader.rows(
        "SELECT 1 FROM scored_instructions WHERE concept_density > 0 LIMIT 1"
    )
    drawn = spread(
        reader,
        query,
        relation="scored_instructions",
        stays="selected_instructions",
        axes=axes,
        usual=("concept_density" if dense else "answer_words", "quality"),
        noun="dialogues",
        word="picked",
        fill=_FILL,
    )
    return {**drawn, "panels": [funnel, losses, tasks, pairs, drawn["panel"], files]}
