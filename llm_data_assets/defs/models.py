"""The SQL models as assets: built in the warehouse, one writer at a time, then published."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource

from llm_data_assets.config.digest import digest
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.defs.stage_assets import CARRY_CHANGES, OWNER
from llm_data_assets.lake.catalog import literal, model_file, publish, quote, table_views
from llm_data_assets.lake.models import load_models, model_inputs
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import ALL_TABLES, lake_of

GROUP = "models"
POOL = "warehouse"  # DuckDB lets one process write
# Tables that a stage writes beside its own; the accounts are complete after the last stage.
_SIDE_TABLES = {
    "verdicts": "filtered_corpus",
    "edits": "filtered_corpus",
    "rejects": "raw_corpus",
    "sequences": "mixture_plan",
    "stage_stats": "training_export",
    "checks": "training_export",
}


class Warehouse(DuckDBResource):
    """The DuckDB file of the SQL models; the connection is closed whatever happens inside.

    DuckDBResource 0.29 leaves the file locked after an exception.
    """

    @contextmanager
    def open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self.get_connection() as connection:
            try:
                yield connection
            finally:
                connection.close()


def model_assets(workspace: Workspace) -> list[dg.AssetsDefinition]:
    """One asset a SQL model."""
    models = load_models()
    return [_model_asset(name, select, models, workspace) for name, select in models.items()]


def _model_asset(
    name: str, select: str, models: dict[str, str], workspace: Workspace
) -> dg.AssetsDefinition:
    comment = " ".join(
        line.removeprefix("--").strip() for line in select.splitlines() if line.startswith("--")
    )

    @dg.asset(
        name=name,
        description=comment,
        group_name=GROUP,
        kinds={"duckdb", "sql"},
        owners=[OWNER],
        deps=[dg.AssetDep(each, partition_mapping=_fan_in(each)) for each in _deps(select, models)],
        code_version=digest(select)[:8],
        metadata={"sql": dg.MetadataValue.md(f"```sql\n{select}\n```")},
        automation_condition=CARRY_CHANGES,
        pool=POOL,
    )
    def model(warehouse: Warehouse) -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata=build_model(name, select, workspace, warehouse))

    return model


def build_model(
    name: str, select: str, workspace: Workspace, warehouse: Warehouse
) -> dict[str, Any]:
    """Build one model as a table of the warehouse and publish it as Parquet; returns metadata."""
    target = model_file(workspace.home, name)
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{name}-{uuid.uuid4().hex}.parquet")
    with warehouse.open() as connection:
        # The lake under the names the models use; other models come from the warehouse.
        for view in table_views(lake_of(workspace), ALL_TABLES):
            connection.execute(f"CREATE OR REPLACE TEMP VIEW {view}")
        connection.execute(f"CREATE OR REPLACE TABLE {quote(name)} AS {select}")
        connection.execute(f"COPY {quote(name)} TO {literal(str(beside))} (FORMAT parquet)")
        described = connection.execute(f"DESCRIBE {quote(name)}").fetchall()
        rows = connection.execute(f"SELECT count(*) FROM {quote(name)}").fetchall()[0][0]
    beside.replace(target)
    publish(workspace.home, ALL_TABLES, load_models())
    columns = [dg.TableColumn(column[0], column[1]) for column in described]
    return {"dagster/row_count": rows, "dagster/column_schema": dg.TableSchema(columns=columns)}


def _deps(select: str, models: dict[str, str]) -> list[str]:
    read = model_inputs(select)
    stages = {_SIDE_TABLES.get(name, name) for name in read} & set(STAGES)
    return sorted(stages | (read & set(models)))


def _fan_in(name: str) -> dg.PartitionMapping | None:
    partitioned = name in STAGES and STAGES[name].partitioning != "none"
    return dg.AllPartitionMapping() if partitioned else None
