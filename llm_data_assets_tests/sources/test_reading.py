"""What holds for every format: lazy, in order, and a fault costs no neighbour."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from llm_data_assets.lake.storage import StorageError
from llm_data_assets.sources import formats
from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.formats import FORMATS, options_model, read_documents

FILE = SourceFile("a.txt", "/some/machine/a.txt", 1, "0")


class NoOptions(BaseModel):
    model_config = ConfigDict(extra="forbid")


def test_naming_the_formats_loads_no_reader() -> None:
    code = (
        "import sys; from llm_data_assets.sources.formats import FORMATS; "
        "heavy = 'fastwarc resiliparse pyarrow charset_normalizer xml.etree'; "
        "readers = [f.module for f in FORMATS.values()]; "
        "print([name for name in heavy.split() + readers if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", FORMATS)
def test_every_option_is_described_and_none_is_made_up(name: str) -> None:
    model = options_model(name)
    assert model.model_config.get("extra") == "forbid"
    assert all(field.description for field in model.model_fields.values())
    assert all(not field.is_required() for field in model.model_fields.values())


def failing(read: Any, monkeypatch: pytest.MonkeyPatch) -> list[Document | Reject]:
    monkeypatch.setattr(
        formats, "load_reader", lambda _: SimpleNamespace(Options=NoOptions, read=read)
    )
    return list(read_documents("any", FILE, {}))


def test_a_reader_that_fails_loses_nothing_that_it_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(file: SourceFile, options: NoOptions) -> Iterator[Document | Reject]:
        yield Document("first", 7)
        raise KeyError(f"no key in {file.path} \ud800")

    assert failing(read, monkeypatch) == [
        Document("first", 7),
        Reject(7, "reader failed: KeyError: 'no key in a.txt \\ud800' in a.txt"),
    ]


def test_the_memory_running_out_or_a_stop_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(file: SourceFile, options: NoOptions) -> Iterator[Document | Reject]:
        raise KeyboardInterrupt
        yield

    with pytest.raises(KeyboardInterrupt):
        failing(read, monkeypatch)


def test_a_file_that_is_gone_fails_the_run_and_is_named_without_the_machines_path() -> None:
    with pytest.raises(StorageError, match=r"^a\.txt could not be read \(FileNotFound") as failure:
        list(read_documents("text", FILE, {}))
    assert "/some/machine" not in str(failure.value)


def test_the_same_file_reads_the_same_twice(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a", "z": 1, "b": {"y": 2, "c": 3}}\n{"text": "b"}\n')
    file = SourceFile("a.jsonl", str(path), 1, "0")
    assert list(read_documents("jsonl", file, {})) == list(read_documents("jsonl", file, {}))
