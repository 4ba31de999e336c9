"""Explore: signals as histograms that narrow each other, down to the texts."""

from collections.abc import Mapping
from typing import Any

from llm_data_assets.lake.catalog import literal, quote
from llm_data_assets.studio.charts import histogram
from llm_data_assets.studio.reader import Panel, Reader
from llm_data_assets.studio.shown import address

SHOWN = (
    "rps_doc_word_count",
    "rps_doc_mean_word_length",
    "rps_doc_stop_word_fraction",
    "dup_line_char_frac",
    "alphanumeric_fraction",
    "rps_doc_unigram_entropy",
)
CHOICES = ("source", "language", "outcome", "year")
_BINS, _TEXTS = 24, 20
_FILL = "llm-data run --to quality_signals, then llm-data run"


def page(reader: Reader, query: Mapping[str, str]) -> dict[str, Any]:
    """Histograms of `SHOWN` under all ranges and choices of the query, and documents under them.

    A range is `signal=low..high`; those of `CHOICES` choose values.
    """
    ranges = {name: each for name in SHOWN if (each := _range(query.get(name, "")))}
    chosen = {name: query.get(name) for name in CHOICES}
    parts = [f"{quote(name)}::VARCHAR = {literal(told)}" for name, told in chosen.items() if told]
    parts += [f"{quote(name)} BETWEEN {low!r} AND {high!r}" for name, (low, high) in ranges.items()]
    condition = " AND ".join(parts) or "true"
    ends = _ends(reader)
    panels, pictures = [], []
    for name in SHOWN:
        if name not in ends:
            continue
        low, high = ends[name]
        width = (high - low) / _BINS or 1.0
        panel = reader.panel(
            name,
            name.removeprefix("rps_doc_").replace("_", " "),
            f"""SELECT least(floor(({quote(name)} - {low!r}) / {width!r}), {_BINS - 1})::INTEGER
           AS bin, count(*) AS documents, count(*) FILTER ({condition}) AS chosen
FROM measured_documents WHERE {quote(name)} BETWEEN {low!r} AND {high!r}
GROUP BY bin ORDER BY bin""",
        )
        panels.append(panel)
        pictures.append(
            (
                panel,
                _picture(name, panel, low, width, query, ranges.get(name), reader.static),
                address("/explore", query, **{name: ""}) if name in ranges else "",
            )
        )
    texts = reader.panel(
        "texts",
        "Documents",
        f"""WITH chosen AS (
    SELECT source, doc_id, language, outcome, rps_doc_word_count AS words
    FROM measured_documents WHERE {condition} ORDER BY hash(doc_id), doc_id LIMIT {_TEXTS}
)
SELECT doc_id, language, outcome, words, left(text, 300) AS text
FROM chosen JOIN (SELECT source, doc_id, text FROM raw_corpus) USING (source, doc_id)
ORDER BY doc_id""",
        note=f"{_TEXTS} of those chosen, drawn by a hash of their names.",
        fill=_FILL,
    )
    count = reader.rows(
        f"SELECT count(*) AS documents, count(*) FILTER ({condition}) AS chosen "
        "FROM measured_documents"
    )[0]
    return {
        "panels": [texts, *panels],
        "pictures": pictures,
        "count": count,
        "choices": {name: (chosen[name], _values(reader, name)) for name in CHOICES},
        "ranges": {name: f"{low:g}..{high:g}" for name, (low, high) in ranges.items()},
    }


def _range(told: str) -> tuple[float, float] | None:
    low, mark, high = told.partition("..")
    try:
        return (float(low), float(high)) if mark else None
    except ValueError:
        return None


def _ends(reader: Reader) -> dict[str, tuple[float, float]]:
    """Between which values 98 in 100 documents lie, as far as a sample tells."""
    told = reader.rows(
        "SELECT "
        + ", ".join(f"quantile_disc({quote(n)}, [0.01, 0.99])::DOUBLE[] AS {n}" for n in SHOWN)
        + f" FROM (SELECT {', '.join(map(quote, SHOWN))} FROM measured_documents "
        "USING SAMPLE reservoir(20000 ROWS) REPEATABLE (1))"
    )[0]
    return {name: (ends[0], ends[1]) for name, ends in told.items() if ends}


def _values(reader: Reader, name: str) -> list[str]:
    sql = f"""SELECT {quote(name)}::VARCHAR AS "value", count(*) AS n FROM measured_documents
WHERE "value" IS NOT NULL GROUP BY ALL ORDER BY n DESC, "value" LIMIT 40"""
    return [row["value"] for row in reader.rows(sql)]


def _picture(
    name: str, panel: Panel, low: float, width: float, query: Mapping[str, str],
    chosen: tuple[float, float] | None, static: bool,
) -> str:  # fmt: skip
    counts = {row["bin"]: (row["documents"], row["chosen"]) for row in panel.rows}
    bins = [
        (low + number * width, low + (number + 1) * width, *counts.get(number, (0, 0)))
        for number in range(_BINS)
    ]
    links = [
        address("/explore", query, **{name: f"{start:.6g}..{end:.6g}"}) + f"#{name}"
        for start, end, _, _ in bins
    ]
    return histogram(
        bins,
        across=panel.title,
        chosen=chosen,
        links=() if static else links,
        brush="" if static else name,
    )
