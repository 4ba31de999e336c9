"""Pictures of plans are well-formed SVG with an explicit size and every name in them."""

from itertools import pairwise
from xml.etree import ElementTree

import pytest

from llm_data_assets.planning.laws import EPOCH, LAWS
from llm_data_assets.planning.pictures import (
    bars,
    budget_dots,
    chart,
    epoch_values,
    fit_pictures,
    loss_curves,
    loss_surface,
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
    picture = ElementTree.fromstring(loss_curves(EPOCH.loss, EPOCH.frontier(), [1e21, 1e22]))
    for curve, dot in zip(
        picture.iter(f"{SVG}polyline"), picture.iter(f"{SVG}circle"), strict=True
    ):
        heights = [float(pair.split(",")[1]) for pair in curve.get("points", "").split()]
        assert max(heights) <= float(dot.get("cy", 0)) + 0.11


@pytest.mark.parametrize("name", ["kaplan", "chinchilla_3", "data_constrained"])
def test_lines_of_less_loss_ask_for_more_tokens(name: str) -> None:
    law = LAWS[name]
    picture = ElementTree.fromstring(
        loss_surface("surface", law.loss, law.frontier, 1e22, {"here": (1e9, 1e12)})
    )
    lines = {
        line[0].text: [
            tuple(map(float, pair.split(","))) for pair in line.get("points", "").split()
        ]
        for line in picture.iter(f"{SVG}polyline")
    }
    assert lines.pop("best use of compute")
    middle = []
    for points in lines.values():
        heights = [y for _, y in points]
        assert heights == sorted(heights)  # a larger model needs fewer tokens: lower on the page
        middle.append(dict(points))
    for better, worse in pairwise(middle):
        assert all(better[x] < worse[x] for x in better.keys() & worse.keys())


def test_a_fit_is_drawn_with_its_runs() -> None:
    runs = [
        {"flops": 6 * n * d, "params": n, "tokens": d, "loss": EPOCH.loss(n, d), "value": 0.0}
        for n in (1e8, 3e8, 1e9)
        for d in (2e9, 6e9, 2e10)
    ]
    pictures = fit_pictures(EPOCH, runs)
    assert list(pictures) == ["loss_surface", "isoflop", "residual_plot"]
    clouds = {
        name: sum(1 for _ in ElementTree.fromstring(svg).iter(f"{SVG}circle"))
        for name, svg in pictures.items()
    }
    assert clouds == {"loss_surface": 9, "isoflop": 9, "residual_plot": 9}


@pytest.mark.parametrize(
    ("ends", "log", "ticks"),
    [
        ((1e8, 1e11), True, ["100M", "1B", "10B", "100B"]),
        ((1e9, 3e9), True, ["1B", "2B"]),
        ((2.1, 3.4), False, ["2.2", "2.4", "2.6", "2.8", "3", "3.2", "3.4"]),
        ((-0.05, 0.02), False, ["-0.05", "-0.04", "-0.03", "-0.02", "-0.01", "0", "0.01", "0.02"]),
    ],
)
def test_ticks_are_round(ends: tuple[float, float], log: bool, ticks: list[str]) -> None:
    line = [(ends[0], 1.0), (ends[1], 1.0)]
    drawn = chart("title", {"name": line}, {}, x="x", y="y", log_x=log, log_y=False)
    texts = [text.text for text in ElementTree.fromstring(drawn).iter(f"{SVG}text")]
    assert texts[3 : 3 + len(ticks)] == ticks


def test_a_pass_is_worth_less_than_the_one_before() -> None:
    (curve,) = ElementTree.fromstring(epoch_values(GAPS)).iter(f"{SVG}polyline")
    heights = [float(pair.split(",")[1]) for pair in curve.get("points", "").split()]
    assert heights == sorted(heights)


def test_nothing_to_draw_is_said() -> None:
    assert ElementTree.fromstring(bars("none", [])).get("height") == "46"
    with pytest.raises(ValueError, match="nothing to draw"):
        chart("empty", {}, {}, x="a", y="b")
