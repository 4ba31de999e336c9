"""`catalog.duckdb` of a workspace: published with what the catalog restricts, and read with it."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.catalog import CATALOG, connect, publish, published
from llm_data_assets.lake.models import load_models

# What follows on a publication within this time may wait for the next: one takes 50 ms, a tenth of
# a run over small sources. A stage that takes longer is always seen as soon as it is done.
_SECONDS_APART = 2.0
_last: dict[Path, float] = {}  # home -> when it was published, inside `publish_seldom`


def publish_catalog(workspace: Workspace) -> None:
    """Publish the views of every table and model over the current versions."""
    last = _last.get(workspace.home)
    if last is None or time.monotonic() - last >= _SECONDS_APART:
        publish_now(workspace)


@contextmanager
def publish_seldom(workspace: Workspace) -> Iterator[None]:
    """Inside, publications lie two seconds apart; the newest state is there after the block.

    Also where nothing was due inside: a run that was killed may have left its last stages out.
    """
    _last[workspace.home] = -math.inf
    try:
        yield
    finally:
        del _last[workspace.home]
        if (workspace.home / CATALOG).exists():  # what was made first in the block is published
            publish_now(workspace)


def publish_now(workspace: Workspace) -> None:
    """As `publish_catalog`, however lately that was."""
    from llm_data_assets.stages.materialise import ALL_TABLES  # brings every kernel along

    publish(workspace.home, ALL_TABLES, load_models(), workspace.restricted)
    if workspace.home in _last:
        _last[workspace.home] = time.monotonic()


def refresh_catalog(workspace: Workspace) -> None:
    """Publish again where a model is new or the catalog restricts other sources by now: a home in
    which everything is fresh does not, on a run."""
    if not (workspace.home / CATALOG).exists():
        return
    if not published(workspace.home, load_models(), workspace.restricted):
        publish_now(workspace)


def open_catalog(workspace: Workspace) -> duckdb.DuckDBPyConnection:
    """A read-only connection for who holds the workspace's roles.

    Raises:
        FileNotFoundError: nothing has been materialised in this home yet.
    """
    refresh_catalog(workspace)
    return connect(workspace.home, workspace.roles)
