"""Writing the cards of a recipe into a folder."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.catalog import literal
from llm_data_assets.studio.cards.croissant import CONTENTS, croissant
from llm_data_assets.studio.cards.datasheet import datasheet_markdown
from llm_data_assets.studio.cards.facts import Facts, facts_of
from llm_data_assets.studio.cards.licenses import (
    asks_for_attribution,
    attribution,
    spdx_document,
)
from llm_data_assets.studio.cards.openlineage import events
from llm_data_assets.studio.reader import Reader

_EXAMPLES = 5  # documents of a source that ATTRIBUTION.md names
Writer = Callable[[Facts, Reader, Path], list[Path]]


def write_cards(workspace: Workspace, recipe: str, folder: Path, *names: str) -> list[Path]:
    """Write the cards of `names`, or all, of a recipe; personal data is masked in all of them.

    Addresses, titles and licences in attribution.csv stand as their publishers wrote them.

    Raises:
        ConfigError: there is no such recipe.
        FileNotFoundError: nothing of it has been mixed, or an exported file is gone.
    """
    reader = Reader(workspace, static=True)
    facts = facts_of(reader, recipe)
    folder.mkdir(parents=True, exist_ok=True)
    return [file for name in names or CARDS for file in CARDS[name](facts, reader, folder)]


def _datasheet(facts: Facts, reader: Reader, folder: Path) -> list[Path]:
    return [_put(folder / "DATASHEET.md", datasheet_markdown(facts))]


def _croissant(facts: Facts, reader: Reader, folder: Path) -> list[Path]:
    written = io.StringIO()
    rows = csv.DictWriter(
        written, ("source", "license", "language", "docs", "bytes", "tokens"), lineterminator="\n"
    )
    rows.writeheader()
    rows.writerows(facts.contents)
    contents = _put(folder / CONTENTS, written.getvalue())
    told = croissant(facts, contents)
    return [contents, _put(folder / "croissant.json", _json(told))]


def _license_list(facts: Facts, reader: Reader, folder: Path) -> list[Path]:
    examples: list[dict[str, Any]] = []
    listed = folder / "attribution.csv"
    beside = listed.with_name(f".{listed.name}.new")
    with beside.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["source", "doc_id", "license", "title", "url"])
        for source in facts.sources:
            found = _to_be_named(facts, reader, source)
            writer.writerows(found)
            examples += [
                {"source": source, "title": title, "url": url}
                for _, _, _, title, url in found
                if title or url
            ][:_EXAMPLES]
    beside.replace(listed)
    return [
        listed,
        _put(folder / "ATTRIBUTION.md", attribution(facts, examples)),
        _put(folder / "licenses.spdx.json", _json(spdx_document(facts))),
    ]


def _to_be_named(facts: Facts, reader: Reader, source: str) -> list[tuple[Any, ...]]:
    """(source, doc_id, license, title, url) of a source's documents that ask to be named."""
    asking = sorted(
        {
            row["license"]
            for row in facts.contents
            if row["source"] == source and asks_for_attribution(row["license"])
        }
    )
    if not asking:
        return []
    with reader.cursor() as cursor:
        return cursor.execute(
            f"""WITH taken AS (
    SELECT DISTINCT sequence FROM mixed_corpus
    WHERE recipe = {literal(facts.recipe)} AND source = {literal(source)}
),
reached AS (
    SELECT DISTINCT doc_id FROM sequences JOIN taken USING (sequence)
    WHERE recipe = {literal(facts.recipe)} AND source = {literal(source)}
)
SELECT {literal(source)}, doc_id, coalesce(kept.license, 'NOASSERTION') AS license, title, raw.url
FROM reached
JOIN (SELECT doc_id, license FROM filtered_corpus WHERE source = {literal(source)}) AS kept
    USING (doc_id)
JOIN (SELECT doc_id, title, url FROM raw_corpus WHERE source = {literal(source)}) AS raw
    USING (doc_id)
WHERE coalesce(kept.license, 'NOASSERTION') IN ({", ".join(map(literal, asking))})
ORDER BY doc_id"""
        ).fetchall()


def _lineage(facts: Facts, reader: Reader, folder: Path) -> list[Path]:
    return [_put(folder / "lineage.jsonl", "".join(_lines(events(facts))))]


def _lines(found: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    return (json.dumps(each, ensure_ascii=False) + "\n" for each in found)


def _json(told: Mapping[str, Any]) -> str:
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def _put(file: Path, text: str) -> Path:
    beside = file.with_name(f".{file.name}.new")
    beside.write_text(text, encoding="utf-8")
    return beside.replace(file)


# Each card by the name of its asset.
CARDS: Mapping[str, Writer] = MappingProxyType(
    {
        "datasheet": _datasheet,
        "croissant": _croissant,
        "license_list": _license_list,
        "lineage_events": _lineage,
    }
)
