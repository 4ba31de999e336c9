"""A reader from outside the package is found by its entry point."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from llm_data_assets.sources import formats
from llm_data_assets.sources.formats import all_formats, load_reader
from llm_data_assets_tests.sources.reading import read

READER = """
from pydantic import BaseModel
from llm_data_assets.sources.document import Document
from llm_data_assets.sources.files import open_decompressed

class Options(BaseModel):
    shout: bool = False

def read(file, options):
    with open_decompressed(file) as stream:
        text = stream.read().decode()
    yield Document(text.upper() if options.shout else text, 0)
"""


@pytest.fixture
def registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package on the path that registers three readers, one of them whole."""
    (tmp_path / "their_reader.py").write_text(READER)
    (tmp_path / "their_nothing.py").write_text("")
    about = tmp_path / "theirs-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[llm_data_assets.formats]\ntheirs = their_reader\nnothing = their_nothing\n"
        "gone = their_gone\njsonl = their_reader\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    all_formats.cache_clear()
    yield tmp_path
    all_formats.cache_clear()
    sys.modules.pop("their_reader", None)


def test_a_registered_reader_reads(registered: Path) -> None:
    file = registered / "words.their"
    file.write_text("some words")
    documents, rejects = read(file, "theirs", shout=True)
    assert ([each.text for each in documents], rejects) == (["SOME WORDS"], [])
    assert all_formats()["theirs"].description == "Registered by theirs"


@pytest.mark.parametrize(
    ("name", "message"),
    [("nothing", "lacks `Options` or `read`"), ("gone", "cannot be imported: .*Try:")],
)
def test_a_reader_that_is_not_whole_says_so(registered: Path, name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_reader(name)


def test_a_name_of_this_package_is_not_given_away(registered: Path) -> None:
    assert all_formats()["jsonl"] == formats.FORMATS["jsonl"]
