"""Assets, partitions and checks lead to the studio where its address is known."""

import base64
import xml.etree.ElementTree as ET

import dagster as dg
import pytest

from llm_data_assets.config.workspace import Workspace
from llm_data_assets.definitions import build_definitions
from llm_data_assets.defs.studio_links import STUDIO_URL, check_link, river, studio_link


def test_links_follow_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STUDIO_URL, "http://localhost:8765/")
    assert studio_link("filtered_corpus", "web en") == {
        "studio": dg.MetadataValue.url("http://localhost:8765/filters?source=web+en")
    }
    assert studio_link("raw_corpus")["studio"].value == "http://localhost:8765/"
    assert studio_link("filtered_pairs")["studio"].value == "http://localhost:8765/media"
    assert check_link("drops")["studio"].value == "http://localhost:8765/checks?asset=drops"


def test_no_address_no_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(STUDIO_URL, raising=False)
    assert studio_link("raw_corpus", "wiki") == {} == check_link("raw_corpus")


def test_every_asset_has_its_link(
    small_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(STUDIO_URL, "http://localhost:8765")
    graph = build_definitions(small_workspace).resolve_asset_graph()
    without = [
        key.to_user_string()
        for key in graph.get_all_asset_keys()
        if "studio" not in graph.get(key).metadata
    ]
    assert without == []


def test_the_river_names_each_loss_and_escapes_it() -> None:
    drops = {f"reason{i}": 10 - i for i in range(6)} | {"<near>": 40}
    picture = str(river(200, drops).value)
    svg = base64.b64decode(picture.partition("base64,")[2].rstrip(")")).decode()
    root = ET.fromstring(svg)
    assert (root.get("width"), root.get("height")) == ("560", "150")
    texts = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == [
        "200 documents",
        "115 stay",
        "40 <near>",
        "10 reason0",
        "9 reason1",
        "8 reason2",
        "7 reason3",
        "11 other reasons",
    ]
