"""SQL models are read once, and again when what they are made of changes."""

from pathlib import Path

import pytest

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.lake import declared_models
from llm_data_assets.lake.declared_models import read_models, remembered_models
from llm_data_assets.lake.schemas import DUPLICATES, RAW_CORPUS

YAML = "description: Counts.\ncolumns: {source: The source, n: How many}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sql").mkdir()
    _write(tmp_path / "sql", "raw_corpus")
    return tmp_path / "sql"


def _write(folder: Path, table: str) -> None:
    (folder / "counts.sql").write_text(f"SELECT source, count(*) AS n FROM {table} GROUP BY source")
    (folder / "counts.yml").write_text(YAML)


def test_a_model_knows_types_origins_and_inputs(folder: Path) -> None:
    model = read_models([RAW_CORPUS], folder)["counts"]
    assert model.inputs == ["raw_corpus"]
    assert model.columns == {"source": "VARCHAR", "n": "BIGINT"}
    assert model.lineage == {"source": [("raw_corpus", "source")], "n": []}


def test_what_is_remembered_is_what_was_read(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = tmp_path / "cache" / "models.json"
    first = remembered_models([RAW_CORPUS, DUPLICATES], memory, folder)
    assert first == read_models([RAW_CORPUS, DUPLICATES], folder)
    monkeypatch.setattr(declared_models, "read_models", lambda *given: pytest.fail("read again"))
    remembered = remembered_models([RAW_CORPUS, DUPLICATES], memory, folder)
    assert remembered == first
    assert list(remembered["counts"].columns) == ["source", "n"], "in the order of the SELECT"


@pytest.mark.parametrize("damage", ["", "{", '{"of": 1}'])
def test_a_damaged_memory_is_written_anew(folder: Path, tmp_path: Path, damage: str) -> None:
    memory = tmp_path / "models.json"
    memory.write_text(damage)
    models = remembered_models([RAW_CORPUS], memory, folder)
    assert list(models) == ["counts"]
    assert remembered_models([RAW_CORPUS], memory, folder) == models


def test_another_select_or_another_table_is_read_again(folder: Path, tmp_path: Path) -> None:
    memory = tmp_path / "models.json"
    tables = [RAW_CORPUS, DUPLICATES]
    remembered_models(tables, memory, folder)
    _write(folder, "duplicates")
    assert remembered_models(tables, memory, folder)["counts"].inputs == ["duplicates"]
    with pytest.raises(ConfigError, match="duplicates"):
        remembered_models([RAW_CORPUS], memory, folder)


def test_a_memory_that_cannot_be_written_is_no_error(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    models = remembered_models([RAW_CORPUS], tmp_path / "file" / "models.json", folder)
    assert list(models) == ["counts"]
