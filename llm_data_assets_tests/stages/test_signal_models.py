"""Signals of models, lists and finders: measured where asked for, stale with their sources."""

import json
from pathlib import Path

import pytest

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.lake.catalog import connect
from llm_data_assets.lake.schemas import SIGNAL_MODELS
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import lake_of, materialise
from llm_data_assets.stages.stage import Context, Partition
from llm_data_assets.stages.versions import is_fresh
from llm_data_assets.text.optional_signals import OPTIONAL
from llm_data_assets_tests.conftest import sentence, write_workspace
from llm_data_assets_tests.stages.test_duplicates import run_up_to

BEFORE = ("raw_corpus", "document_signatures", "duplicates", "deduped_corpus")
SOURCES = {
    "shop": [
        {"id": f"s{i}", "text": f"Add item {i} to the cart, call +1 415 555 26{i:02d}: casino {i}!"}
        for i in range(20)
    ],
    "tales": [{"id": f"t{i}", "text": sentence(i)} for i in range(20)],
    "other": [{"id": "o", "text": sentence(50)}],
}
CLASSIFIER = "{classifiers: {quality: {like: [tales], unlike: [shop]}}}"


def with_signals(folder: Path, signals: str) -> Workspace:
    workspace = write_workspace(folder, SOURCES)
    return with_settings(workspace, signals)


def with_settings(workspace: Workspace, signals: str) -> Workspace:
    path = workspace.pipeline.path
    lines = [line for line in path.read_text().split("\n") if not line.startswith("signals:")]
    path.write_text("\n".join([*lines, f"signals: {signals}", ""]), encoding="utf-8")
    return open_workspace(workspace.home, workspace.catalog.path, path)


def means(workspace: Workspace, signal: str) -> dict[str, float]:
    rows = connect(workspace.home).execute(
        f"SELECT source, avg({signal}) FROM quality_signals GROUP BY source"
    )
    return dict(rows.fetchall())


def test_nothing_is_trained_or_measured_that_nothing_asks_for(tmp_path: Path) -> None:
    workspace = with_signals(tmp_path, "{}")
    run_up_to(workspace, *BEFORE, "signal_models", "quality_signals")
    assert lake_of(workspace).read(SIGNAL_MODELS).num_rows == 0
    counts = ", ".join(f"count({each.name})" for each in OPTIONAL)
    (row,) = connect(workspace.home).execute(f"SELECT {counts} FROM quality_signals").fetchall()
    assert set(row) == {0}


def test_models_lists_and_finders_score_each_document(tmp_path: Path) -> None:
    (tmp_path / "spam.txt").write_text("casino\n", encoding="utf-8")
    workspace = with_signals(
        tmp_path,
        "{perplexity: {source: tales}, words: {spam: spam.txt}, "
        "classifiers: {quality: {like: [tales], unlike: [shop]}}, "
        "also: [personal_data_phone, language_line_share, boilerplate_share]}",
    )
    run_up_to(workspace, *BEFORE, "signal_models", "quality_signals")
    perplexity, score = means(workspace, "perplexity"), means(workspace, "quality_score")
    assert perplexity["tales"] < perplexity["other"] < perplexity["shop"]
    assert min(score["tales"], score["other"]) > 0.8 > 0.2 > score["shop"]
    assert means(workspace, "spam_words")["other"] == 0 < means(workspace, "spam_words")["shop"]
    assert means(workspace, "personal_data_phone")["shop"] == 1
    assert means(workspace, "language_line_share")["tales"] == 1
    assert means(workspace, "second_language_share")["tales"] == 0
    assert means(workspace, "boilerplate_share")["tales"] == 0
    models = lake_of(workspace).read(SIGNAL_MODELS, {}, ["signal", "auc", "report"]).to_pylist()
    assert [row["signal"] for row in models] == ["perplexity", "quality_score"]
    report = json.loads(models[1]["report"])
    assert models[1]["auc"] == report["auc"] == 1.0 and report["judged"] == 8
    done = materialise(STAGES["signal_models"], Partition(), workspace)
    assert done.checks["classifiers_separate"].passed


def test_a_model_is_stale_with_its_own_sources_alone(tmp_path: Path) -> None:
    workspace = with_signals(tmp_path, CLASSIFIER)
    run_up_to(workspace, *BEFORE, "signal_models", "quality_signals")
    stage, lake = STAGES["signal_models"], lake_of(workspace)
    context = Context(workspace, lake, Partition())
    assert is_fresh(stage, context, STAGES)
    for source, stale in (("other", False), ("shop", True)):
        with (tmp_path / f"{source}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"id": "new", "text": sentence(77)}) + "\n")
        run_up_to(workspace, *BEFORE)
        assert is_fresh(stage, context, STAGES) != stale
    before = lake.shards(SIGNAL_MODELS, {})
    run_up_to(workspace, "signal_models")
    assert lake.shards(SIGNAL_MODELS, {}) != before
    quality = Context(workspace, lake, Partition(source="other"))
    assert not is_fresh(STAGES["quality_signals"], quality, STAGES)


@pytest.mark.parametrize(
    ("signals", "message"),
    [
        ("{perplexity: {source: tails}}", r"signals.perplexity.*'tails'.*tales"),
        ("{classifiers: {spam: {like: [other], unlike: [shop]}}}", r"1 documents are like"),
        ("{words: {spam: nowhere.txt}}", r"nowhere.txt cannot be read"),
    ],
)
def test_a_model_that_cannot_be_names_its_line(tmp_path: Path, signals: str, message: str) -> None:
    workspace = with_signals(tmp_path, signals)
    run_up_to(workspace, *BEFORE)
    with pytest.raises(ConfigError, match=message):
        run_up_to(workspace, "signal_models", "quality_signals")


def test_a_rule_over_a_score_that_nothing_gives_says_what_would(tmp_path: Path) -> None:
    workspace = with_signals(tmp_path, "{also: [toxicity_score]}")
    run_up_to(workspace, *BEFORE)
    with pytest.raises(ConfigError, match=r"signals.classifiers.toxicity"):
        run_up_to(workspace, "quality_signals")
    workspace = with_settings(workspace, CLASSIFIER)
    with pytest.raises(FileNotFoundError, match="--to signal_models"):
        run_up_to(workspace, "quality_signals")


def test_a_source_is_not_like_and_unlike(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="shop is like and unlike"):
        with_signals(tmp_path, "{classifiers: {spam: {like: [shop], unlike: [shop]}}}")
