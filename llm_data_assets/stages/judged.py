"""What the rules say of rows that were measured: of documents, dialogues and pairs alike."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from llm_data_assets.config.rule import Rule
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.text.rules import compile_rules


def judging_select(
    workspace: Workspace,
    field: tuple[str, ...],
    rules: Sequence[Rule],
    columns: Mapping[str, str],
    relation: str,
) -> str:
    """As `compile_rules`; an error names the line of `field` in the pipeline.

    Raises:
        ConfigError: a rule names a column that is not there, or bounds that do not fit its type.
    """
    try:
        return compile_rules(rules, columns, relation=relation)
    except ValueError as error:
        problem, _, way_out = str(error).partition(" Try: ")
        raise workspace.pipeline.error(field, problem, way_out) from None


def verdict_rows(judged: pa.Table) -> list[dict[str, Any]]:
    """Rows of `verdicts` of what `compile_rules` gave: one a failing rule."""
    failing = judged.filter(pc.greater(pc.list_value_length(judged["failures"]), 0))
    return [
        {
            "doc_id": row["doc_id"],
            "kept": row["kept"],
            "reason": each["name"],
            **{name: each[name] for name in ("position", "value", "threshold", "detail")},
        }
        for row in failing.to_pylist()
        for each in row["failures"]
    ]
