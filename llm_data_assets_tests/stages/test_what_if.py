"""Another threshold is tried on the signals alone, and a rule that drops everything is named."""

from pathlib import Path

import pytest

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.lake.catalog import connect
from llm_data_assets.lake.schemas import FILTERED_CORPUS
from llm_data_assets.stages import filtered_corpus
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import lake_of, materialise
from llm_data_assets.stages.stage import Partition
from llm_data_assets.stages.what_if import compare_rule_sets, what_if
from llm_data_assets_tests.stages.test_refusals import LATE, reopened, run_to, workspace_with

UP_TO_FILTERED = (
    "raw_corpus", "document_signatures", "duplicates", "deduped_corpus", "quality_signals",
    "filtered_corpus",
)  # fmt: skip


def with_rules(workspace: Workspace, rules: str, also: str = "[]") -> Workspace:
    """The workspace with other rules and `signals.also`, made up to filtered_corpus."""
    text = workspace.pipeline.path.read_text(encoding="utf-8")
    lines = [f"rules: {rules}" if line.startswith("rules:") else line for line in text.split("\n")]
    lines = [*(line for line in lines if "signals:" not in line), f"signals: {{also: {also}}}", ""]
    workspace.pipeline.path.write_text("\n".join(lines), encoding="utf-8")
    changed = open_workspace(workspace.home, workspace.catalog.path, workspace.pipeline.path)
    for name in UP_TO_FILTERED:
        for partition in STAGES[name].partitions(changed):
            materialise(STAGES[name], partition, changed)
    return changed


def kept(workspace: Workspace) -> int:
    rows = connect(workspace.home).execute("SELECT count(*) FROM filtered_corpus").fetchone()
    assert rows is not None
    return rows[0]


def test_a_dry_run_says_what_a_run_would_keep(small_workspace: Workspace) -> None:
    rule = "[{name: short, signal: rps_doc_word_count, min: %s}, clean]"
    before = with_rules(small_workspace, rule % 1)
    lengths = connect(before.home).execute(
        "SELECT median(rps_doc_word_count), count(*) FROM quality_signals"
    )
    threshold, documents = lengths.fetchall()[0]
    found = what_if(before, [f"short.threshold={threshold}"])
    assert sum(row["kept_now"] for row in found.survivors) == kept(before) == documents
    values = [row["value"] for row in found.boundary]
    assert values == sorted(values, key=lambda value: abs(value - threshold))
    after = with_rules(before, rule % threshold)
    assert 0 < kept(after) < documents
    assert sum(row["kept_then"] for row in found.survivors) == kept(after)


@pytest.mark.parametrize(
    ("change", "way_out"),
    [
        ("shirt.min=3", "short"),
        ("short.most=3", "short.min="),
        ("short.min=many", "cannot be"),
        ("short.min=nan", "cannot be"),
        ("short.max=-1", "keeps nothing"),
    ],
)
def test_a_change_that_cannot_be_says_so(
    small_workspace: Workspace, change: str, way_out: str
) -> None:
    before = with_rules(small_workspace, "[{name: short, signal: rps_doc_word_count, min: 1}]")
    with pytest.raises(ConfigError, match=way_out):
        what_if(before, [change])


@pytest.mark.parametrize(
    "rule",
    [
        "signal: rps_doc_word_cuont, min: 1",
        "signal: url, one_of: [u], when: {rps_doc_word_cuont: [a]}",
    ],
)
def test_a_rule_over_no_signal_is_refused_before_anything_is_measured(
    small_workspace: Workspace, rule: str
) -> None:
    path = small_workspace.pipeline.path
    path.write_text(f"rules: [{{name: odd, {rule}}}]\nrecipes: {{r: {{}}}}\n", encoding="utf-8")
    changed = open_workspace(small_workspace.home, small_workspace.catalog.path, path)
    with pytest.raises(ConfigError, match=r"'odd' names 'rps_doc_word_cuont'.*rps_doc_word_count"):
        STAGES["quality_signals"].settings(changed, Partition(source="first"))


def test_nothing_measured_names_the_stage_to_run(small_workspace: Workspace) -> None:
    with pytest.raises(FileNotFoundError, match="--to quality_signals"):
        what_if(small_workspace, ["gopher_short_doc.min=80"])


