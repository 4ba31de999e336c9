"""What a plan can draw on: the tokens of each source that are in the lake."""

from pathlib import Path

from llm_data_assets.lake.catalog import connect


def tokens_of_sources(home: Path) -> dict[str, int]:
    """Tokens of `tokenized_corpus` by source, empty where nothing has been materialised."""
    try:
        connection = connect(home)
    except FileNotFoundError:
        return {}
    there = connection.execute(
        "SELECT count(*) FROM information_schema.columns "
        "WHERE table_name = 'tokenized_corpus' AND column_name = 'source'"
    ).fetchone()
    if not there or not there[0]:
        return {}
    rows = connection.execute(
        "SELECT source, sum(n_tokens)::BIGINT FROM tokenized_corpus GROUP BY 1 ORDER BY 1"
    )
    return {source: int(tokens or 0) for source, tokens in rows.fetchall()}
