"""A Croissant 1.0 description of a recipe's export: https://docs.mlcommons.org/croissant."""

import hashlib
from pathlib import Path
from typing import Any

from llm_data_assets.studio.cards.facts import Facts
from llm_data_assets.studio.reader import Row
from llm_data_assets.text.licenses import NO_LICENSE
from llm_data_assets.tokens.sequences import SCHEMA

CONTENTS = "contents.csv"
_TERMS = (
    "citeAs", "column", "equivalentProperty", "extract", "field", "fileObject", "fileProperty",
    "fileSet", "format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField",
    "path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate",
    "separator", "source", "subField", "transform",
)  # fmt: skip
# The context that Croissant 1.0 prescribes for every file, term by term.
_AS_JSON = {"@type": "@json"}
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    **{term: f"cr:{term}" for term in _TERMS},
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", **_AS_JSON},
    "examples": {"@id": "cr:examples", **_AS_JSON},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
}
_MEDIA = {
    ".parquet": "application/vnd.apache.parquet",
    ".jsonl": "application/jsonlines",
    ".tar": "application/x-tar",
}
_TYPES = {"int32": "sc:Integer", "int64": "sc:Integer", "string": "sc:Text"}


def croissant(facts: Facts, contents: Path) -> dict[str, Any]:
    """The JSON-LD: every exported file with its SHA-256, the fields of Parquet, and the contents.

    Args:
        facts: of the recipe.
        contents: the CSV of `recipe_contents` that lies beside the JSON.

    Raises:
        FileNotFoundError: an exported file is gone.
    """
    tokens, docs = facts.total("tokens"), facts.total("docs")
    licenses = sorted({row["license"] for row in facts.contents})
    parquet = [row for row in facts.exports if row["file"].endswith(".parquet")]
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": facts.recipe,
        "description": f"{docs:,} documents of {len(facts.sources)} sources, {tokens:,} tokens, "
        "packed into sequences. Addresses of files are paths below the home that made them.",
        "license": licenses,
        "url": f"urn:llm-data:recipe:{facts.recipe}",
        "version": "1.0.0",
        "datePublished": facts.made[:10],
        "creator": {"@type": "sc:Organization", "name": "to fill in"},
        "citeAs": "to fill in",
        "inLanguage": [row["language"] for row in facts.by("language")],
        "distribution": [
            _file(CONTENTS, contents, "text/csv"),
            *(
                _file(
                    row["file"],
                    facts.workspace.home / row["file"],
                    _MEDIA.get(Path(row["file"]).suffix, "application/octet-stream"),
                )
                for row in facts.exports
            ),
        ],
        "recordSet": [_contents_set(), *(_sequence_set(row) for row in parquet)],
        "rai:dataLimitations": _limits(facts),
    }


def _file(name: str, path: Path, media: str) -> dict[str, Any]:
    with path.open("rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{path.stat().st_size} B",
        "encodingFormat": media,
        "sha256": checksum,
    }


def _contents_set() -> dict[str, Any]:
    columns = {"source": "sc:Text", "license": "sc:Text", "language": "sc:Text",
               "docs": "sc:Integer", "bytes": "sc:Integer", "tokens": "sc:Integer"}  # fmt: skip
    return {
        "@type": "cr:RecordSet",
        "@id": "contents",
        "name": "contents",
        "description": "Documents, bytes and tokens by source, licence and detected language.",
        "field": [_field("contents", CONTENTS, name, kind) for name, kind in columns.items()],
    }


def _sequence_set(row: Row) -> dict[str, Any]:
    """The fields of one Parquet file of packed sequences."""
    name = Path(row["file"]).stem
    fields = []
    for column in SCHEMA:
        is_list = hasattr(column.type, "value_type")
        kind = _TYPES[str(column.type.value_type if is_list else column.type)]
        fields.append(_field(name, row["file"], column.name, kind, repeated=is_list))
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": f"{row['sequences']:,} packed sequences, one a row.",
        "field": fields,
    }


def _field(
    record_set: str, file: str, column: str, kind: str, *, repeated: bool = False
) -> dict[str, Any]:
    field = {
        "@type": "cr:Field",
        "@id": f"{record_set}/{column}",
        "name": column,
        "dataType": kind,
        "source": {"fileObject": {"@id": file}, "extract": {"column": column}},
    }
    return {**field, "repeated": True} if repeated else field


def _limits(facts: Facts) -> str:
    unstated = sum(row["docs"] for row in facts.contents if row["license"] == NO_LICENSE)
    failing = sum(not row["passed"] for row in facts.checks)
    return (
        f"{unstated:,} documents state no licence. {len(facts.checks):,} checks were evaluated, "
        f"{failing:,} fail. {sum(row['docs'] for row in facts.exposed):,} documents hold a part of "
        "a benchmark question that was looked for."
    )
