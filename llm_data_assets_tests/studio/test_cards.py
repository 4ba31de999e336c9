"""Cards of a recipe: what they say is what the tables hold, in the forms their readers open."""

import csv
import json
import logging
import re
import uuid
from datetime import datetime
from pathlib import Path

import dagster as dg
import pytest

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.defs.report import card_assets
from llm_data_assets.studio.cards.datasheet import TO_FILL_IN, datasheet
from llm_data_assets.studio.cards.facts import facts_of
from llm_data_assets.studio.cards.licenses import spdx_document
from llm_data_assets.studio.cards.write import write_cards
from llm_data_assets.studio.reader import Reader
from llm_data_assets_tests.studio.conftest import MAIL


@pytest.fixture(scope="module")
def recipe(home: Workspace) -> str:
    return home.recipes[0]


@pytest.fixture(scope="module")
def cards(home: Workspace, recipe: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cards")
    write_cards(home, recipe, folder)
    return folder


# rdflib, under mlcroissant, warns of a class of its own.
@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
def test_croissant_validates_and_its_records_are_the_contents(
    cards: Path, reader: Reader, recipe: str, caplog: pytest.LogCaptureFixture
) -> None:
    mlcroissant = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed")
    with caplog.at_level(logging.WARNING):
        data = mlcroissant.Dataset(str(cards / "croissant.json"))  # raises what is invalid
    assert data.metadata.issues.report() == "" and caplog.messages == []
    records = [
        {name.partition("/")[2]: v.decode() if isinstance(v, bytes) else int(v)
         for name, v in record.items()}
        for record in data.records("contents")
    ]  # fmt: skip
    assert records == facts_of(reader, recipe).contents


def test_contents_agree_with_what_the_recipe_reaches(reader: Reader, recipe: str) -> None:
    facts = facts_of(reader, recipe)
    reached = reader.rows("SELECT sum(docs)::BIGINT AS docs, sum(tokens)::BIGINT AS tokens "
                          f"FROM recipe_reach WHERE recipe = '{recipe}'")  # fmt: skip
    assert [{"docs": facts.total("docs"), "tokens": facts.total("tokens")}] == reached
    assert sum(row["docs"] for row in facts.by("license")) == facts.total("docs")


def test_every_document_that_asks_is_named_once(cards: Path, reader: Reader, recipe: str) -> None:
    with (cards / "attribution.csv").open(encoding="utf-8", newline="") as file:
        named = list(csv.DictReader(file))
    asking = [row for row in facts_of(reader, recipe).contents if row["license"] != "CC0-1.0"]
    assert len({row["doc_id"] for row in named}) == len(named) == sum(r["docs"] for r in asking)


def test_spdx_knows_its_licences_or_carries_their_words(reader: Reader, recipe: str) -> None:
    facts = facts_of(reader, recipe)
    row = {**facts.contents[0], "license": "Terms of the harbour"}
    told = spdx_document(type(facts)(**{**vars(facts), "contents": [row]}))
    (package,) = told["packages"]
    assert package["licenseConcluded"] == "LicenseRef-Terms-of-the-harbour"
    assert told["hasExtractedLicensingInfos"] == [
        {"licenseId": "LicenseRef-Terms-of-the-harbour", "extractedText": "Terms of the harbour"}
    ]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", told["creationInfo"]["created"])


def test_lineage_leads_from_the_export_back_to_every_source(
    cards: Path, reader: Reader, recipe: str
) -> None:
    lines = (cards / "lineage.jsonl").read_text("utf-8").splitlines()
    runs = {run["outputs"][0]["name"]: run for run in map(json.loads, lines)}
    assert len(runs) == len(lines)
    for run in runs.values():
        uuid.UUID(run["run"]["runId"])
        assert datetime.fromisoformat(run["eventTime"]).tzinfo is not None
    seen, ahead = set(), [f"training_export/{recipe}"]
    while ahead:
        name = ahead.pop()
        if name not in seen:
            seen.add(name)
            ahead += [each["name"] for each in runs[name]["inputs"]]
    sources = facts_of(reader, recipe).sources
    assert {name for name in seen if name.startswith("raw_corpus/")} == {
        f"raw_corpus/{source}" for source in sources
    }


def test_the_datasheet_answers_from_data_and_marks_the_rest(reader: Reader, recipe: str) -> None:
    facts = facts_of(reader, recipe)
    answers = {q: a for _, asked in datasheet(facts) for q, a in asked}
    assert f"{facts.total('docs'):,} documents" in answers["How many instances are there?"]
    assert "gopher" in answers["Is it a sample of something larger?"]
    assert answers["Who paid for it?"] == TO_FILL_IN
    assert all(answers.values())


def test_the_cards_mask_personal_data_and_are_the_same_twice(
    home: Workspace, recipe: str, cards: Path, tmp_path: Path
) -> None:
    again = write_cards(home, recipe, tmp_path)
    assert sorted(file.name for file in again) == sorted(file.name for file in cards.iterdir())
    for file in again:
        assert file.read_bytes() == (cards / file.name).read_bytes()
        assert MAIL not in file.read_text("utf-8")


def test_an_unknown_recipe_is_told_the_known_ones(home: Workspace, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"no such recipe. Try: one of {home.recipes[0]}"):
        write_cards(home, "other", tmp_path)


def test_the_assets_write_into_the_home(home: Workspace, recipe: str) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(card_assets(home), instance=instance, partition_key=recipe)
    assert result.success
    made = {file.name for file in (home.home / "cards" / recipe).iterdir()}
    assert made == {"DATASHEET.md", "croissant.json", "contents.csv", "attribution.csv",
                    "ATTRIBUTION.md", "licenses.spdx.json", "lineage.jsonl"}  # fmt: skip
