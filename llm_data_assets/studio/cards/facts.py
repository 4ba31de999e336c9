"""What every card of a recipe is filled from, read once."""

from dataclasses import dataclass

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.catalog import literal
from llm_data_assets.studio.reader import Reader, Row


@dataclass(frozen=True)
class Facts:
    """Rows of the SQL models, narrowed to the recipe and to its sources."""

    recipe: str
    workspace: Workspace
    # recipe_contents: source, license, language, docs, bytes, tokens.
    contents: list[Row]
    # mixture: phase, source, share, epochs, sequences.
    plan: list[Row]
    # drops of the recipe's sources, added up: stage, reason, docs.
    losses: list[Row]
    # Spans masked or removed by kind: kind, spans, docs.
    edits: list[Row]
    # latest_checks: asset, check, severity, passed, observed, expected.
    checks: list[Row]
    # exposure: evaluation_set, questions, docs.
    exposed: list[Row]
    # training_export: file, format, n_bytes, checksum, tokens.
    exports: list[Row]
    # latest_stats of all that the recipe is made from.
    stats: list[Row]

    @property
    def sources(self) -> list[str]:
        return sorted({row["source"] for row in self.contents})

    @property
    def made(self) -> str:
        """When the newest part was committed: ISO 8601, UTC."""
        return str(max(row["ts"] for row in self.stats).isoformat())

    def total(self, column: str) -> int:
        """Sum of a column of `contents`."""
        return sum(row[column] or 0 for row in self.contents)

    def by(self, name: str) -> list[Row]:
        """Documents, bytes and tokens by a column of `contents`, most tokens first."""
        found: dict[str, Row] = {}
        for row in self.contents:
            into = found.setdefault(
                row[name], {name: row[name], "docs": 0, "bytes": 0, "tokens": 0}
            )
            for column in ("docs", "bytes", "tokens"):
                into[column] += row[column] or 0
        return sorted(found.values(), key=lambda row: (-row["tokens"], row[name]))


def facts_of(reader: Reader, recipe: str) -> Facts:
    """The facts of a recipe that has been mixed.

    Raises:
        ConfigError: there is no such recipe.
        FileNotFoundError: nothing of it has been mixed.
    """
    workspace = reader.workspace
    if recipe not in workspace.recipes:
        known = ", ".join(workspace.recipes)
        raise ConfigError("--recipe", recipe, "there is no such recipe", f"one of {known}")
    named = literal(recipe)
    contents = reader.rows(
        f"SELECT * EXCLUDE (recipe) FROM recipe_contents WHERE recipe = {named} "
        "ORDER BY source, license, language"
    )
    if not contents:
        raise FileNotFoundError(f"nothing of the recipe {recipe} is mixed. Try: llm-data run")
    within = ", ".join(literal(name) for name in sorted({row["source"] for row in contents}))
    return Facts(
        recipe=recipe,
        workspace=workspace,
        contents=contents,
        plan=reader.rows(
            "SELECT phase, source, share, epochs, sequences, available_tokens FROM mixture "
            f"WHERE recipe = {named} ORDER BY phase, source"
        ),
        losses=reader.rows(
            "SELECT stage, reason, sum(docs)::BIGINT AS docs FROM drops "
            f"WHERE source IN ({within}) GROUP BY ALL ORDER BY docs DESC, stage, reason"
        ),
        edits=reader.rows(
            "SELECT kind AS method, sum(spans)::BIGINT AS spans, sum(docs)::BIGINT AS docs "
            "FROM edit_counts "
            f"WHERE stage = 'filtered_corpus' AND source IN ({within}) "
            "GROUP BY ALL ORDER BY spans DESC, method"
        ),
        checks=reader.rows(
            'SELECT asset, "check", severity, partition, passed, observed, expected '
            'FROM latest_checks ORDER BY passed, asset, "check", partition'
        ),
        exposed=reader.rows(
            "SELECT evaluation_set, count(DISTINCT question_id) AS questions, "
            "count(DISTINCT doc_id) AS docs, bool_and(is_cut) AS all_cut FROM exposure "
            f"WHERE recipe = {named} GROUP BY ALL ORDER BY ALL"
        ),
        exports=reader.rows(
            "SELECT file, format, n_bytes, checksum, sequences, tokens FROM training_export "
            f"WHERE recipe = {named} ORDER BY file"
        ),
        stats=reader.rows(
            "SELECT stage, partition, source, recipe, run_id, ts, seconds, docs_in, docs, bytes, "
            "tokens, config_hash, data_version, table_version FROM latest_stats "
            f"WHERE coalesce(recipe, {named}) = {named} "
            f"AND (source IS NULL OR source IN ({within})) ORDER BY ts, stage, partition"
        ),
    )
