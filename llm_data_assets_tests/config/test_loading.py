"""A configuration error names the file, the line, the field and the way out."""

import json
import runpy
from pathlib import Path

import pytest

from llm_data_assets.config.catalog import Catalog
from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.loading import load
from llm_data_assets.config.pipeline import Pipeline
from llm_data_assets.config.workspace import init_workspace, open_workspace, quickstart_folder
from llm_data_assets_tests.conftest import PROJECT


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("sources:\n  web:\n    format: warc\n    urls: [a]\n", 4, ["urls", "did you mean 'uris'"]),
        ("sources:\n  web:\n    uris: [a]\n", 2, ["format", "required"]),
        ("sources:\n  Web:\n    format: warc\n    uris: [a]\n", 1, ["'Web'", "lower-case"]),
        ("sources:\n  web:\n    format: warc\n    uris: []\n", 4, ["uris"]),
        ("sources:\n  web:\n   format: x\n    uris: [a]\n", 4, ["not valid YAML"]),
        ("sources:\n  a:\n    format: x\n    format: y\n", 4, ["stands twice"]),
        ("sources: !!python/object/apply:os.system [ls]\n", 1, ["not valid YAML"]),
    ],
)
def test_catalog_errors_name_line_and_way_out(
    tmp_path: Path, text: str, line: int, words: list[str]
) -> None:
    path = tmp_path / "catalog.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path, Catalog)
    message = str(caught.value)
    assert message.startswith(f"{path}:{line}")
    assert "Try: " in message
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("dedup: {bands: 20, rows: 8}\n", ["160", "num_perm is 112"]),
        ("recipes: {a: {weights: {x: 0.5, y: 0.4}}}\n", ["sum to 0.9", "0.5556"]),
        ("rules: [{name: r, signal: s, min: 3, max: 2}]\n", ["keeps nothing"]),
        ("rules: [{name: r, signal: s}]\n", ["no bound"]),
    ],
)
def test_pipeline_errors_say_what_would_be_right(
    tmp_path: Path, text: str, words: list[str]
) -> None:
    path = tmp_path / "pipeline.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path, Pipeline)
    for word in words:
        assert word in str(caught.value)


def test_a_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="llm-data init"):
        load(tmp_path / "catalog.yaml", Catalog)


def test_a_recipe_may_only_name_sources_of_the_catalog(tmp_path: Path) -> None:
    init_workspace(tmp_path)
    pipeline = tmp_path / "pipeline.yaml"
    pipeline.write_text("recipes:\n  r:\n    sources: [nowhere]\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"pipeline.yaml:3.*'nowhere'"):
        open_workspace(tmp_path / "home", tmp_path / "catalog.yaml", pipeline)


def test_the_embedded_catalog_is_valid_and_has_enough_partitions(tmp_path: Path) -> None:
    folder = quickstart_folder()
    workspace = open_workspace(tmp_path, folder / "catalog.yaml", folder / "pipeline.yaml")
    assert len(workspace.sources) >= 7


def test_init_never_overwrites(tmp_path: Path) -> None:
    init_workspace(tmp_path)
    with pytest.raises(ConfigError, match="is there already"):
        init_workspace(tmp_path)


@pytest.mark.parametrize("model", [Catalog, Pipeline])
def test_models_have_a_json_schema_with_descriptions(model: type) -> None:
    schema = model.model_json_schema()
    assert schema["type"] == "object"
    assert schema["properties"]


def test_the_reference_of_settings_is_what_the_models_say() -> None:
    settings = runpy.run_path(str(PROJECT / "docs" / "settings.py"))
    published = (PROJECT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert published == settings["configuration"](), "run `python docs/settings.py`"
    for name in ("catalog", "pipeline"):
        path = PROJECT / "docs" / "schemas" / f"{name}.schema.json"
        assert json.loads(path.read_text(encoding="utf-8")) == settings["schema"](name)


@pytest.mark.parametrize("name", ["workspace.yaml", "dagster.yaml"])
def test_a_workspace_of_ones_own_starts_dagster_as_the_project_does(
    tmp_path: Path, name: str
) -> None:
    init_workspace(tmp_path)
    assert (tmp_path / name).read_bytes() == (PROJECT / name).read_bytes()
