"""LLM training data as Dagster software-defined assets."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

__version__ = "0.1.0"


def connect(home: "Path | None" = None) -> "duckdb.DuckDBPyConnection":
    """A read-only DuckDB connection in which every table and SQL model is a view by its name.

    Args:
        home: where the tables lie; the one the environment names if absent. Texts of restricted
            sources are null without a role in `LLM_DATA_ROLES`.

    Raises:
        FileNotFoundError: nothing has been materialised there yet.
    """
    from llm_data_assets.config.workspace import held_roles, home_folder
    from llm_data_assets.lake.catalog import connect as connect_to

    return connect_to(home or home_folder(), held_roles())
