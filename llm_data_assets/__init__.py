"""LLM training data as Dagster software-defined assets."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

__version__ = "0.1.0"


def connect(home: "Path | None" = None) -> "duckdb.DuckDBPyConnection":
    """A read-only DuckDB connection in which every table and SQL model is a view by its name.

    Args:
        home: where the tables lie; the one the environment names if absent.

    Raises:
        FileNotFoundError: nothing has been materialised there yet.
    """
    from llm_data_assets.config.workspace import home_folder
    from llm_data_assets.lake.catalog import connect as connect_to

    return connect_to(home or home_folder())
