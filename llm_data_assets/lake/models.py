"""The SQL models of `dbt_like_sql/`: one SELECT a file, named as the file."""

import re
from functools import lru_cache
from importlib import resources
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from llm_data_assets.config.errors import ConfigError

_REF = re.compile(r"\{\{\s*ref\(\s*['\"](\w+)['\"]\s*\)\s*\}\}")
_COLOUR = re.compile(r"\x1b\[\d*m")  # sqlglot underlines the place for a terminal


def models_folder() -> Path:
    """`dbt_like_sql/` of the checkout, or the copy that a wheel carries."""
    package = Path(str(resources.files("llm_data_assets")))
    beside = package.parent / "dbt_like_sql"
    return beside if beside.is_dir() else package / "dbt_like_sql"


def model_files(folder: Path) -> dict[str, Path]:
    """Name -> file of every model.

    Raises:
        ConfigError: two files would make the same model.
    """
    files: dict[str, Path] = {}
    for path in sorted(folder.rglob("*.sql")):
        if path.stem in files:
            raise ConfigError(
                str(path),
                "",
                f"the model {path.stem!r} is already made by {files[path.stem]}",
                "rename one of the two files",
            )
        files[path.stem] = path
    return files


def load_models(folder: Path | None = None) -> dict[str, str]:
    """Name -> SELECT of every model, each after those it reads; `{{ ref('x') }}` becomes x.

    Raises:
        ConfigError: a file is not one SELECT, two have one name, or models read each other.
    """
    files = model_files(folder or models_folder())
    texts = {name: path.read_text(encoding="utf-8") for name, path in files.items()}
    plain = {name: _REF.sub(r"\1", text).strip().rstrip(";") for name, text in texts.items()}
    ordered: dict[str, str] = {}

    def visit(name: str, above: tuple[str, ...]) -> None:
        if name in above:
            ring = " -> ".join((*above[above.index(name) :], name))
            raise ConfigError(
                str(files[name]),
                "",
                f"the SQL models {ring} read each other",
                "move what both need into a model of its own",
            )
        if name not in ordered:
            try:
                read = model_inputs(plain[name])
            except (SqlglotError, ValueError) as error:
                raise ConfigError(
                    str(files[name]),
                    "",
                    f"not one SELECT ({_COLOUR.sub('', str(error)).splitlines()[0]})",
                    "paste it into `duckdb <home>/catalog.duckdb` until it runs",
                ) from None
            for other in sorted(read & set(plain)):
                visit(other, (*above, name))
            ordered[name] = plain[name]

    for name in sorted(plain):
        visit(name, ())
    return ordered


@lru_cache(maxsize=256)  # each materialisation loads all models, and parsing is most of that
def model_inputs(select: str) -> frozenset[str]:
    """Tables and models that a SELECT reads, its own CTEs aside.

    Raises:
        sqlglot.errors.SqlglotError, ValueError: it is not one SELECT in DuckDB's dialect.
    """
    tree = sqlglot.parse_one(select, dialect="duckdb")
    if not isinstance(tree, exp.Query):
        raise ValueError(f"it is a {tree.key}")
    own = {cte.alias for cte in tree.find_all(exp.CTE)}
    return frozenset(table.name for table in tree.find_all(exp.Table) if table.name) - own
