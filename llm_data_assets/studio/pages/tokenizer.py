"""The tokenizer: how densely it packs each source and language, and the pieces it has."""

from collections.abc import Mapping
from typing import Any

from llm_data_assets.studio.reader import Reader

_FILL = "llm-data run --to tokenizer_report"


def page(reader: Reader, query: Mapping[str, str]) -> dict[str, Any]:
    """The figures of tokenizer_report by corpus, source, language, vocabulary and piece."""
    model = reader.panel(
        "model",
        "Model",
        "FROM tokenizers",
        fill="llm-data run --to tokenizer",
    )
    corpus = reader.panel(
        "corpus",
        "On the whole corpus",
        "SELECT metric, value FROM tokenizer_figures WHERE scope = 'corpus' ORDER BY metric",
        fill=_FILL,
    )
    density = reader.panel(
        "density",
        "Bytes a token stands for, by source",
        """SELECT source, max(value) FILTER (metric = 'bytes_per_token') AS bytes_per_token,
       max(value) FILTER (metric = 'tokens')::BIGINT AS tokens,
       max(value) FILTER (metric = 'byte_fallback_rate') AS byte_fallback_rate
FROM tokenizer_figures WHERE scope = 'source' GROUP BY source
ORDER BY bytes_per_token DESC, source""",
        note="More is denser.",
        fill=_FILL,
    )
    languages = reader.panel(
        "languages",
        "By language",
        """SELECT language, max(value) FILTER (metric = 'documents')::BIGINT AS documents,
       max(value) FILTER (metric = 'tokens_per_word') AS tokens_per_word,
       max(value) FILTER (metric = 'token_premium') AS token_premium,
       max(value) FILTER (metric = 'vocabulary_used') AS vocabulary_used,
       max(value) FILTER (metric = 'renyi_efficiency') AS renyi_efficiency
FROM tokenizer_figures WHERE scope = 'language' GROUP BY language ORDER BY documents DESC""",
        note="A word stands between spaces: of languages without them, compare the premium.",
        fill=_FILL,
    )
    pieces = reader.panel(
        "pieces",
        "Pieces worth a look",
        "SELECT metric AS why, token, piece, value::BIGINT AS seen FROM tokenizer_figures "
        "WHERE scope = 'piece' ORDER BY why, seen DESC, token",
        fill=_FILL,
    )
    held_out = reader.panel(
        "held_out",
        "Vocabulary sizes on held-out text, and those the vocabulary laws advise",
        "SELECT vocab_size, metric, value FROM tokenizer_figures "
        "WHERE scope IN ('held_out', 'advice') ORDER BY vocab_size, metric",
        fill="tokenizer: {compare_vocab_sizes: [4000, 8000]} in pipeline.yaml, llm-data run",
    )
    densest = max((row["bytes_per_token"] or 0 for row in density.rows), default=1)
    return {
        "panels": [model, corpus, density, languages, held_out, pieces],
        "densest": densest,
    }
