"""SQL models as Dagster assets: described columns, traced columns, tests as checks."""

import dagster as dg
import duckdb

from llm_data_assets.config.workspace import Workspace
from llm_data_assets.definitions import build_definitions
from llm_data_assets.defs.models import run_test
from llm_data_assets.lake.model_yaml import ModelTest


def test_a_model_shows_its_columns_their_origins_and_its_tests(small_workspace: Workspace) -> None:
    graph = build_definitions(small_workspace).resolve_asset_graph()
    node = graph.get(dg.AssetKey("largest_drops"))
    assert node.description == "Why documents left, the commonest reason first."
    columns = node.metadata["dagster/column_schema"].columns
    assert [(each.name, each.type) for each in columns][:3] == [
        ("stage", "VARCHAR"),
        ("reason", "VARCHAR"),
        ("docs", "BIGINT"),
    ]
    assert all(each.description for each in columns)
    lineage = node.metadata["dagster/column_lineage"].deps_by_column
    assert lineage["sources"] == [dg.TableColumnDep(dg.AssetKey("drops"), "source")]
    assert {key.name for key in node.check_keys} == {
        "unique_stage_reason",
        "not_null_stage_reason_docs",
    }


def test_a_failing_test_shows_its_rows_and_its_sql() -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE m AS SELECT i // 2 AS n FROM range(14) t(i)")
        result = run_test(ModelTest(unique=["n"], severity="WARN"), "m", connection)
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert result.metadata["observed"].value == 7
    assert result.metadata["samples"].value == [{"n": n, "copies": 2} for n in range(5)]
    assert "HAVING count(*) > 1" in str(result.metadata["sql"].value)
