"""What the pages say, held to the tables behind them."""

import re
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from starlette.testclient import TestClient

from llm_data_assets.config.pipeline import Pipeline
from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.lake.catalog import connect, rows
from llm_data_assets.lake.models import load_models, model_inputs
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import materialise
from llm_data_assets.stages.stage import Partition
from llm_data_assets.stages.what_if import what_if
from llm_data_assets.studio.pages import (
    checks,
    compare,
    document,
    duplicates,
    explore,
    filters,
    flow,
)
from llm_data_assets.studio.reader import Reader
from llm_data_assets.studio.screens import SCREENS, Screen
from llm_data_assets_tests.studio.conftest import MAIL


@pytest.mark.parametrize("measure", ["docs", "bytes"])
@pytest.mark.parametrize("source", ["", "first", "second"])
def test_the_river_loses_nothing_without_a_name(reader: Reader, measure: str, source: str) -> None:
    steps = flow.page(reader, {"measure": measure, "source": source})["steps"]
    assert [step.name for step in steps] == ["raw", "deduped", "filtered", "tokenized", "small"]
    for before, after in pairwise(steps):
        assert before.value == after.value + sum(value for _, value in after.losses)
        assert "not made yet" not in dict(after.losses)


def test_every_loss_leads_to_the_texts_behind_it(reader: Reader, client: TestClient) -> None:
    page = client.get("/").text
    (link,) = re.findall(r'href="(\?[^"]*reason=exact[^"]*)"', page)
    shown = client.get("/" + link.replace("&amp;", "&").partition("#")[0]).text
    assert "second/copy" in shown
    found = flow.page(reader, {"stage": "deduped_corpus", "reason": "exact"})["panels"][-1]
    assert [row["doc_id"] for row in found.rows] == ["second/copy"]


def test_samples_keep_to_the_chosen_source(reader: Reader) -> None:
    query = {"stage": "deduped_corpus", "reason": "exact", "source": "first"}
    assert flow.page(reader, query)["panels"][-1].rows == []


def test_a_passport_names_what_removed_the_document(client: TestClient) -> None:
    page = client.get("/doc", params={"id": "second/copy"}).text
    assert "removed: exact of" in page and "first/a3" in page


def test_gauges_put_the_failed_rules_first(reader: Reader) -> None:
    gauges = document.page(reader, {"id": "second/short"})["gauges"]
    assert gauges[0]["rule"] == "gopher_short_doc" and not gauges[0]["held"]
    assert (gauges[0]["value"], gauges[0]["min"]) == (4.0, 50.0)


def test_marks_may_overlap_and_hide_personal_data_once() -> None:
    text = f"one {MAIL} two"
    end = 4 + len(MAIL)
    assert document.marked(text, [(0, 6, "line")], False) == [
        ("one ", "line"),
        ("<email>", "line"),
        (" two", ""),
    ]
    assert "".join(piece for piece, _ in document.marked(text, [(2, end, "x")], True)) == text


def test_checks_that_fail_stand_first(reader: Reader) -> None:
    found = checks.page(reader, {})
    states = [bool(line["cells"][0]["failed"]) for line in found["lines"]]
    assert states == sorted(states, reverse=True)
    asked = checks.page(reader, {"asset": "raw_corpus"})
    assert {line["asset"] for line in asked["lines"]} == {"raw_corpus"}


def test_a_group_shows_who_went_for_whom(reader: Reader) -> None:
    found = duplicates.page(reader, {})
    assert (found["kept"], found["removed"]) == ("first/a3", "second/copy")
    assert found["matrix"]["lines"] == [("second", [(1, 1.0)])]
    assert {kind for _, kind in found["pieces"]} == {"same"}


@pytest.mark.parametrize(
    "changes",
    [
        {"gopher_short_doc.min": "2"},
        {"gopher_short_doc.min": "95"},
        {"gopher_short_doc.min": "2", "gopher_stop_words.min": "0"},
        {"gopher_word_length.max": "4.9", "gopher_short_doc.min": "85"},
    ],
)
def test_a_move_answers_as_the_command_does(reader: Reader, changes: dict[str, str]) -> None:
    lab = filters.page(reader, changes)
    command = what_if(reader.workspace, [f"{name}={value}" for name, value in changes.items()])
    expected: dict[str, list[int]] = {}
    for row in command.survivors:
        counts = expected.setdefault(row["source"], [0, 0, 0])
        for place, name in enumerate(("documents", "kept_now", "kept_then")):
            counts[place] += row[name]
    survivors = next(panel for panel in lab["panels"] if panel.name == "survivors")
    assert {
        row["source"]: [row["documents"], row["kept_now"], row["kept_then"]]
        for row in survivors.rows
    } == expected
    boundary = next(panel for panel in lab["panels"] if panel.name == "boundary")
    assert {row["rule"] for row in boundary.rows} == {n.rpartition(".")[0] for n in changes}


def test_what_is_copied_is_a_pipeline_that_holds_the_move(reader: Reader) -> None:
    copied = yaml.safe_load(filters.page(reader, {"gopher_short_doc.min": "2"})["yaml"])
    pipeline = Pipeline.model_validate({"rules": ["gopher"], "recipes": {"one": {}}, **copied})
    bounds = {rule.name: rule.min for rule in pipeline.rule_sets["gopher"]}
    assert bounds["gopher_short_doc"] == 2 and len(bounds) > 5


