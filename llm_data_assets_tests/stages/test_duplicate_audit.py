"""The audit confirms what is right, names what is wrong, and knows how much bands may miss."""

from pathlib import Path

import pyarrow as pa
import pytest

from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.lake.schemas import DUPLICATES
from llm_data_assets.stages import duplicate_audit
from llm_data_assets.stages.duplicate_audit import PAIRS_MISSED, REMOVALS_CONFIRMED, wilson
from llm_data_assets.stages.materialise import lake_of
from llm_data_assets.stages.stage import Context, Partition
from llm_data_assets_tests.conftest import sentence, write_workspace
from llm_data_assets_tests.stages.test_duplicates import run_up_to

STAGES_BEFORE = ("raw_corpus", "document_signatures", "duplicates")


def variants(number: int) -> list[dict[str, str]]:
    """A document, and copies of it with ever more words changed: Jaccard 0.9 down to 0.6."""
    words = sentence(number).split()
    rows = [{"id": f"{number}-0", "text": " ".join(words)}]
    for changes in (1, 2, 3, 4):
        changed = list(words)
        for at in range(changes):
            changed[7 + 11 * at] = f"other{at}"
        rows.append({"id": f"{number}-{changes}", "text": " ".join(changed)})
    return rows


def workspace_of(folder: Path, dedup: str = "{}") -> Workspace:
    rows = [row for number in range(12) for row in variants(number)]
    workspace = write_workspace(folder, {"only": rows})
    path = workspace.pipeline.path
    path.write_text(f"{path.read_text(encoding='utf-8')}dedup: {dedup}\n", encoding="utf-8")
    workspace = open_workspace(workspace.home, workspace.catalog.path, path)
    run_up_to(workspace, *STAGES_BEFORE)
    return workspace


def context_of(workspace: Workspace) -> Context:
    return Context(workspace, lake_of(workspace), Partition())


def test_wilsons_interval() -> None:
    """Figures of R's binom::binom.confint(method = "wilson")."""
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=5e-4)
    assert wilson(9, 10) == pytest.approx((0.5958, 0.9821), abs=5e-4)
    assert wilson(0, 0) == (0.0, 1.0)


def test_removals_are_confirmed_and_a_false_one_is_named(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path)
    good = REMOVALS_CONFIRMED.evaluate(context_of(workspace))
    assert good.passed and good.observed == 1.0
    lake = lake_of(workspace)
    rows = lake.read(DUPLICATES).drop_columns("source")
    false = {
        "doc_id": "only/3-0",
        "kept_doc_id": "only/4-0",
        "kept_source": "only",
        "similarity": 0.9,
        "method": "near",
    }
    more = pa.concat_tables([rows, pa.Table.from_pylist([false], rows.schema)])
    file = lake.write_shard(DUPLICATES, {"source": "only"}, "all", "tampered", [more])
    lake.replace_partition(DUPLICATES, {"source": "only"}, [file])
    bad = REMOVALS_CONFIRMED.evaluate(context_of(workspace))
    assert not bad.passed
    assert [(row["doc_id"], row["kept_doc_id"]) for row in bad.samples] == [
        ("only/3-0", "only/4-0")
    ]
    assert f"of {more.num_rows} read again {rows.num_rows} are" in bad.expected


def test_pairs_are_missed_as_often_as_the_curve_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = workspace_of(tmp_path, "{bands: 4, rows: 28, threshold: 0.7}")
    found = PAIRS_MISSED.evaluate(context_of(workspace))
    assert found.passed
    assert 0.3 < found.observed < 0.9  # 4 x 28 finds few below 0.95
    monkeypatch.setattr(duplicate_audit, "hit_probability", lambda s, bands, rows: 0.99)
    assert not PAIRS_MISSED.evaluate(context_of(workspace)).passed


def test_without_duplicates_there_is_nothing_to_confirm(tmp_path: Path) -> None:
    workspace = write_workspace(tmp_path, {"only": [{"id": "a", "text": sentence(1)}]})
    run_up_to(workspace, *STAGES_BEFORE)
    assert REMOVALS_CONFIRMED.evaluate(context_of(workspace)).passed
    assert PAIRS_MISSED.evaluate(context_of(workspace)).passed
