"""SQL models as they are declared: SELECT and YAML, columns with their types and origins."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import duckdb
from pydantic import TypeAdapter, ValidationError

from llm_data_assets.config.digest import digest
from llm_data_assets.lake.catalog import table_views
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.json_file import write_json
from llm_data_assets.lake.model_lineage import column_lineage
from llm_data_assets.lake.model_yaml import ModelYaml, bind_models, columns_of, load_model_yaml
from llm_data_assets.lake.models import load_models, model_inputs, models_folder
from llm_data_assets.lake.schemas import Table


@dataclass(frozen=True)
class Model:
    """A SQL model: its SELECT and what that reads, its YAML, type and origins of each column."""

    name: str
    select: str
    inputs: list[str]
    yaml: ModelYaml
    columns: dict[str, str]
    lineage: dict[str, list[tuple[str, str]]]


@dataclass(frozen=True)
class _Memory:
    of: str
    models: dict[str, Model]


_MEMORY = TypeAdapter(_Memory)


def remembered_models(
    tables: Sequence[Table], memory: Path, folder: Path | None = None
) -> dict[str, Model]:
    """`read_models`, from the file `memory` where it was made of the same.

    Binding and tracing take 1.7 CPU-seconds of every whole run and every load by Dagster.
    """
    of = _made_of(tables, folder or models_folder())
    try:
        known = _MEMORY.validate_json(memory.read_bytes())
    except (OSError, ValidationError):
        known = _Memory("", {})
    if known.of == of:
        return known.models
    models = read_models(tables, folder)
    with suppress(OSError):  # who may only read the home reads the models each time
        # In their order: models stand after those they read, columns as the SELECT gives them.
        write_json(memory, _MEMORY.dump_python(_Memory(of, models), mode="json"), sort_keys=False)
    return models


def read_models(tables: Sequence[Table], folder: Path | None = None) -> dict[str, Model]:
    """Name -> model, each bound against empty `tables`, after the models it reads.

    Raises:
        ConfigError: a model or the YAML beside it cannot be used.
    """
    selects, yamls = load_models(folder), load_model_yaml(folder)
    with duckdb.connect() as connection:
        for view in table_views(Lake(Path("/nonexistent")), tables):
            connection.execute(f"CREATE VIEW {view}")
        bound = bind_models(connection, selects, yamls)
        models = {}
        for name, select in selects.items():
            inputs = {each: columns_of(connection, each) for each in model_inputs(select)}
            lineage = column_lineage(select, bound[name], inputs)
            models[name] = Model(
                name, select, sorted(inputs), yamls[name].model, bound[name], lineage
            )
    return models


def _made_of(tables: Sequence[Table], folder: Path) -> str:
    """A digest of all that `read_models` depends on."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".sql", ".yml"))
    return digest(
        [(path.relative_to(folder).as_posix(), path.read_text(encoding="utf-8")) for path in files],
        [(table.name, str(table.full_schema)) for table in tables],
        [version(each) for each in ("llm_data_assets", "duckdb", "sqlglot")],
    )