def test_a_bound_that_cannot_be_is_said_on_the_page(client: TestClient) -> None:
    page = client.get("/filters", params={"gopher_word_length.min": "90"})
    assert page.status_code == 200 and "keeps nothing" in page.text


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
def test_every_panel_has_its_rows_as_csv(
    reader: Reader, client: TestClient, screen: Screen
) -> None:
    for panel in screen.page(reader, {})["panels"]:
        answer = client.get(f"/csv/{screen.name}/{panel.name}")
        assert answer.status_code == 200
        assert len(answer.text.splitlines()) >= len(panel.rows)


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
def test_the_sql_of_a_panel_gives_its_rows_in_any_shell(reader: Reader, screen: Screen) -> None:
    query = {"stage": "deduped_corpus", "reason": "exact"} if screen.name == "flow" else {}
    with connect(reader.workspace.home) as connection:
        for panel in screen.page(reader, query)["panels"]:
            if panel.sql:
                assert len(connection.execute(panel.sql).fetchall()) == len(panel.rows), panel.name


def test_the_sql_of_a_move_gives_what_the_lab_counts(reader: Reader) -> None:
    found = filters.page(reader, {"gopher_short_doc.min": "95", "gopher_word_length.max": "4.9"})
    survivors, boundary = found["panels"][:2]
    with connect(reader.workspace.home) as connection:
        assert rows(connection, survivors.sql) == survivors.rows
        told = rows(connection, boundary.sql)
    assert sorted((row["rule"], row["value"]) for row in told) == sorted(
        (row["rule"], row["value"]) for row in boundary.rows
    )


# Texts, single documents, and what is asked of thresholds and versions that no run has seen.
FROM_TABLES = {
    ("duplicates", "difference"), ("filters", "survivors"), ("explore", "texts"),
    ("instructions", "spread"), ("instructions", "files"), ("media", "spread"),
    ("compare", "rules"), ("compare", "flipped"),
    ("document", "documents"), ("document", "dialogues"), ("document", "pairs"), ("sql", "tables"),
}  # fmt: skip


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
def test_figures_come_from_the_models_and_nowhere_else(reader: Reader, screen: Screen) -> None:
    query = {"stage": "deduped_corpus", "reason": "exact"} if screen.name == "flow" else {}
    for panel in screen.page(reader, query)["panels"]:
        if panel.sql and (screen.name, panel.name) not in FROM_TABLES:
            assert model_inputs(panel.sql) <= set(load_models()), panel.name


def test_a_histogram_narrows_by_what_is_chosen_in_another(reader: Reader) -> None:
    everything = explore.page(reader, {})["count"]["documents"]
    chosen = explore.page(reader, {"rps_doc_word_count": "0..10", "outcome": "gopher_short_doc"})
    assert chosen["count"] == {"documents": everything, "chosen": 1}
    for panel in chosen["panels"][1:]:
        assert sum(row["chosen"] for row in panel.rows) <= 1
    assert [row["doc_id"] for row in chosen["panels"][0].rows] == ["second/short"]


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
def test_an_empty_home_says_what_to_run(empty_client: TestClient, screen: Screen) -> None:
    page = empty_client.get(screen.path)
    assert page.status_code == 200 and re.search(r"Try: `?llm-data run", page.text)


@pytest.fixture
def twice_filtered(home: Workspace, tmp_path: Path) -> Workspace:
    """The home after one more rule, in a copy."""
    shutil.copytree(home.home, tmp_path / "home", symlinks=True)
    changed = tmp_path / "changed.yaml"
    text = home.pipeline.path.read_text(encoding="utf-8")
    rule = "{name: fewer_words, signal: rps_doc_word_count, max: 156}"
    changed.write_text(text.replace("[gopher, clean]", f"[gopher, clean, {rule}]"), "utf-8")
    workspace = open_workspace(tmp_path / "home", home.catalog.path, changed)
    materialise(STAGES["filtered_corpus"], Partition(source="first"), workspace)
    return workspace


def test_two_versions_differ_in_a_setting_by_its_name(twice_filtered: Workspace) -> None:
    found = compare.page(Reader(twice_filtered), {})
    assert found["source"] == "first" and found["a"] < found["b"]
    (row,) = next(panel for panel in found["panels"] if panel.name == "settings").rows
    assert (row["stage"], row["setting"]) == ("filtered_corpus", "rules.fewer_words")
    assert row["before"] == "not set" and '"max": 156.0' in row["after"]
    same = compare.page(Reader(twice_filtered), {"a": str(found["b"]), "b": str(found["b"])})
    assert next(panel for panel in same["panels"] if panel.name == "settings").rows == []


def test_what_is_compared_is_all_that_the_filter_is_made_from() -> None:
    def above(name: str) -> set[str]:
        return {name}.union(*(above(each) for each in STAGES[name].upstream))

    assert set(compare.MADE_FROM) == above("filtered_corpus")
