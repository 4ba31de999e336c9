"""Writes docs/configuration.md and docs/schemas/ from the models: `python docs/settings.py`."""

import json
from pathlib import Path
from typing import Any

from llm_data_assets.config.catalog import Catalog
from llm_data_assets.config.pipeline import Pipeline

DOCS = Path(__file__).resolve().parent
MODELS = {"catalog": Catalog, "pipeline": Pipeline}
INTRODUCTION = """# Configuration

Two YAML files: the catalog says what there is, the pipeline what happens to it. Both are checked
against the models in `llm_data_assets/config/`; [their JSON Schema](schemas/) serves an editor.

`LLM_DATA_HOME` (default `./.llm_data`), `LLM_DATA_CATALOG` and `LLM_DATA_PIPELINE` (default
`./catalog.yaml` and `./pipeline.yaml`, else the embedded ones) choose them. A rule set is used by
name in `rules`; those that are shipped lie in `llm_data_assets/config/rulesets/`.
"""


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of `catalog` or `pipeline`."""
    return MODELS[name].model_json_schema()


def configuration() -> str:
    """The reference of all settings, as Markdown."""
    parts = [INTRODUCTION]
    for name in MODELS:
        whole = schema(name)
        parts.append(f"## {name}.yaml\n\n{_model(whole)}")
        for title, part in sorted(whole.get("$defs", {}).items()):
            if "properties" in part:
                parts.append(f"### {title}\n\n{_model(part)}")
    return "\n".join(parts)


def _model(model: dict[str, Any]) -> str:
    rows = [
        f"| `{name}` | {_default(name, field, model)} | {field.get('description', '')} |"
        for name, field in model["properties"].items()
    ]
    head = ["| field | default | meaning |", "|---|---|---|"]
    return "\n".join([model.get("description", ""), "", *head, *rows, ""])


def _default(name: str, field: dict[str, Any], model: dict[str, Any]) -> str:
    if name in model.get("required", ()):
        return "required"
    if "default" not in field:
        return "see text"
    return "see below" if isinstance(field["default"], dict) else json.dumps(field["default"])


if __name__ == "__main__":
    (DOCS / "configuration.md").write_text(configuration(), encoding="utf-8")
    for model in MODELS:
        text = json.dumps(schema(model), indent=1, ensure_ascii=False) + "\n"
        (DOCS / "schemas" / f"{model}.schema.json").write_text(text, encoding="utf-8")
