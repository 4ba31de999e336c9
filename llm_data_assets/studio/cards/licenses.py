"""The licence list of a recipe: SPDX 2.3 by source, and who is to be named."""

import re
from collections import defaultdict
from typing import Any

from llm_data_assets.config.digest import digest
from llm_data_assets.studio.cards.facts import Facts
from llm_data_assets.studio.reader import Row
from llm_data_assets.studio.shown import cell
from llm_data_assets.text.licenses import NO_LICENSE, is_spdx, normalise

# Terms that ask for no attribution: dedications to the public domain and their like.
_FREE = frozenset({"CC0-1.0", "PDDL-1.0", "Unlicense", "0BSD", "MIT-0", "PUBLIC-DOMAIN"})
_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9.-]")


def asks_for_attribution(license: str) -> bool:
    """Whether a document under a licence is to be named; one that states none is, for safety."""
    return license not in _FREE


def spdx_document(facts: Facts) -> dict[str, Any]:
    """An SPDX 2.3 document with one package a source.

    `licenseInfoFromFiles` are the licences its documents state; `licenseDeclared` is the catalog's.
    Licences that SPDX does not know stand under `hasExtractedLicensingInfos`, as SPDX asks.
    """
    by_source: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for row in facts.contents:
        stated = by_source[row["source"]]
        stated[row["license"]] = stated.get(row["license"], 0) + row["docs"]
    unknown: dict[str, str] = {}
    packages = [
        {
            "SPDXID": f"SPDXRef-Source-{_id(source)}",
            "name": source,
            "downloadLocation": NO_LICENSE,
            "filesAnalyzed": False,
            "licenseConcluded": _all_of([_known(each, unknown) for each in stated]),
            "licenseDeclared": _known(_declared(facts, source), unknown),
            "copyrightText": NO_LICENSE,
            "comment": "; ".join(f"{docs:,} documents: {name}" for name, docs in stated.items()),
        }
        for source, stated in sorted(by_source.items())
    ]
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": facts.recipe,
        "documentNamespace": f"urn:llm-data:recipe:{facts.recipe}:{_version(facts)}",
        "creationInfo": {
            "created": facts.made[:19] + "Z",
            "creators": ["Tool: llm_data_assets"],
        },
        "packages": packages,
        "hasExtractedLicensingInfos": [
            {"licenseId": name, "extractedText": text} for name, text in sorted(unknown.items())
        ],
        "relationships": [
            {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
             "relatedSpdxElement": package["SPDXID"]}
            for package in packages
        ],
    }  # fmt: skip


def attribution(facts: Facts, examples: list[Row]) -> str:
    """ATTRIBUTION.md: licences by source, documents that state none, some addresses of each.

    Args:
        facts: of the recipe.
        examples: source, title, url of documents to be named; the whole list is attribution.csv.
    """
    lines = [
        f"# Attribution of the recipe {facts.recipe}",
        "",
        "Every document whose licence asks to be named stands in `attribution.csv`, with its",
        "title, address and licence as its publisher states them.",
        "",
        "| licence | documents | tokens | to be named |",
        "|---|---:|---:|---|",
        *(
            f"| {_md(row['license'])} | {row['docs']:,} | {row['tokens']:,} | "
            f"{cell(asks_for_attribution(row['license']))} |"
            for row in facts.by("license")
        ),
    ]
    for source in facts.sources:
        known = facts.workspace.catalog.model.sources.get(source)
        here = [row for row in facts.contents if row["source"] == source]
        lines += ["", f"## {source}", ""]
        if known and known.description:
            lines += [known.description, ""]
        lines += [
            f"{sum(row['docs'] for row in here):,} documents under "
            + ", ".join(sorted({_md(row["license"]) for row in here}))
            + ".",
            "",
            *(
                "- " + " ".join(_md(row[name]) for name in ("title", "url") if row[name])
                for row in examples
                if row["source"] == source
            ),
        ]
    return "\n".join(lines).rstrip() + "\n"


def _declared(facts: Facts, source: str) -> str:
    known = facts.workspace.catalog.model.sources.get(source)
    return normalise(known.license) if known else NO_LICENSE


def _known(license: str, unknown: dict[str, str]) -> str:
    if license == NO_LICENSE or is_spdx(license):
        return license
    name = f"LicenseRef-{_id(license)}"
    unknown[name] = license
    return name


def _all_of(licenses: list[str]) -> str:
    stated = sorted(set(licenses))
    if NO_LICENSE in stated or len(stated) == 1:
        return NO_LICENSE if NO_LICENSE in stated else stated[0]
    return " AND ".join(f"({each})" if " " in each else each for each in stated)


def _version(facts: Facts) -> str:
    """Digest of what the recipe's mix holds."""
    return digest([row["data_version"] for row in facts.stats])[:16]


def _id(name: str) -> str:
    return _NOT_IN_AN_ID.sub("-", name)


def _md(text: str) -> str:
    """Text in a Markdown cell: one line, nothing that ends the cell or opens a tag."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
