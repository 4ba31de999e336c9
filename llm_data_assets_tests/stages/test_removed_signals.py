"""What deduplication removed is measured, and set beside what stays."""

from pathlib import Path

import pytest

from llm_data_assets.lake.catalog import connect
from llm_data_assets.stages import removed_signals
from llm_data_assets.stages.materialise import lake_of
from llm_data_assets.stages.removed_signals import REMOVED_SIGNALS
from llm_data_assets_tests.stages.test_duplicates import run_up_to, with_dedup

BEFORE = ("raw_corpus", "document_signatures", "duplicates", "deduped_corpus", "quality_signals")


def test_removed_documents_are_measured_and_compared(tmp_path: Path) -> None:
    workspace = with_dedup(tmp_path, "{same_url: true}")
    run_up_to(workspace, *BEFORE, "removed_signals")
    measured = lake_of(workspace).read(REMOVED_SIGNALS)
    assert sorted(measured["doc_id"].to_pylist()) == ["second/c", "second/e", "third/f"]
    connection = connect(workspace.home)
    rows = connection.execute(
        """SELECT source, kept_docs, removed_docs, kept_mean, removed_mean, difference
        FROM removed_against_kept WHERE signal = 'rps_doc_word_count'"""
    ).fetchall()
    assert [row[:3] for row in rows] == [("second", 1, 2)]  # nothing of `third` is kept
    groups = connection.execute(
        "SELECT cluster_id, doc_id, is_kept, jaccard = 1 FROM duplicate_groups ORDER BY ALL"
    ).fetchall()
    assert groups == [
        ("first/a", "first/a", True, True),
        ("first/a", "second/c", False, False),
        ("first/a", "second/e", False, False),
        ("first/a", "third/f", False, True),
    ]


def test_many_removed_documents_are_sampled_by_their_ids(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removed_signals, "SAMPLE", 1)
    workspace = with_dedup(tmp_path, "{same_url: true}")
    run_up_to(workspace, *BEFORE, "removed_signals")
    measured = lake_of(workspace).read(REMOVED_SIGNALS)
    assert measured["source"].to_pylist() == ["second", "third"]
