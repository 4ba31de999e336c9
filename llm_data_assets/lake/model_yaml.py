"""What stands beside a SQL model, in `<model>.yml`: its description, its columns, its tests."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import duckdb
from pydantic import BaseModel, ConfigDict, Field, model_validator

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.loading import FieldPath, Loaded, load
from llm_data_assets.lake.catalog import literal, quote
from llm_data_assets.lake.models import model_files, models_folder


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AcceptedValues(_Strict):
    column: str
    values: list[str | int | bool] = Field(min_length=1, description="What may stand there")


class Relationship(_Strict):
    column: str
    to: str = Field(description="The table or model that must know every value")
    field: str = Field(description="Its column")


class ModelTest(_Strict):
    """One test: exactly one of the five kinds. It passes where its SELECT finds no row."""

    name: str | None = Field(None, pattern=r"^[a-z][a-z0-9_]*$", description="Name of the check")
    severity: Literal["ERROR", "WARN"] = "ERROR"
    unique: Annotated[list[str], Field(min_length=1)] | None = Field(
        None, description="Columns that together name a row"
    )
    not_null: Annotated[list[str], Field(min_length=1)] | None = None
    accepted_values: AcceptedValues | None = None
    relationships: Relationship | None = None
    sql: str | None = Field(None, description="A SELECT of the rows that are wrong")

    @model_validator(mode="after")
    def _one_kind(self) -> "ModelTest":
        kinds = (self.unique, self.not_null, self.accepted_values, self.relationships, self.sql)
        if sum(kind is not None for kind in kinds) != 1:
            raise ValueError(
                "a test is one of unique, not_null, accepted_values, relationships, sql. "
                "Try: one list item for each"
            )
        if self.sql and not self.name:
            raise ValueError("a test in SQL has no name. Try: `name: what_must_hold`")
        return self

    @property
    def check_name(self) -> str:
        if self.name:
            return self.name
        if self.unique:
            return f"unique_{'_'.join(self.unique)}"
        if self.not_null:
            return f"not_null_{'_'.join(self.not_null)}"
        if self.accepted_values:
            return f"accepted_values_{self.accepted_values.column}"
        assert self.relationships
        return f"relationships_{self.relationships.column}"

    @property
    def columns(self) -> list[str]:
        """Columns of the model that the test names."""
        pair = self.accepted_values or self.relationships
        return [pair.column] if pair else [*(self.unique or ()), *(self.not_null or ())]

    def select(self, model: str) -> str:
        """The rows of `model` that are wrong, as SQL that a person can paste."""
        table = quote(model)
        if self.unique:
            keys = ", ".join(map(quote, self.unique))
            return (
                f"SELECT {keys}, count(*) AS copies FROM {table} "
                f"GROUP BY {keys} HAVING count(*) > 1 ORDER BY ALL"
            )
        if self.not_null:
            missing = " OR ".join(f"{quote(column)} IS NULL" for column in self.not_null)
            return f"SELECT * FROM {table} WHERE {missing} ORDER BY ALL"
        if self.accepted_values:
            accepted = ", ".join(
                literal(each) if isinstance(each, str) else str(each)
                for each in self.accepted_values.values
            )
            column = quote(self.accepted_values.column)
            return f"SELECT * FROM {table} WHERE {column} NOT IN ({accepted}) ORDER BY ALL"
        if self.relationships:
            column, other = quote(self.relationships.column), quote(self.relationships.to)
            known = f"known.{quote(self.relationships.field)}"
            return (
                f"SELECT * FROM {table} AS here WHERE here.{column} IS NOT NULL AND NOT EXISTS "
                f"(FROM {other} AS known WHERE {known} = here.{column}) ORDER BY ALL"
            )
        assert self.sql
        return self.sql.strip().rstrip(";")


class ModelYaml(_Strict):
    description: str = Field(min_length=1, description="What a row is, for one who never saw it")
    columns: dict[str, str] = Field(description="Column -> what it means")
    tests: list[ModelTest] = []


def load_model_yaml(folder: Path | None = None) -> dict[str, Loaded[ModelYaml]]:
    """Name -> the YAML beside each model's SELECT.

    Raises:
        ConfigError: one is missing, does not fit, names two tests alike, or describes no model.
    """
    files = model_files(folder or models_folder())
    for path in sorted((folder or models_folder()).rglob("*.yml")):
        if not path.with_suffix(".sql").exists():
            raise ConfigError(
                str(path), "", "no SELECT stands beside it", f"write {path.stem}.sql, or remove it"
            )
    loaded = {}
    for name, path in files.items():
        beside = path.with_suffix(".yml")
        if not beside.exists():
            raise ConfigError(
                str(path),
                "",
                "no description stands beside it",
                f"write {beside.name} with `description:` and `columns:`; see docs/models.md",
            )
        loaded[name] = load(beside, ModelYaml)
        seen: set[str] = set()
        for index, test in enumerate(loaded[name].model.tests):
            if test.check_name in seen:
                raise loaded[name].error(
                    ("tests", index), f"the test {test.check_name!r} stands twice", "give it a name"
                )
            seen.add(test.check_name)
    return loaded


def bind_models(
    connection: duckdb.DuckDBPyConnection,
    selects: Mapping[str, str],
    yamls: Mapping[str, Loaded[ModelYaml]],
) -> dict[str, dict[str, str]]:
    """Name -> {column: type} of each model, bound against the tables that `connection` has.

    Raises:
        ConfigError: a SELECT or a test names what is not there, or the YAML describes other
            columns than the SELECT gives.
    """
    bound: dict[str, dict[str, str]] = {}
    for name, select in selects.items():
        yaml = yamls[name]
        file = yaml.path.with_suffix(".sql")
        try:
            connection.execute(f"CREATE VIEW {quote(name)} AS {select}")
        except duckdb.Error as error:
            raise ConfigError(
                str(file), "", str(error).strip().splitlines()[0], "mend the SELECT"
            ) from None
        columns = columns_of(connection, name)
        described = yaml.model.columns
        for column in described:
            if column not in columns:
                raise yaml.error(
                    ("columns", column),
                    "the SELECT gives no such column",
                    f"remove it, or one of: {', '.join(columns)}",
                )
        if missing := [column for column in columns if column not in described]:
            raise yaml.error(
                ("columns",), f"no description of {', '.join(missing)}", "add one line for each"
            )
        bound[name] = columns
    for name, yaml in yamls.items():
        for index, test in enumerate(yaml.model.tests):
            field: FieldPath = ("tests", index)
            if absent := [column for column in test.columns if column not in bound[name]]:
                raise yaml.error(
                    field,
                    f"the model has no column {absent[0]!r}",
                    f"one of: {', '.join(bound[name])}",
                )
            try:
                connection.execute(test.select(name))
            except duckdb.Error as error:
                raise yaml.error(
                    field, str(error).strip().splitlines()[0], "mend the test's names or SQL"
                ) from None
    return bound


def columns_of(connection: duckdb.DuckDBPyConnection, name: str) -> dict[str, str]:
    """Column -> type of a table, view or model."""
    return {row[0]: row[1] for row in connection.execute(f"DESCRIBE {quote(name)}").fetchall()}
