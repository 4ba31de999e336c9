"""`catalog.duckdb` of a workspace: published with what the catalog restricts, and read with it."""

import duckdb

from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.catalog import CATALOG, connect, publish, published
from llm_data_assets.lake.models import load_models


def publish_catalog(workspace: Workspace) -> None:
    """Publish the views of every table and model over the current versions."""
    from llm_data_assets.stages.materialise import ALL_TABLES  # brings every kernel along

    publish(workspace.home, ALL_TABLES, load_models(), workspace.restricted)


def refresh_catalog(workspace: Workspace) -> None:
    """Publish again where a model is new or the catalog restricts other sources by now: a home in
    which everything is fresh does not, on a run."""
    if not (workspace.home / CATALOG).exists():
        return
    if not published(workspace.home, load_models(), workspace.restricted):
        publish_catalog(workspace)


def open_catalog(workspace: Workspace) -> duckdb.DuckDBPyConnection:
    """A read-only connection for who holds the workspace's roles.

    Raises:
        FileNotFoundError: nothing has been materialised in this home yet.
    """
    refresh_catalog(workspace)
    return connect(workspace.home, workspace.roles)
