"""What a person does in the studio, in a real browser."""

import re
from pathlib import Path

import pytest

from llm_data_assets.config.workspace import Workspace
from llm_data_assets.studio.report import write_report
from llm_data_assets.studio.screens import SCREENS
from llm_data_assets_tests.browser.conftest import PICTURES, Tab, playwright

HEIGHTS = "bars => bars.map(bar => bar.getAttribute('height'))"


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
def test_every_screen_opens(tab: Tab, screen: object) -> None:
    page = tab.open(screen.path)  # type: ignore[attr-defined]
    assert page.locator("h1").inner_text().startswith(screen.title)  # type: ignore[attr-defined]
    assert page.locator("nav [aria-current=page]").count() == 1
    tab.keep(screen.name)  # type: ignore[attr-defined]


def test_a_ribbon_leads_to_a_text_and_to_its_passport(tab: Tab) -> None:
    page = tab.open("/")
    page.locator(".river a", has_text="exact").click()
    page.locator("#samples a.doc").first.click()
    assert "removed: exact of" in page.locator(".timeline .goes").inner_text()
    tab.keep("passport_of_a_duplicate")


def test_a_ribbon_opens_by_keyboard(tab: Tab) -> None:
    page = tab.open("/")
    page.locator(".river a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**reason=**")
    assert page.locator("#samples h2").inner_text().startswith("Removed by")


def test_a_slash_goes_to_the_search_for_a_document(tab: Tab) -> None:
    page = tab.open("/checks")
    page.keyboard.press("/")
    page.keyboard.type("no such document")
    page.keyboard.press("Enter")
    page.wait_for_url("**/doc**")
    assert "There is no document" in page.locator("main").inner_text()


def test_a_moved_slider_answers_at_once_and_stands_in_the_address(tab: Tab) -> None:
    page = tab.open("/filters")
    before = page.locator("#survivors .headline").inner_text()
    slider = page.locator("[name='gopher_short_doc.min']")
    slider.focus()
    for _ in range(120):
        page.keyboard.press("ArrowRight")
    page.wait_for_load_state("networkidle")
    # The last press is answered, not one before it.
    last = f"min: {slider.input_value()}"
    playwright.expect(page.locator("#yaml pre")).to_contain_text(last, timeout=30_000)
    assert page.locator("#survivors .headline").inner_text() != before
    assert re.search(r"\?gopher_short_doc\.min=\d+$", page.url)
    assert "gopher_short_doc" in page.locator("#yaml pre").inner_text()
    tab.keep("filters_moved")
    page.reload()
    assert page.locator("#yaml pre").count() == 1


def test_the_difference_of_two_documents_is_shown(tab: Tab) -> None:
    page = tab.open("/duplicates")
    page.locator("#groups a").first.click()
    page.locator("#group a", has_text="difference").first.click()
    assert page.locator("#difference .difference").inner_text()
    tab.keep("duplicates_difference")


def test_two_versions_are_compared(tab: Tab) -> None:
    if PICTURES:
        pytest.skip("the home of the pictures has no second version by another rule")
    page = tab.open("/compare")
    assert page.locator("#flipped tbody tr").count() > 0
    assert "fewer_" in page.locator("#flipped").inner_text()
    rule = page.locator("#rules tr", has_text="fewer_words")
    _, before, after = rule.locator("td").all_inner_texts()[:3]
    assert before != after != ""
    assert "rules.fewer_words" in page.locator("#settings").inner_text()
    assert page.locator("#retention tbody tr").count() >= 2


def test_a_card_answers_from_data_and_says_what_is_to_fill_in(tab: Tab) -> None:
    page = tab.open("/card")
    page.locator("summary", has_text="How many instances").click()
    assert "tokens counted once" in page.locator("#datasheet details[open] pre").inner_text()
    assert page.locator("#datasheet .note", has_text="To fill in").count() > 0


def test_a_bar_narrows_the_documents(tab: Tab) -> None:
    page = tab.open("/explore")
    page.locator("#rps_doc_word_count .chart a").first.click()
    page.wait_for_url("**rps_doc_word_count=**")
    chosen, everything = re.findall(r"[\d,]+", page.locator(".headline").inner_text())
    assert int(chosen.replace(",", "")) < int(everything.replace(",", ""))


def test_dragging_over_a_histogram_narrows_all_others(tab: Tab) -> None:
    page = tab.open("/explore")
    before = page.locator("#alphanumeric_fraction svg rect.kept").evaluate_all(HEIGHTS)
    all_of_them = page.locator(".headline").inner_text()
    box = page.locator("#rps_doc_word_count svg").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] / 2, steps=5)
    page.locator("svg .brush").wait_for()
    playwright.expect(page.locator("#explored .headline")).not_to_have_text(all_of_them)
    tab.keep("explore_brushed")
    page.mouse.up()
    page.wait_for_url("**rps_doc_word_count=**")
    chosen, everything = re.findall(r"[\d,]+", page.locator(".headline").inner_text())
    assert chosen != everything
    after = page.locator("#alphanumeric_fraction svg rect.kept").evaluate_all(HEIGHTS)
    assert after != before
    page.locator("#rps_doc_word_count a", has_text="clear").click()
    page.wait_for_load_state()
    assert page.locator("#alphanumeric_fraction svg rect.kept").evaluate_all(HEIGHTS) == before


def test_the_box_answers_and_refuses(tab: Tab) -> None:
    page = tab.open("/sql")
    page.locator("textarea").fill("SELECT 40 + 2 AS answer")
    page.locator("textarea").press("Control+Enter")
    assert page.locator("#answer td").inner_text() == "42"
    page.locator("textarea").fill("DROP TABLE raw_corpus")
    page.get_by_role("button", name="Run").click()
    assert "exactly one SELECT" in page.locator("#answer [role=alert]").inner_text()


def test_the_sql_of_a_panel_is_shown_and_its_rows_download(tab: Tab) -> None:
    page = tab.open("/")
    page.locator("#sources summary").click()
    assert "FROM funnel" in page.locator("#sources pre").inner_text()
    with page.expect_download() as download:
        page.locator("#sources a", has_text="CSV").click()
    assert Path(download.value.path()).read_text().startswith("source,raw,deduped")


def test_a_hostile_text_stays_text(tab: Tab) -> None:
    page = tab.open("/doc?id=first/hostile")
    if page.locator("pre.full").count() == 0:
        pytest.skip("the home of the pictures has no hostile document")
    assert "<script>alert(1)</script>" in page.locator("pre.full").inner_text()


def test_it_reads_in_the_dark(tab: Tab) -> None:
    tab.page.emulate_media(color_scheme="dark")
    page = tab.open("/")
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(map(int, re.findall(r"\d+", colour))) < 60
    tab.keep("flow_dark")


def test_the_report_opens_from_a_file(tab: Tab, shown: Workspace, tmp_path: Path) -> None:
    file = write_report(shown, tmp_path / "report.html")
    tab.page.goto(file.as_uri())
    assert tab.page.locator(".part").count() == sum(screen.in_report for screen in SCREENS)
    assert tab.page.locator(".river").count() == 1
