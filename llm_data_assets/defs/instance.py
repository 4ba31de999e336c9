"""The Dagster instance of a home: its runs and materialisations lie beside the tables."""

import os
from pathlib import Path

import dagster as dg

from llm_data_assets.config.workspace import make_home

# As the project's own dagster.yaml, with places inside the home; but what a command's steps print
# belongs to its terminal: to capture it takes four processes more for each run.
_SETTINGS = """\
telemetry: {{enabled: false}}
nux: {{enabled: false}}
storage:
  custom:
    module: llm_data_assets.defs.dagster_storage
    class: SqliteStorage
    config: {{base_dir: "{folder}/storage"}}
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
local_artifact_storage:
  module: dagster._core.storage.root
  class: LocalArtifactStorage
  config: {{base_dir: "{folder}/artifacts"}}
run_retries: {{enabled: true, max_retries: 0}}
concurrency:
  runs: {{max_concurrent_runs: 2}}
  pools: {{default_limit: 1, granularity: op}}
"""


def dagster_home(home: Path) -> Path:
    """DAGSTER_HOME if it is set, else the folder `dagster` of the home, with its settings."""
    if named := os.environ.get("DAGSTER_HOME"):
        return Path(named)
    folder = home / "dagster"
    settings = folder / "dagster.yaml"
    if not settings.exists():
        make_home(home)
        folder.mkdir(exist_ok=True)
        settings.write_text(_SETTINGS.format(folder=folder.as_posix()), encoding="utf-8")
    return folder


def open_instance(home: Path) -> dg.DagsterInstance:
    """The instance that `dagster dev` on the same home shows."""
    return dg.DagsterInstance.from_config(str(dagster_home(home)))
