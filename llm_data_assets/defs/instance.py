"""The Dagster instance of a home: its runs and materialisations lie beside the tables."""

import os
from pathlib import Path

import dagster as dg

from llm_data_assets.config.workspace import make_home

# As the project's own dagster.yaml, with places inside the home.
_SETTINGS = """\
telemetry: {{enabled: false}}
nux: {{enabled: false}}
storage: {{sqlite: {{base_dir: "{folder}/storage"}}}}
compute_logs:
  module: dagster._core.storage.local_compute_log_manager
  class: LocalComputeLogManager
  config: {{base_dir: "{folder}/logs"}}
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
