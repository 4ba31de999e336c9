"""How a recipe was made, as OpenLineage run events: https://openlineage.io/spec/2-0-2."""

import uuid
from typing import Any

from llm_data_assets.lake.schemas import TABLES
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.studio.cards.facts import Facts
from llm_data_assets.studio.reader import Row

_SPEC = "https://openlineage.io/spec"
_EVENT = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
_PRODUCER = "urn:llm_data_assets"
_NAMESPACE = "llm_data"


def events(facts: Facts) -> list[dict[str, Any]]:
    """One COMPLETE event for the newest run of each stage and partition, in order of time.

    A partition is a data set of its own, `<table>/<partition>`; what a run read are the partitions
    of its upstream stages that share its source and its recipe.
    """
    by_stage: dict[str, list[Row]] = {}
    for row in facts.stats:
        by_stage.setdefault(row["stage"], []).append(row)
    return [_event(row, by_stage) for row in facts.stats if row["stage"] in STAGES]


def _event(row: Row, by_stage: dict[str, list[Row]]) -> dict[str, Any]:
    stage = STAGES[row["stage"]]
    return {
        "eventType": "COMPLETE",
        "eventTime": row["ts"].isoformat(),
        "run": {"runId": _run_id(row)},
        "job": {
            "namespace": _NAMESPACE,
            "name": _name(row),
            "facets": {
                "documentation": _facet(
                    "1-0-1/DocumentationJobFacet", description=stage.description
                )
            },
        },
        "inputs": [
            _dataset(each)
            for name in stage.upstream
            for each in by_stage.get(name, [])
            if _feeds(each, row)
        ],
        "outputs": [
            {
                **_dataset(row, schema=True),
                "outputFacets": {
                    "outputStatistics": _facet(
                        "1-0-2/OutputStatisticsOutputDatasetFacet",
                        rowCount=row["docs"],
                        size=row["bytes"],
                    )
                },
            }
        ],
        "producer": _PRODUCER,
        "schemaURL": _EVENT,
    }


def _dataset(row: Row, *, schema: bool = False) -> dict[str, Any]:
    facets = {
        "version": _facet(
            "1-0-1/DatasetVersionDatasetFacet", datasetVersion=str(row["data_version"])
        )
    }
    if schema and row["stage"] in TABLES:
        facets["schema"] = _facet(
            "1-1-1/SchemaDatasetFacet",
            fields=[
                {"name": column.name, "type": str(column.type),
                 "description": (column.metadata or {}).get(b"description", b"").decode()}
                for column in TABLES[row["stage"]].schema
            ],
        )  # fmt: skip
    return {"namespace": _NAMESPACE, "name": _name(row), "facets": facets}


def _facet(name: str, **values: Any) -> dict[str, Any]:
    version, _, kind = name.partition("/")
    return {
        "_producer": _PRODUCER,
        "_schemaURL": f"{_SPEC}/facets/{version}/{kind}.json#/$defs/{kind}",
        **values,
    }


def _feeds(upstream: Row, row: Row) -> bool:
    return all(
        not upstream[name] or not row[name] or upstream[name] == row[name]
        for name in ("source", "recipe")
    )


def _name(row: Row) -> str:
    return f"{row['stage']}/{row['partition']}" if row["partition"] else str(row["stage"])


def _run_id(row: Row) -> str:
    """Dagster's run id; a run outside of Dagster gets one that its output decides."""
    try:
        return str(uuid.UUID(row["run_id"]))
    except ValueError:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{_name(row)} {row['ts']}"))