def test_a_rule_that_drops_everything_is_named_before_anything_else_runs(
    small_workspace: Workspace,
) -> None:
    changed = with_rules(
        small_workspace, "[{name: impossible, signal: rps_doc_word_count, min: 1000000}]"
    )
    stage = STAGES["filtered_corpus"]
    done = materialise(stage, Partition(source="first"), changed)
    assert [check.name for check in done.blocked_by(stage)] == ["rules_leave_documents"]
    assert done.checks["rules_leave_documents"].samples[0]["reason"] == "impossible"


def test_two_rule_sets_are_told_apart_with_samples(small_workspace: Workspace) -> None:
    made = with_rules(small_workspace, "[clean]", also='["c4@dclm", "gopher@dolma"]')
    found = compare_rule_sets(made, "c4@dclm", "gopher@dolma")
    for row in found.survivors:
        assert row["both_keep"] + row["only c4@dclm keeps"] <= row["documents"]
    alone = sum(
        row["only c4@dclm keeps"] + row["only gopher@dolma keeps"] for row in found.survivors
    )
    assert (alone > 0) == bool(found.boundary)
    assert all("kept" in row.values() for row in found.boundary)
    with pytest.raises(FileNotFoundError, match="gopher@dolma"):
        compare_rule_sets(made, "gopher@dolmo", "c4@t5")


def test_counts_of_a_toolkit_that_nothing_asks_for_are_not_measured_until_something_does(
    small_workspace: Workspace,
) -> None:
    made = with_rules(small_workspace, "[clean]")
    columns = "count(n_lines), count(stop_words__datatrove), count(*)"
    count = f"SELECT {columns} FROM quality_signals"
    (found,) = connect(made.home).execute(count).fetchall()
    assert found[1] == 0 < found[0] == found[2]
    with pytest.raises(ConfigError, match="--to quality_signals"):
        compare_rule_sets(made, "fineweb", "gopher@datatrove")
    after = with_rules(made, "[gopher@datatrove, clean]")
    (found,) = connect(after.home).execute(count).fetchall()
    assert found[0] == found[1] == found[2]


def test_what_is_asked_for_must_be_a_signal_or_a_rule_set(small_workspace: Workspace) -> None:
    with pytest.raises(ConfigError, match=r"gopher@dolmo.*no signal either"):
        with_rules(small_workspace, "[clean]", also='["gopher@dolmo"]')


def test_a_dry_run_counts_refusals_and_benchmark_questions_as_a_run_does(tmp_path: Path) -> None:
    lists = "url_lists: {spam: {uri: spam.txt, kind: domains}}\n"
    workspace = workspace_with(tmp_path / "w", LATE + lists, "licenses: {deny: [MIT]}\n")
    run_to(workspace, "filtered_corpus")
    found = what_if(workspace, ["gopher_short_doc.min=1"])
    sums = {row["source"]: (row["documents"], row["kept_now"]) for row in found.survivors}
    assert sums == {"first": (3, 1), "second": (4, 4)}
    assert kept(workspace) == 5
    reasons = {row["doc_id"]: row["reason_then"] for row in found.boundary}
    assert reasons["first/held"] == "benchmark_question"
    assert reasons["first/listed"] == "url_blocked"
    denied = workspace.catalog.path
    denied.write_text(denied.read_text().replace("deny: [MIT]", "deny: [CC0-1.0]"))
    found = what_if(reopened(tmp_path / "w"), ["gopher_short_doc.min=1"])
    assert sum(row["kept_then"] for row in found.survivors) == 0
    with pytest.raises(ConfigError, match=r"benchmark_question|no rule"):
        what_if(workspace, ["benchmark.min=1"])


def test_a_threshold_that_moves_nobody_reads_no_text_and_changes_no_file(
    small_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = "[{name: short, signal: rps_doc_word_count, min: %s}, clean]"
    before = with_rules(small_workspace, rule % 1)
    lake, first = lake_of(before), {"source": "first"}
    files = lake.files(FILTERED_CORPUS, first)
    edited = []
    once = filtered_corpus.edit_shard
    monkeypatch.setattr(
        filtered_corpus, "edit_shard", lambda task: edited.append(task.shard) or once(task)
    )
    with_rules(before, rule % 2)
    assert edited == [] and lake.files(FILTERED_CORPUS, first) == files
    after = with_rules(before, rule % 1_000_000)
    assert len(edited) == 2 and kept(after) == 0
    verdicts = "SELECT count(*) FROM verdicts WHERE stage = 'filtered_corpus' AND NOT kept"
    assert connect(after.home).execute(verdicts).fetchone() == (14,)
