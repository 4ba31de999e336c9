"""Serving the studio on this machine."""

import socket

import uvicorn

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.catalog import CATALOG, connect, publish
from llm_data_assets.lake.models import load_models
from llm_data_assets.studio.app import make_app


def serve(workspace: Workspace, port: int, reveal: bool) -> None:
    """Serve until interrupted, to this machine alone.

    Raises:
        ConfigError: something else listens on the port.
    """
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port))
        except OSError as error:
            raise ConfigError("--port", str(port), error.strerror or "", f"{port + 1}") from None
        publish_new_models(workspace)
        config = uvicorn.Config(make_app(workspace, reveal=reveal), log_level="warning")
        uvicorn.Server(config).run(sockets=[listening])


def publish_new_models(workspace: Workspace) -> None:
    """Publish again where the catalog is older than a SQL model: a fresh home is not, on a run."""
    if not (workspace.home / CATALOG).exists():
        return
    with connect(workspace.home) as connection:
        there = {
            name
            for (name,) in connection.execute("SELECT view_name FROM duckdb_views()").fetchall()
        }
    if not there.issuperset(load_models()):
        from llm_data_assets.stages.materialise import ALL_TABLES  # brings every kernel along

        publish(workspace.home, ALL_TABLES, load_models())
