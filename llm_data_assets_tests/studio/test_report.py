"""The one file: small, whole, and without anything to load."""

import re
from pathlib import Path

import dagster as dg

from llm_data_assets.config.workspace import Workspace
from llm_data_assets.defs.report import report_asset
from llm_data_assets.studio.report import MOST_BYTES, report_html, write_report
from llm_data_assets.studio.screens import SCREENS
from llm_data_assets_tests.studio.conftest import MAIL


def test_the_report_has_every_screen_and_loads_nothing(home: Workspace, tmp_path: Path) -> None:
    file = write_report(home, tmp_path / "out" / "report.html")
    text = file.read_text(encoding="utf-8")
    assert file.stat().st_size < MOST_BYTES
    assert all(f'id="part-{s.name}"' in text for s in SCREENS if s.in_report)
    assert re.findall(r'(?:src|href|action)="(?!#)[^"]*"', text) == []
    assert "<script" not in text and "url(" not in text


def test_the_report_masks_personal_data(home: Workspace) -> None:
    assert MAIL not in report_html(home)


def test_the_same_home_gives_the_same_bytes(home: Workspace) -> None:
    assert report_html(home) == report_html(home)


def test_the_asset_writes_it_into_the_home(home: Workspace) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([report_asset(home)], instance=instance)
    assert result.success
    assert (home.home / "reports" / "corpus_report.html").stat().st_size > 10_000
