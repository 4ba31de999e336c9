"""`make audit` without a network: advisories from a folder, held against installed versions."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from packaging.version import Version

AUDIT = Path(__file__).parent.parent / ".ci" / "dependencies.py"
INSTALLED = {"Some.Package": "2.1.0", "other": "1.0"}


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dependencies", AUDIT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def advisory(folder: Path, *affected: dict[str, Any], **more: object) -> None:
    (folder / "deep").mkdir(exist_ok=True)
    told = {"id": "PYSEC-1", "affected": list(affected), **more}
    (folder / "deep" / "one.json").write_text(json.dumps(told))


def of(name: str, *events: dict[str, str], ecosystem: str = "PyPI", kind: str = "ECOSYSTEM") -> Any:
    package = {"ecosystem": ecosystem, "name": name}
    return {"package": package, "ranges": [{"type": kind, "events": list(events)}]}


@pytest.mark.parametrize(
    ("events", "hit"),
    [
        ([{"introduced": "0"}], True),
        ([{"introduced": "0"}, {"fixed": "2.1.0"}], False),
        ([{"introduced": "0"}, {"fixed": "2.1.1"}], True),
        ([{"introduced": "2.1.1"}], False),
        ([{"introduced": "2.0"}, {"last_affected": "2.1.0"}], True),
        ([{"introduced": "2.0"}, {"last_affected": "2.0.9"}], False),
        # Mended in one line of versions and in the next; events come in any order.
        (
            [{"fixed": "2.2"}, {"introduced": "2.1rc1"}, {"introduced": "0"}, {"fixed": "1.9"}],
            True,
        ),
        ([{"introduced": "0"}, {"fixed": "1.9"}, {"introduced": "2.2"}], False),
    ],
)
def test_a_range_holds_a_version_as_the_schema_says(
    audit: ModuleType, events: list[dict[str, str]], hit: bool
) -> None:
    assert audit.is_affected(Version("2.1.0"), of("x", *events)) is hit


def test_a_listed_version_is_affected_and_commits_say_nothing(audit: ModuleType) -> None:
    listed = {"versions": ["2.0", "2.1", "not a version"]}
    assert audit.is_affected(Version("2.1.0"), listed)
    assert not audit.is_affected(Version("2.2"), listed)
    assert not audit.is_affected(Version("2.1.0"), of("x", {"introduced": "0"}, kind="GIT"))


def test_an_advisory_names_the_package_whatever_its_spelling(
    audit: ModuleType, tmp_path: Path
) -> None:
    advisory(tmp_path, of("some-package", {"introduced": "0"}, {"fixed": "3"}))
    found = {each["name"]: each["vulns"] for each in audit.match(tmp_path, INSTALLED)}
    assert found == {"Some.Package": [{"id": "PYSEC-1", "fix_versions": ["3"]}], "other": []}


def test_withdrawn_advisories_and_other_ecosystems_count_for_nothing(
    audit: ModuleType, tmp_path: Path
) -> None:
    advisory(tmp_path, of("other", {"introduced": "0"}), withdrawn="2026-01-01T00:00:00Z")
    assert not any(each["vulns"] for each in audit.match(tmp_path, INSTALLED))
    advisory(tmp_path, of("other", {"introduced": "0"}, ecosystem="npm"))
    with pytest.raises(ValueError, match="no advisory of a Python package"):
        audit.match(tmp_path, INSTALLED)


def test_the_audit_fails_on_an_advisory_and_where_none_was_looked_up(
    audit: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "advisories.json"
    assert audit.advisories(report) == 1
    assert "NONE WERE LOOKED UP" in capsys.readouterr().out
    skipped = {"name": "a", "skip_reason": "not found on PyPI: a (1)"}
    report.write_text(json.dumps({"dependencies": [skipped]}))
    assert audit.advisories(report) == 1
    assert "NONE WERE LOOKED UP (not found on PyPI: a (1))" in capsys.readouterr().out
    vulns = [{"id": "PYSEC-1", "fix_versions": []}]
    report.write_text(json.dumps({"dependencies": [{"name": "a", "version": "1", "vulns": vulns}]}))
    assert audit.advisories(report) == 1
    assert "a 1: PYSEC-1, mended in no version yet" in capsys.readouterr().out
    report.write_text(json.dumps({"dependencies": [{"name": "a", "version": "1", "vulns": []}]}))
    assert audit.advisories(report) == 0
