"""What holds for every reader: it starts again at any record, and no damage escapes it."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile, list_files
from llm_data_assets.sources.formats import FORMATS, read_documents, split_offsets
from llm_data_assets_tests.sources.fixtures import FIXTURES

# Reads the machine's own packages.
WITHOUT_FIXTURE = {"python_packages"}
_MOST_RECORDS = 10_000


def one_file(path: Path) -> SourceFile:
    return max(list_files([path.name], base=path.parent), key=lambda file: file.size)


def test_every_format_has_a_fixture() -> None:
    assert set(FORMATS) - set(FIXTURES) == WITHOUT_FIXTURE


@pytest.mark.parametrize("name", sorted(FIXTURES))
def test_reading_starts_again_at_any_record(tmp_path: Path, name: str) -> None:
    file = one_file(FIXTURES[name](tmp_path))
    whole = list(read_documents(name, file, {}))
    offsets = [record.offset for record in whole]
    assert offsets == sorted(offsets)
    for offset in sorted(set(offsets)):
        again = list(read_documents(name, replace(file, start=offset), {}))
        assert again == [record for record in whole if record.offset >= offset]
        before = list(read_documents(name, replace(file, stop=offset), {}))
        assert before == [record for record in whole if record.offset < offset]


@pytest.mark.parametrize("name", sorted(FIXTURES))
def test_parts_add_up_to_the_file(tmp_path: Path, name: str) -> None:
    file = one_file(FIXTURES[name](tmp_path))
    starts = [0, *split_offsets(name, file, {}, max(1, file.size // 5))]
    assert starts == sorted(set(starts))
    parts = [
        record
        for start, stop in zip(starts, [*starts[1:], None], strict=True)
        for record in read_documents(name, replace(file, start=start, stop=stop), {})
    ]
    assert parts == list(read_documents(name, file, {}))


@pytest.mark.parametrize("name", sorted(FIXTURES))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_is_a_reject_and_never_an_exception(
    tmp_path: Path, name: str, data: st.DataObject
) -> None:
    folder = tmp_path / "fuzz"
    folder.mkdir(exist_ok=True)
    file = one_file(FIXTURES[name](folder))
    path = Path(file.path)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content)))
        match data.draw(st.sampled_from(["cut", "flip", "insert", "drop"])):
            case "cut":
                del content[place:]
            case "flip":
                content[place : place + 1] = data.draw(st.binary(min_size=1, max_size=1))
            case "insert":
                content[place:place] = data.draw(st.binary(max_size=40))
            case "drop":
                del content[place : place + data.draw(st.integers(1, 200))]
    path.write_bytes(bytes(content))
    damaged = replace(file, size=len(content))
    records = list(islice(read_documents(name, damaged, {}), _MOST_RECORDS))
    assert len(records) < _MOST_RECORDS
    for record in records:
        assert isinstance(record, Document | Reject)
        if isinstance(record, Reject):
            assert record.error.partition(":")[0]
            assert str(tmp_path) not in record.error
        else:
            record.text.encode()
