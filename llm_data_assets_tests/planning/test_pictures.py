"""Pictures of plans are well-formed SVG with an explicit size and every name in them."""

from xml.etree import ElementTree

import pytest

from llm_data_assets.planning.laws import EPOCH
from llm_data_assets.planning.pictures import (
    bars,
    budget_dots,
    chart,
    epoch_values,
    loss_curves,
    wanted_and_there,
)

SVG = "{http://www.w3.org/2000/svg}"
GAPS = [
    {"source": "web", "wanted": 800.0, "there": 100, "epochs": 8.0, "next_epoch_value": 0.63},
    {"source": "code <&>", "wanted": 200.0, "there": 400, "epochs": 0.5, "next_epoch_value": 1.0},
]


def test_a_bar_is_as_long_as_its_tokens() -> None:
    picture = ElementTree.fromstring(wanted_and_there(GAPS))
    assert (picture.get("width"), picture.get("height")) == ("640", "98")
    widths = [float(rect.get("width", 0)) for rect in picture.iter(f"{SVG}rect")][1:]
    assert widths == [52.5, 420.0, 210.0, 105.0]
    assert "code <&>" in [text.text for text in picture.iter(f"{SVG}text")]


def test_every_law_has_its_dot() -> None:
    rows = [{"law": "epoch", "params": 1e9, "tokens": 2e10},
            {"law": "kaplan", "params": 1e10, "tokens": 2e9}]  # fmt: skip
    circles = list(ElementTree.fromstring(budget_dots(rows)).iter(f"{SVG}circle"))
    epoch, kaplan = [(float(c.get("cx", 0)), float(c.get("cy", 0))) for c in circles]
    assert epoch[0] < kaplan[0]
    assert epoch[1] < kaplan[1]  # more tokens stand higher


def test_the_dot_of_a_curve_is_its_lowest_point() -> None:
    picture = ElementTree.fromstring(loss_curves(EPOCH, [1e21, 1e22]))
    for curve, dot in zip(
        picture.iter(f"{SVG}polyline"), picture.iter(f"{SVG}circle"), strict=True
    ):
        heights = [float(pair.split(",")[1]) for pair in curve.get("points", "").split()]
        assert max(heights) <= float(dot.get("cy", 0)) + 0.11


def test_a_pass_is_worth_less_than_the_one_before() -> None:
    (curve,) = ElementTree.fromstring(epoch_values(GAPS)).iter(f"{SVG}polyline")
    heights = [float(pair.split(",")[1]) for pair in curve.get("points", "").split()]
    assert heights == sorted(heights)


def test_nothing_to_draw_is_said() -> None:
    assert ElementTree.fromstring(bars("none", [])).get("height") == "46"
    with pytest.raises(ValueError, match="nothing to draw"):
        chart("empty", {}, {}, x="a", y="b")
