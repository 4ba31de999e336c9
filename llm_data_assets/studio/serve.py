"""Serving the studio on this machine."""

import socket

import uvicorn

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.stages.access import note_reveal
from llm_data_assets.stages.publication import refresh_catalog
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
        refresh_catalog(workspace)
        note_reveal(workspace, "studio", personal_data=reveal)
        config = uvicorn.Config(make_app(workspace, reveal=reveal), log_level="warning")
        uvicorn.Server(config).run(sockets=[listening])
