"""Late benchmarks, URL lists and licence policies: what they touch, and what they say of it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from llm_data_assets.cli import app
from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.lake.catalog import connect
from llm_data_assets.stages import contamination
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import lake_of, materialise
from llm_data_assets.stages.stage import Context, Partition
from llm_data_assets.stages.versions import is_fresh
from llm_data_assets.text.edits import Edit, apply_edits
from llm_data_assets_tests.conftest import sentence, write_workspace

QUESTION = (
    "A ferry carries forty eight passengers across the bay every forty minutes and "
    "how many passengers can it carry in one day"
)


def workspace_with(folder: Path, pipeline: str = "", catalog: str = "") -> Workspace:
    """Two sources; one document of `first` holds a question, and one names a blocked site."""
    folder.mkdir(exist_ok=True)
    held = f"{sentence(1)}\n\n{QUESTION}?"
    write_workspace(
        folder,
        {
            "first": [
                {"id": "clean", "text": sentence(3), "url": "https://ok.example/1"},
                {"id": "held", "text": held, "url": "https://ok.example/2"},
                {"id": "listed", "text": sentence(4), "url": "https://a.spam.example/"},
            ],
            "second": [{"id": f"b{i}", "text": sentence(i)} for i in range(20, 24)],
        },
    )
    (folder / "late.jsonl").write_text(json.dumps({"question": QUESTION}) + "\n")
    (folder / "spam.txt").write_text("spam.example\n")
    text = (folder / "catalog.yaml").read_text(encoding="utf-8")
    text = text.replace("{id: id}", "{id: id, url: url}")
    (folder / "catalog.yaml").write_text(catalog + text, encoding="utf-8")
    path = folder / "pipeline.yaml"
    path.write_text(path.read_text(encoding="utf-8") + pipeline, encoding="utf-8")
    return reopened(folder)


def reopened(folder: Path, pipeline: str = "") -> Workspace:
    path = folder / "pipeline.yaml"
    path.write_text(path.read_text(encoding="utf-8") + pipeline, encoding="utf-8")
    return open_workspace(folder / "home", folder / "catalog.yaml", path)


def run_to(workspace: Workspace, last: str) -> None:
    for stage in STAGES.values():
        for partition in stage.partitions(workspace):
            context = Context(workspace, lake_of(workspace), partition)
            if not is_fresh(stage, context, STAGES):
                materialise(stage, partition, workspace)
        if stage.name == last:
            return


def rows(workspace: Workspace, sql: str) -> list[tuple[object, ...]]:
    return connect(workspace.home).execute(sql).fetchall()


FIRST = Partition(source="first")
LATE = "evaluation_sets: {late: {uri: late.jsonl, format: gsm8k}}\n"


def test_a_late_benchmark_touches_what_it_meets_and_names_the_exposed_recipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_to(workspace_with(tmp_path / "w"), "mixture_plan")
    workspace = reopened(tmp_path / "w", LATE)
    materialise(STAGES["evaluation_sets"], Partition(), workspace)
    read = []
    once = contamination.find_in_shard
    monkeypatch.setattr(
        contamination, "find_in_shard", lambda task: read.append(task) or once(task)
    )
    first, second = Partition(source="first"), Partition(source="second")
    found = materialise(STAGES["contamination"], first, workspace)
    assert not found.checks["not_exposed"].passed
    assert found.checks["not_exposed"].samples[0]["doc_id"] == "first/held"
    assert found.checks["not_exposed"].samples[0]["recipe"] == "small"
    assert rows(workspace, "SELECT doc_id, question_id, question_share FROM exposure") == [
        ("first/held", "late/1", 1.0)
    ]
    assert materialise(STAGES["contamination"], second, workspace).checks["not_exposed"].passed
    assert len(read) == 2

    # Looked for once: another run reads no text. What met nothing is fresh downstream.
    materialise(STAGES["contamination"], first, workspace)
    materialise(STAGES["contamination"], second, workspace)
    assert len(read) == 2
    lake, stage = lake_of(workspace), STAGES["contamination"]
    assert lake.shards(stage.table, second.values) == []

    run_to(workspace, "mixture_plan")
    assert rows(workspace, "SELECT doc_id, value, reason FROM verdicts WHERE NOT kept") == [
        ("first/held", 1.0, "benchmark_question")
    ]
    assert rows(workspace, "FROM exposure") == []


def test_the_command_names_recipes_and_files_that_met_a_benchmark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "w"
    run_to(workspace_with(folder), "training_export")
    workspace = reopened(folder, LATE)
    for name, partition in (("evaluation_sets", Partition()), ("contamination", FIRST)):
        materialise(STAGES[name], partition, workspace)
    monkeypatch.chdir(folder)
    for name, value in (
        ("HOME", workspace.home),
        ("CATALOG", workspace.catalog.path),
        ("PIPELINE", workspace.pipeline.path),
    ):
        monkeypatch.setenv(f"LLM_DATA_{name}", str(value))
    shown = CliRunner().invoke(app, ["exposure", "--json"])
    assert shown.exit_code == 0
    found = json.loads(shown.stdout)
    (recipe,) = found["recipes"]
    assert (recipe["recipe"], recipe["evaluation_set"], recipe["example"]) == (
        "small", "late", "first/held",
    )  # fmt: skip
    assert (recipe["questions"], recipe["documents"], recipe["documents_cut_since"]) == (1, 1, 0)
    assert found["exports"] and {each["documents"] for each in found["exports"]} == {1}
    run_to(workspace, "training_export")
    shown = CliRunner().invoke(app, ["exposure"])
    assert shown.stdout.startswith("No packed recipe holds a question")


def test_a_second_set_is_looked_for_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = workspace_with(tmp_path / "w", LATE)
    run_to(workspace, "contamination")
    (tmp_path / "w" / "other.jsonl").write_text(json.dumps({"q": sentence(20)[:200]}) + "\n")
    path = tmp_path / "w" / "pipeline.yaml"
    other = LATE.replace("late: ", "other: {uri: other.jsonl, fields: [q]}, late: ", 1)
    path.write_text(path.read_text(encoding="utf-8").replace(LATE, other), encoding="utf-8")
    asked = []
    once = contamination.find_in_shard

    def spy(task):  # type: ignore[no-untyped-def]
        asked.append(len(task.settings["sets"]))
        return once(task)

    monkeypatch.setattr(contamination, "find_in_shard", spy)
    run_to(reopened(tmp_path / "w"), "contamination")
    assert asked == [1, 1]
    found = rows(
        workspace, "SELECT DISTINCT evaluation_set, doc_id FROM contamination ORDER BY ALL"
    )
    assert found == [("late", "first/held"), ("other", "second/b20")]


@pytest.mark.parametrize("rule", ["gpt3", "paragraph"])
def test_a_cutting_rule_keeps_the_document_without_the_question(tmp_path: Path, rule: str) -> None:
    workspace = workspace_with(tmp_path / "w", f"{LATE}decontamination: {{rule: {rule}}}\n")
    run_to(workspace, "filtered_corpus")
    ((before, after),) = rows(
        workspace,
        "SELECT raw.text, done.text FROM raw_corpus AS raw JOIN filtered_corpus AS done "
        "USING (doc_id) WHERE doc_id = 'first/held'",
    )
    assert QUESTION in str(before) and "ferry" not in str(after)
    edits = rows(
        workspace,
        """SELECT kind, start, length, replacement FROM edits
        WHERE doc_id = 'first/held' AND stage = 'filtered_corpus'""",
    )
    assert apply_edits(str(before), [Edit(*edit) for edit in edits]) == after  # type: ignore[arg-type]
    assert "benchmark_question" in {edit[0] for edit in edits}


def test_replaying_the_stored_edits_gives_every_stored_text(tmp_path: Path) -> None:
    workspace = workspace_with(tmp_path / "w", LATE)
    first = tmp_path / "w" / "first.jsonl"
    text = f"{sentence(5)}\nShare this\nWe use cookies.\nMail jo@example.org[3] or 8.8.8.8 now."
    with first.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"id": "edited", "text": text, "url": None}) + "\n")
    run_to(workspace, "filtered_corpus")
    stored = rows(
        workspace,
        """SELECT any_value(raw.text), any_value(done.text),
                  list((edits.kind, start, length, replacement))
        FROM edits JOIN raw_corpus AS raw USING (doc_id) JOIN filtered_corpus AS done USING (doc_id)
        WHERE edits.stage = 'filtered_corpus' GROUP BY doc_id""",
    )
    assert len(stored) == 1
    for before, after, edits in stored:
        made = [Edit(*(tuple(e.values()) if isinstance(e, dict) else e)) for e in edits]  # type: ignore[attr-defined]
        assert apply_edits(str(before), made) == after


def test_a_blocked_url_leaves_with_the_list_and_the_entry(tmp_path: Path) -> None:
    lists = "url_lists: {spam: {uri: spam.txt, kind: domains}}\n"
    workspace = workspace_with(tmp_path / "w", lists)
    run_to(workspace, "filtered_corpus")
    assert rows(workspace, "SELECT doc_id, reason, detail FROM verdicts WHERE NOT kept") == [
        ("first/listed", "url_blocked", "spam: spam.example")
    ]


def test_a_list_that_is_not_there_names_the_line(tmp_path: Path) -> None:
    lists = "url_lists: {spam: {uri: gone.txt, kind: domains}}\n"
    with pytest.raises(ConfigError, match=r"pipeline.yaml:\d+: url_lists.spam.uri: .*Try:"):
        run_to(workspace_with(tmp_path / "w", lists), "filtered_corpus")


def test_a_licence_that_is_denied_leaves_and_blocks_what_still_holds_it(tmp_path: Path) -> None:
    folder = tmp_path / "w"
    run_to(workspace_with(folder), "tokenized_corpus")
    path = folder / "catalog.yaml"
    text = path.read_text(encoding="utf-8").replace("CC0-1.0", "gpl v3", 1)
    path.write_text(f"licenses: {{allow: [CC0-1.0], unknown: drop}}\n{text}", encoding="utf-8")
    # The corpus of before, under the policy of now: the recipe does not go on.
    path.write_text(path.read_text(encoding="utf-8").replace("[CC0-1.0]", "[MIT]"))
    stage = STAGES["mixture_plan"]
    done = materialise(stage, Partition(recipe="small"), reopened(folder))
    assert [check.name for check in done.blocked_by(stage)] == ["licenses_allowed"]

    path.write_text(path.read_text(encoding="utf-8").replace("[MIT]", "[CC0-1.0]"))
    workspace = reopened(folder)
    run_to(workspace, "filtered_corpus")
    refused = rows(workspace, "SELECT DISTINCT source, reason, detail FROM verdicts WHERE NOT kept")
    assert refused == [("first", "license_refused", "GPL-3.0-only")]


def test_drift_is_told_against_the_version_before_and_against_a_baseline(tmp_path: Path) -> None:
    folder = tmp_path / "w"
    workspace = workspace_with(folder)
    run_to(workspace, "quality_signals")
    stage, source = STAGES["quality_signals"], Partition(source="first")
    assert materialise(stage, source, workspace).checks["drift"].observed == 0
    version = int(lake_of(workspace).open(stage.table).version())
    short = [
        {"id": f"s{i}", "text": f"Short text {i}.", "url": "https://new.example/"}
        for i in range(99)
    ]
    (folder / "first.jsonl").write_text("".join(json.dumps(each) + "\n" for each in short))
    path = folder / "pipeline.yaml"
    bounds = "{block_psi: 0.5, max_reject_share: 0.5, max_duplicate_share: 1.0}"
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.index("checks:")] + f"checks: {bounds}\n", encoding="utf-8")
    workspace = reopened(folder)
    run_to(workspace, "deduped_corpus")
    done = materialise(stage, source, workspace)
    assert [check.name for check in done.blocked_by(stage)] == ["drift_bound"]
    kinds = {row.get("domains"): row.get("examples") for row in done.checks["drift"].samples}
    assert kinds["new_domains"] == ["new.example"]
    assert kinds["vanished_domains"] == ["a.spam.example", "ok.example"]
    stored = rows(
        workspace,
        """SELECT signal, psi > 0.5, js > 0, warns, blocks, baseline_version FROM signal_drift
        WHERE source = 'first' AND signal IN ('ccnet_length', 'rps_doc_lorem_ipsum')""",
    )
    assert stored == [
        ("ccnet_length", True, True, True, True, version),
        ("rps_doc_lorem_ipsum", False, False, False, False, version),
    ]

    baseline = bounds.replace("{", f"{{drift_baseline: {{first: {version + 1}}}, ", 1)
    path.write_text(path.read_text(encoding="utf-8").replace(bounds, baseline), encoding="utf-8")
    assert materialise(stage, source, reopened(folder)).checks["drift"].observed == 0

    for file in lake_of(workspace).files(stage.table, source.values, version):
        file.unlink()  # as a purge does
    older = path.read_text(encoding="utf-8").replace(f"first: {version + 1}", f"first: {version}")
    path.write_text(older, encoding="utf-8")
    again = materialise(stage, source, reopened(folder))
    assert again.checks["drift"].expected.endswith("there is no version before")
