"""The SQL models of `dbt_like_sql/`: one SELECT a file, named as the file."""

import re
from importlib import resources
from pathlib import Path

_REF = re.compile(r"\{\{\s*ref\(\s*['\"](\w+)['\"]\s*\)\s*\}\}")


def models_folder() -> Path:
    """`dbt_like_sql/` of the checkout, or the copy that a wheel carries."""
    package = Path(str(resources.files("llm_data_assets")))
    beside = package.parent / "dbt_like_sql"
    return beside if beside.is_dir() else package / "dbt_like_sql"


def load_models() -> dict[str, str]:
    """Name -> SELECT of every model, each after those it reads; `{{ ref('x') }}` becomes x."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in models_folder().rglob("*.sql")}
    plain = {name: _REF.sub(r"\1", text).strip().rstrip(";") for name, text in texts.items()}
    ordered: dict[str, str] = {}

    def visit(name: str, above: tuple[str, ...]) -> None:
        if name in above:
            raise ValueError(f"the SQL models {' -> '.join((*above, name))} read each other")
        if name not in ordered:
            for other in sorted(model_inputs(plain[name]) & set(plain)):
                visit(other, (*above, name))
            ordered[name] = plain[name]

    for name in sorted(plain):
        visit(name, ())
    return ordered


def model_inputs(select: str) -> set[str]:
    """Names after FROM and JOIN: what a model reads, its own CTEs aside."""
    without_comments = re.sub(r"--[^\n]*", "", select)
    names = set(re.findall(r"\b(?:FROM|JOIN)\s+(\w+)", without_comments, re.I))
    return names - set(re.findall(r"(?:WITH|,)\s*(\w+)\s+AS\s*\(", without_comments, re.I))
