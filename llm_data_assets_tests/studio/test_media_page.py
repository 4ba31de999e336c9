"""The screen of media, on a home with pairs of seven sources and on one without."""

import pytest
from markupsafe import escape
from starlette.testclient import TestClient

from llm_data_assets.studio.app import make_app
from llm_data_assets.studio.pages.flow import page as flow_page
from llm_data_assets.studio.pages.media import page
from llm_data_assets.studio.reader import Reader
from llm_data_assets_tests.stages.test_media import run_branch, seven


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    workspace = seven(tmp_path_factory.mktemp("pairs"))
    run_branch(workspace)
    return Reader(workspace)


def test_each_measured_pair_is_a_dot_filled_if_it_stays(reader: Reader) -> None:
    drawn = page(reader, {})
    kept = {row["doc_id"] for row in reader.rows("SELECT doc_id FROM filtered_pairs")}
    assert {each["doc_id"] for each in drawn["panel"].rows if each["kept"]} == kept
    assert drawn["picture"].count('class="kept"') == len(kept) > 0


def test_scores_are_axes_too_and_nothing_else_is(reader: Reader) -> None:
    assert page(reader, {"up": "aesthetic_score"})["up"] == "aesthetic_score"
    assert page(reader, {"across": "1; DROP TABLE x"})["across"] == "caption_words"


def test_flow_draws_the_branch_and_loses_nothing_unnamed(reader: Reader) -> None:
    rows = reader.rows("SELECT step, reason, docs FROM branch_survival ORDER BY ALL")
    stays = {step: sum(r["docs"] for r in rows if r["step"] == step and not r["reason"])
             for step in (1, 2, 3)}  # fmt: skip
    lost = {step: sum(r["docs"] for r in rows if r["step"] == step and r["reason"])
            for step in (1, 2, 3)}  # fmt: skip
    assert [stays[1] - lost[2], stays[2] - lost[3]] == [stays[2], stays[3]]
    (drawn,) = flow_page(reader, {})["branches"].values()
    assert "phash" in drawn and "not made yet" not in drawn
    samples = reader.rows("SELECT text FROM drop_samples WHERE reason = 'short_caption'")
    assert samples == [{"text": "A quay"}]


def test_the_screen_opens_and_without_pairs_says_how_to_get_some(
    reader: Reader, client: TestClient
) -> None:
    with_pairs = TestClient(make_app(reader.workspace), base_url="http://127.0.0.1")
    assert with_pairs.get("/media?up=seconds").text.count("<circle") > 0
    assert "llm-data sources add" in client.get("/media").text


def test_a_pair_has_a_passport_that_says_why_it_left(reader: Reader) -> None:
    client = TestClient(make_app(reader.workspace), base_url="http://127.0.0.1")
    (sample,) = reader.rows(
        "SELECT doc_id, reason, text FROM drop_samples WHERE stage = 'filtered_pairs' "
        "AND length(text) > 10 ORDER BY doc_id LIMIT 1"
    )
    page = client.get("/doc", params={"id": sample["doc_id"]}).text
    assert "removed:" in page and f">{sample['reason']}</a>" in page
    assert str(escape(sample["text"]))[:40] in page
    (twin,) = reader.rows("FROM pair_duplicates ORDER BY doc_id LIMIT 1")
    page = client.get("/doc", params={"id": twin["doc_id"]}).text
    assert f"removed: {twin['method']} of" in page and twin["kept_doc_id"] in page
    assert "before anything was measured" in page
    assert 'href="/doc?id=' in client.get("/media").text
