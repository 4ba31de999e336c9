"""The audit log: every act once, in one chain, also when several write at the same time."""

import json
import multiprocessing
from pathlib import Path

import pytest

from llm_data_assets.config.audit import append_audit, read_audit
from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import open_workspace
from llm_data_assets.stages.access import note_export, note_reveal
from llm_data_assets_tests.conftest import write_workspace

_WRITERS, _EACH = 4, 10


def _append(path: Path, writer: int) -> None:
    for number in range(_EACH):
        append_audit(path, "export", {"writer": writer, "number": number})


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of three entries."""
    path = tmp_path / "audit.log"
    append_audit(path, "export", {"what": "web"})
    append_audit(path, "reveal", {"by": "studio"})
    append_audit(path, "override", {"recipe": "web", "reason": "a trial"})
    return path


def test_what_was_written_is_read_back(log: Path) -> None:
    entries = read_audit(log)
    assert [(entry.number, entry.act) for entry in entries] == [
        (1, "export"), (2, "reveal"), (3, "override"),
    ]  # fmt: skip
    assert entries[2].told == {"recipe": "web", "reason": "a trial"}
    assert entries[1].previous == entries[0].signature and all(entry.who for entry in entries)


@pytest.mark.parametrize("line", [0, 1, 2])
def test_a_line_that_was_touched_is_named(log: Path, line: int) -> None:
    lines = log.read_text().splitlines(keepends=True)
    entry = json.loads(lines[line])
    entry["who"] = "nobody"
    log.write_text("".join([*lines[:line], json.dumps(entry) + "\n", *lines[line + 1 :]]))
    with pytest.raises(ConfigError, match=rf"audit.log:{line + 1}: .*broken.*Try: restore"):
        read_audit(log)


@pytest.mark.parametrize("line", [0, 1])
def test_a_line_that_is_gone_is_missed(log: Path, line: int) -> None:
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join([*lines[:line], *lines[line + 1 :]]))
    with pytest.raises(ConfigError, match="a line before it is gone"):
        read_audit(log)


def test_nothing_is_added_to_a_broken_log(log: Path) -> None:
    log.write_text(log.read_text().replace("a trial", "a thing"))
    before = log.read_bytes()
    with pytest.raises(ConfigError, match="broken"):
        append_audit(log, "export", {})
    assert log.read_bytes() == before


def test_writers_at_the_same_time_make_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_append, args=(path, each)) for each in range(_WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    entries = read_audit(path)
    assert [entry.number for entry in entries] == list(range(1, _WRITERS * _EACH + 1))
    told = {(entry.told["writer"], entry.told["number"]) for entry in entries}
    assert len(told) == _WRITERS * _EACH


def test_where_it_cannot_be_written_nothing_leaves(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"cannot be written.* no export. Try: `audit: /a/"):
        append_audit(tmp_path / "file" / "audit.log", "export", {})


def test_a_record_of_an_earlier_version_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "takedowns.jsonl").write_text("{}\n")
    with pytest.raises(ConfigError, match=r"takedowns are read from audit\.log by now"):
        read_audit(tmp_path / "audit.log")


def test_the_catalog_says_where_it_lies(tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path, {"web": [{"id": "1", "text": "a"}]})
    assert workspace.audit == tmp_path / "audit.log"
    text = workspace.catalog.path.read_text()
    workspace.catalog.path.write_text(f"audit: kept/log.jsonl\n{text}")
    again = open_workspace(workspace.home, workspace.catalog.path, workspace.pipeline.path)
    assert again.audit == tmp_path / "kept" / "log.jsonl"
    note_reveal(again, "studio")  # nothing is restricted, nothing unmasked
    assert not again.audit.exists()
    note_reveal(again, "studio", personal_data=True)
    rows = [{"file": "a.bin", "checksum": "12"}]
    note_export(again, "web", ["jsonl"], "s3://key:secret@bucket/out", rows)
    reveal, export = read_audit(again.audit)
    assert reveal.told["personal_data"] is True
    assert export.told["to"] == "s3://bucket/out" and export.told["files"] == {"a.bin": "12"}
