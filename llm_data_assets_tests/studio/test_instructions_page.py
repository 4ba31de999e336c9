"""The screen of instruction selection, on a home with dialogues and on one without."""

import re

import pytest
from starlette.testclient import TestClient

from llm_data_assets.studio.app import make_app
from llm_data_assets.studio.pages import document
from llm_data_assets.studio.pages.flow import page as flow_page
from llm_data_assets.studio.pages.instructions import page
from llm_data_assets.studio.reader import Reader
from llm_data_assets_tests.stages.test_instructions import ROWS, run_branch, workspace_of


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    workspace = workspace_of(tmp_path_factory.mktemp("dialogues"), asked=ROWS)
    run_branch(workspace)
    return Reader(workspace)


def test_each_scored_dialogue_is_a_dot_filled_if_it_was_picked(reader: Reader) -> None:
    drawn = page(reader, {})
    spread = next(panel for panel in drawn["panels"] if panel.name == "spread")
    picked = {row["doc_id"] for row in reader.rows("SELECT doc_id FROM selected_instructions")}
    assert {each["doc_id"] for each in spread.rows if each["picked"]} == picked
    assert drawn["picture"].count('class="kept"') == len(picked) > 0
    assert drawn["picture"].count("<circle") == len(spread.rows)


def test_axes_are_chosen_from_the_scores_and_nothing_else(reader: Reader) -> None:
    assert page(reader, {"across": "n_turns"})["across"] == "n_turns"
    assert page(reader, {"across": "1; DROP TABLE x"})["across"] == "answer_words"


def test_one_row_a_source_and_a_row_a_file(reader: Reader) -> None:
    panels = {panel.name: panel.rows for panel in page(reader, {})["panels"]}
    (asked,) = panels["funnel"]
    assert list(asked.values()) == ["asked", 7, 5, 3, 3, 0]
    assert {row["reason"]: row["docs"] for row in panels["losses"]} == {
        "exact": 1, "rouge": 1, "refusal": 1, "repetitive_answer": 1,
    }  # fmt: skip
    assert panels["pairs"] == []
    (file,) = panels["files"]
    assert (file["file"], file["rows"]) == ("exports/instructions/messages/train.jsonl", 3)


def test_a_home_without_dialogues_says_how_to_get_some(client: TestClient) -> None:
    assert "llm-data sources add" in client.get("/instructions").text


def test_flow_draws_the_branch_and_loses_nothing_unnamed(reader: Reader) -> None:
    rows = reader.rows("SELECT step, reason, docs FROM branch_survival ORDER BY ALL")
    stays = {row["step"]: row["docs"] for row in rows if row["reason"] is None}
    lost = {s: sum(r["docs"] for r in rows if r["step"] == s and r["reason"]) for s in stays}
    assert [stays[step - 1] - lost[step] for step in (2, 3, 4)] == [stays[s] for s in (2, 3, 4)]
    (drawn,) = flow_page(reader, {})["branches"].values()
    assert "rouge" in drawn and "not made yet" not in drawn


def test_a_loss_of_the_branch_leads_to_a_dialogue_and_its_passport(reader: Reader) -> None:
    client = TestClient(make_app(reader.workspace), base_url="http://127.0.0.1")
    (link,) = re.findall(r'href="(\?[^"]*reason=rouge[^"]*)"', client.get("/").text)
    shown = client.get("/" + link.replace("&amp;", "&").partition("#")[0]).text
    removed = re.search(r'href="(/doc\?[^"]*)"', shown)
    assert removed and "user: " in shown
    passport = client.get(removed[1].replace("&amp;", "&")).text
    assert "removed: rouge of" in passport and '<li class="assistant">' in passport


def test_a_passport_of_a_dialogue_tells_where_it_stands(reader: Reader) -> None:
    (first,) = reader.rows("SELECT doc_id, split FROM instruction_mix ORDER BY doc_id LIMIT 1")
    told = document.page(reader, {"id": first["doc_id"]})["dialogue"]
    assert told["removed"] is None and told["selected"]
    assert [each["split"] for each in told["mix"]] == [first["split"]]


def test_the_screen_opens(reader: Reader) -> None:
    client = TestClient(make_app(reader.workspace), base_url="http://127.0.0.1")
    assert client.get("/instructions?up=quality").text.count("<circle") > 0
