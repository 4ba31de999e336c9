"""A shipped rule set over texts, as filtered_corpus applies it."""

import duckdb
import pyarrow as pa

from llm_data_assets.config.pipeline import Rule
from llm_data_assets.text.rules import compile_rules, load_ruleset
from llm_data_assets.text.signals import MEASURED_NAMES, SIGNALS, measure_array

_COLUMNS = {signal.name: str(signal.dtype) for signal in SIGNALS} | {"language": "string"}


def failing_rules(
    name: str, texts: pa.Array, *, tokens: bool = True, language: str = "en"
) -> list[list[str]]:
    """The rules of a set that each text of a language fails, in order; those on language aside."""
    languages = [language] * len(texts)
    values = measure_array(texts, languages, tokens=tokens)
    rows = pa.table(
        {"doc_id": range(len(texts)), "language": languages}
        | {column: values[:, index] for index, column in enumerate(MEASURED_NAMES)}
    )
    rules = [Rule.model_validate(each) for each in load_ruleset(name)]
    select = compile_rules(
        [rule for rule in rules if not rule.signal.startswith("language_score")],
        _COLUMNS,
        relation="rows",
    )
    connection = duckdb.connect()
    connection.register("rows", rows)
    found = connection.sql(f"{select} ORDER BY doc_id").to_arrow_table().to_pylist()
    return [[each["name"] for each in row["failures"]] for row in found]
