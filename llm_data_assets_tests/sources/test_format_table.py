"""What `docs/formats.md` says of a format is what reading its files gives."""

import re
from pathlib import Path

import pytest
import yaml

from llm_data_assets.sources.document import Document
from llm_data_assets.sources.files import list_files
from llm_data_assets.sources.formats import FORMATS, read_documents
from llm_data_assets_tests.conftest import PROJECT
from llm_data_assets_tests.sources import fixtures_code, fixtures_conversations, fixtures_text
from llm_data_assets_tests.sources.fixtures import FIXTURES

TABLE = (PROJECT / "docs" / "formats.md").read_text(encoding="utf-8")
ROW = re.compile(
    r"^\| ([^|]+) \| `(\w+)` \| (fixture|real) `([^`]+)`(?: with `([^`]+)`)? \| (\d+) \| (\d+) \|",
    re.MULTILINE,
)
FAMILIES = (
    "Web and text", "Code", "Instruction and preference", "Media", "Hubs and plain"
)  # fmt: skip
MODULES = (fixtures_text, fixtures_code, fixtures_conversations)


def sections(names: tuple[str, ...]) -> str:
    return "\n".join(
        part for part in TABLE.split("\n## ") if part.partition("\n")[0] in names
    )  # fmt: skip


ROWS = ROW.findall(sections(FAMILIES))


def test_every_row_can_be_read() -> None:
    lines = [line for line in sections(FAMILIES).splitlines() if re.match(r"\| (?!Source|-)", line)]
    assert len(ROWS) == len(lines)


def test_every_fixture_has_a_row() -> None:
    assert {row[1] for row in ROWS} == set(FIXTURES)
    assert set(FIXTURES) <= set(FORMATS)


@pytest.mark.parametrize(
    ("name", "kind", "place", "options", "records", "rejects"),
    [row[1:] for row in ROWS],
    ids=[f"{row[1]}-{row[3].rpartition('/')[2]}" for row in ROWS],
)
def test_the_figures_of_a_row(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    name: str,
    kind: str,
    place: str,
    options: str,
    records: str,
    rejects: str,
) -> None:
    if kind == "fixture":
        path = next(getattr(each, place) for each in MODULES if hasattr(each, place))(tmp_path)
    else:
        path = request.getfixturevalue("shared_data") / place
    said = yaml.safe_load(f"{{{options}}}")
    read = [
        isinstance(record, Document)
        for file in list_files([path.name], base=path.parent)
        for record in read_documents(name, file, said)
    ]
    assert (read.count(True), read.count(False)) == (int(records), int(rejects))
