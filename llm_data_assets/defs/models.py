"""The SQL models as assets: built in the warehouse, one writer at a time, then published."""

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource

from llm_data_assets.config.digest import digest
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.defs.stage_assets import CARRY_CHANGES, OWNER
from llm_data_assets.defs.studio_links import check_link, studio_link
from llm_data_assets.lake.catalog import literal, model_file, quote, table_views
from llm_data_assets.lake.declared_models import Model, read_models, remembered_models
from llm_data_assets.lake.model_yaml import ModelTest
from llm_data_assets.stages.checks import SAMPLES
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import ALL_TABLES, lake_of
from llm_data_assets.stages.publication import publish_catalog

GROUP = "models"
POOL = "warehouse"  # DuckDB lets one process write
# Tables that a stage writes beside its own; the accounts are complete after the last stage.
_SIDE_TABLES = {
    "verdicts": "filtered_corpus",
    "edits": "filtered_corpus",
    "rejects": "raw_corpus",
    "drift": "quality_signals",
    "selection_report": "selected_instructions",
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
    home = workspace.home
    if home.exists():
        models = remembered_models(ALL_TABLES, home / "cache" / "models.json")
    else:  # to load definitions makes no home
        models = read_models(ALL_TABLES)
    return [_model_asset(model, models, workspace) for model in models.values()]


def _model_asset(
    model: Model, models: Mapping[str, Model], workspace: Workspace
) -> dg.AssetsDefinition:
    # Texts of restricted sources are not put down: other restrictions make another table.
    restricted = [workspace.restricted] if workspace.restricted else []

    @dg.asset(
        name=model.name,
        description=model.yaml.description,
        group_name=GROUP,
        kinds={"duckdb", "sql"},
        owners=[OWNER],
        deps=[dg.AssetDep(each, partition_mapping=_fan_in(each)) for each in _deps(model, models)],
        code_version=digest(model.select, *restricted)[:8],
        metadata={
            "sql": dg.MetadataValue.md(f"```sql\n{model.select}\n```"),
            "dagster/column_schema": _column_schema(model),
            "dagster/column_lineage": _column_lineage(model),
            **studio_link(model.name),
        },
        automation_condition=CARRY_CHANGES,
        pool=POOL,
        check_specs=[
            dg.AssetCheckSpec(
                test.check_name,
                asset=model.name,
                description=f"No row may come of `{test.select(model.name)}`",
            )
            for test in model.yaml.tests
        ],
    )
    def asset(warehouse: Warehouse) -> dg.MaterializeResult:
        rows, checks = build_model(model, workspace, warehouse)
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": rows,
                "dagster/column_schema": _column_schema(model),
                "dagster/column_lineage": _column_lineage(model),
            },
            check_results=checks,
        )

    return asset


def build_model(
    model: Model, workspace: Workspace, warehouse: Warehouse
) -> tuple[int, list[dg.AssetCheckResult]]:
    """Build one model as a table of the warehouse, publish it as Parquet, and test it."""
    name = model.name
    target = model_file(workspace.home, name, workspace.restricted)
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{name}-{uuid.uuid4().hex}.parquet")
    with warehouse.open() as connection:
        # The lake under the names the models use; other models come from the warehouse.
        for view in table_views(lake_of(workspace), ALL_TABLES, workspace.restricted):
            connection.execute(f"CREATE OR REPLACE TEMP VIEW {view}")
        connection.execute(f"CREATE OR REPLACE TABLE {quote(name)} AS {model.select}")
        connection.execute(f"COPY {quote(name)} TO {literal(str(beside))} (FORMAT parquet)")
        rows = connection.execute(f"SELECT count(*) FROM {quote(name)}").fetchall()[0][0]
        checks = [run_test(test, name, connection) for test in model.yaml.tests]
    beside.replace(target)
    publish_catalog(workspace)
    return rows, checks


def run_test(
    test: ModelTest, model: str, connection: duckdb.DuckDBPyConnection
) -> dg.AssetCheckResult:
    """Run a test; the rows that fail are counted, and the first few kept."""
    sql = test.select(model)
    failing = connection.execute(f"SELECT count(*) FROM ({sql})").fetchall()[0][0]
    samples = connection.sql(f"SELECT * FROM ({sql}) LIMIT {SAMPLES}").to_arrow_table()
    return dg.AssetCheckResult(
        check_name=test.check_name,
        passed=failing == 0,
        severity=dg.AssetCheckSeverity(test.severity),
        description=f"observed {failing} failing rows, expected 0",
        metadata={
            "observed": failing,
            "expected": "0 failing rows",
            "sql": dg.MetadataValue.md(f"```sql\n{sql}\n```"),
            "samples": dg.MetadataValue.json(
                json.loads(json.dumps(samples.to_pylist(), default=str))
            ),
            **check_link(model),
        },
    )


def _column_schema(model: Model) -> dg.TableSchema:
    return dg.TableSchema(
        [
            dg.TableColumn(name, kind, description=model.yaml.columns[name])
            for name, kind in model.columns.items()
        ]
    )


def _column_lineage(model: Model) -> dg.TableColumnLineage:
    return dg.TableColumnLineage(
        {
            column: [
                dg.TableColumnDep(dg.AssetKey(_SIDE_TABLES.get(table, table)), origin)
                for table, origin in origins
            ]
            for column, origins in model.lineage.items()
        }
    )


def _deps(model: Model, models: Mapping[str, Model]) -> list[str]:
    stages = {_SIDE_TABLES.get(name, name) for name in model.inputs} & set(STAGES)
    return sorted(stages | (set(model.inputs) & set(models)))


def _fan_in(name: str) -> dg.PartitionMapping | None:
    partitioned = name in STAGES and STAGES[name].partitioning != "none"
    return dg.AllPartitionMapping() if partitioned else None
