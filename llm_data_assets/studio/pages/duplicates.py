"""Duplicates: groups, which source repeats which, the words that differ, the bands' curve."""

import difflib
import re
from collections.abc import Mapping
from typing import Any

from llm_data_assets.dedup.bands import hit_probability
from llm_data_assets.lake.catalog import literal
from llm_data_assets.studio.charts import curve
from llm_data_assets.studio.reader import Reader, Row, where

_GROUPS, _MEMBERS, _WORDS = 40, 40, 3000


def page(reader: Reader, query: Mapping[str, str]) -> dict[str, Any]:
    """Groups of `source` or all; the group of `kept`, and how `removed` differs from it."""
    source = query.get("source")
    pairs = reader.panel(
        "matrix",
        "Which source repeats which",
        "SELECT source, kept_source, sum(docs)::BIGINT AS docs FROM duplicate_pairs "
        "GROUP BY ALL ORDER BY ALL",
        note="A row's documents went because a column's document stays.",
    )
    groups = reader.panel(
        "groups",
        "Largest groups",
        f"""SELECT cluster_id, count(*) - 1 AS copies, count(DISTINCT source) AS sources,
       min(jaccard) FILTER (NOT is_kept) AS lowest_similarity
FROM duplicate_groups
{
            f"WHERE cluster_id IN (SELECT cluster_id FROM duplicate_groups {where(source=source)})"
            if source
            else ""
        }
GROUP BY cluster_id ORDER BY copies DESC, cluster_id LIMIT {_GROUPS}""",
        fill="llm-data run --to duplicates",
    )
    similar = reader.panel(
        "similarity",
        "Similarity of what went, and the chance to be found",
        f"""SELECT similarity, sum(docs)::BIGINT AS docs
FROM duplicate_similarity {where(source=source)} GROUP BY similarity ORDER BY similarity""",
        note="Bars: removed documents by true similarity. Line: chance that the bands bring such a "
        "pair together. Dashed: the similarity from which a document goes.",
    )
    against = reader.panel(
        "against",
        "What went beside what stays",
        f"""SELECT source, signal, removed_docs, kept_docs, removed_mean, kept_mean, difference
FROM removed_against_kept {where(source=source)}
ORDER BY round(abs(difference), 6) DESC NULLS LAST, source, signal LIMIT 15""",
        note="Signals whose means differ most, in standard deviations of what stays.",
        fill="llm-data run --to removed_signals",
    )
    kept = query.get("kept") or (groups.rows[0]["cluster_id"] if groups.rows else "")
    group = reader.panel(
        "group",
        "One group",
        f"""SELECT doc_id, source, is_kept, jaccard AS similarity, method FROM duplicate_groups
WHERE cluster_id = {literal(kept)} ORDER BY is_kept DESC, jaccard DESC, doc_id LIMIT {_MEMBERS}""",
    )
    gone = [row["doc_id"] for row in group.rows if not row["is_kept"]]
    removed = query.get("removed") or (gone[-1] if gone else "")
    texts = reader.panel(
        "difference",
        "Word difference",
        f"""SELECT doc_id, text FROM raw_corpus
WHERE doc_id IN ({literal(kept)}, {literal(removed)})""",
        note="Struck through: in the kept document alone. Underlined: in the removed one alone.",
    )
    dedup = reader.workspace.pipeline.model.dedup
    bands, rows_of_band = dedup.bands or 1, dedup.rows or 1
    return {
        "panels": [pairs, groups, group, texts, similar, against],
        "source": source,
        "sources": sorted({row["source"] for row in pairs.rows}),
        "matrix": _matrix(pairs.rows),
        "kept": kept,
        "removed": removed,
        "pieces": _difference(texts.rows, kept, removed),
        "bands": (bands, rows_of_band, dedup.threshold),
        "picture": curve(
            [(x / 100, hit_probability(x / 100, bands, rows_of_band)) for x in range(101)],
            bars=[(row["similarity"], row["docs"]) for row in similar.rows],
            bar_width=0.02,
            bound=dedup.threshold,
            across="Jaccard similarity",
        )
        if similar.rows
        else "",
    }


def _matrix(rows: list[Row]) -> dict[str, Any]:
    names = sorted({row["kept_source"] for row in rows})
    most = max((row["docs"] for row in rows), default=1)
    docs = {(row["source"], row["kept_source"]): row["docs"] for row in rows}
    lines = [
        (
            source,
            [(docs.get((source, name), 0), docs.get((source, name), 0) / most) for name in names],
        )
        for source in sorted({row["source"] for row in rows})
    ]
    return {"names": names, "lines": lines}


def _difference(texts: list[Row], kept: str, removed: str) -> list[tuple[str, str]]:
    """(words, same | del | ins) from the kept to the removed document; long texts are cut."""
    # A restricted source has no texts to compare.
    by_id = {row["doc_id"]: row["text"] for row in texts if row["text"] is not None}
    if kept not in by_id or removed not in by_id:
        return []
    one, other = (re.findall(r"\S+\s*", by_id[name])[:_WORDS] for name in (kept, removed))
    pieces: list[tuple[str, str]] = []
    # Lines that were broken elsewhere are no difference in words.
    matcher = difflib.SequenceMatcher(
        None, [word.strip() for word in one], [word.strip() for word in other], autojunk=False
    )
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            pieces.append((_shortened("".join(one[a:b])), "same"))
            continue
        pieces += [("".join(one[a:b]), "del")] if b > a else []
        pieces += [("".join(other[c:d]), "ins")] if d > c else []
    return pieces


def _shortened(text: str, most: int = 700) -> str:
    """A passage that is the same in both: its beginning and end tell enough."""
    return text if len(text) <= most else f"{text[: most // 2]} […] {text[-most // 2 :]}"
