"""Plans as SVG: pure functions from numbers to text, for asset metadata and report pages."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from llm_data_assets.mixing.plan import R_STAR_D
from llm_data_assets.planning.laws import Surface

WIDTH, HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 640, 360, 70, 34, 24, 44
_COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#777777", "#000000")

Point = tuple[float, float]


def chart(
    title: str,
    lines: Mapping[str, Sequence[Point]],
    dots: Mapping[str, Point],
    *,
    x: str,
    y: str,
    log_x: bool = True,
    log_y: bool = True,
) -> str:
    """Named lines and dots over two axes, as an SVG of 640 by 360.

    Raises:
        ValueError: there is nothing to draw.
    """
    points = [point for each in lines.values() for point in each] + list(dots.values())
    if not points:
        raise ValueError(f"{title}: there is nothing to draw")
    across = _Axis([point[0] for point in points], log_x, _LEFT, WIDTH - _RIGHT)
    up = _Axis([point[1] for point in points], log_y, HEIGHT - _BOTTOM, _TOP)
    names = list(dict.fromkeys([*lines, *dots]))
    colours = {name: _COLOURS[number % len(_COLOURS)] for number, name in enumerate(names)}
    parts = [_frame(title, x, y)]
    for value, at in across.ticks:
        parts.append(_text(at, HEIGHT - _BOTTOM + 16, f"{value:.3g}", "middle"))
    for value, at in up.ticks:
        parts.append(_text(_LEFT - 6, at + 4, f"{value:.3g}", "end"))
    for name, each in lines.items():
        path = " ".join(f"{across(a):.1f},{up(b):.1f}" for a, b in each)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colours[name]}" '
            f'stroke-width="2"><title>{escape(name)}</title></polyline>'
        )
    for name, (a, b) in dots.items():
        parts.append(
            f'<circle cx="{across(a):.1f}" cy="{up(b):.1f}" r="5" fill="{colours[name]}">'
            f"<title>{escape(name)}: {a:.4g}, {b:.4g}</title></circle>"
        )
    for number, name in enumerate(names):
        text = _text(WIDTH - _RIGHT - 4, _TOP + 14 + 14 * number, name, "end")
        parts.append(text.replace("<text", f'<text fill="{colours[name]}"', 1))
    return "".join([*parts, "</svg>"])


def bars(title: str, rows: Sequence[tuple[str, float, float]]) -> str:
    """Tokens wanted (outline) against tokens there (filled), a bar a source, from zero.

    Args:
        rows: source, wanted, there.
    """
    most = max([each for row in rows for each in row[1:]], default=0) or 1
    height = _TOP + 26 * len(rows) + 12
    room = WIDTH - 220
    parts = [_open(height), _text(12, 20, title, "start")]
    for number, (source, wanted, there) in enumerate(rows):
        top = _TOP + 26 * number
        parts += [
            f"<g><title>{escape(source)}: wanted {wanted:.4g}, there {there:.4g}</title>",
            _text(132, top + 14, source, "end"),
            f'<rect x="140" y="{top}" width="{room * there / most:.1f}" height="18" '
            f'fill="{_COLOURS[0]}"/>',
            f'<rect x="140" y="{top}" width="{room * wanted / most:.1f}" height="18" fill="none" '
            f'stroke="{_COLOURS[1]}" stroke-width="2"/></g>',
        ]
    return "".join([*parts, "</svg>"])


def budget_dots(rows: Sequence[Mapping[str, Any]]) -> str:
    """Parameters and tokens of the budget under each law: rows of budget_plan."""
    dots = {row["law"]: (row["params"], row["tokens"]) for row in rows}
    return chart("The budget under each law", {}, dots, x="parameters", y="tokens")


def loss_curves(surface: Surface, budgets: Sequence[float]) -> str:
    """IsoFLOP curves of a fitted surface: loss over parameters at each compute, and its minimum."""
    front = surface.frontier()
    lines, dots = {}, {}
    for flops in budgets:
        best = front.params(flops)
        sizes = [best * 10 ** (step / 10 - 1) for step in range(21)]
        name = f"{flops:.3g} FLOP"
        lines[name] = [(size, surface.loss(size, flops / (6 * size))) for size in sizes]
        dots[name] = (best, surface.loss(best, flops / (6 * best)))
    return chart("IsoFLOP curves", lines, dots, x="parameters", y="loss", log_y=False)


def epoch_values(rows: Sequence[Mapping[str, Any]]) -> str:
    """What one more pass is worth after n of them (Muennighoff 2023), and where each source is.

    Args:
        rows: of data_gap.
    """
    most = max([40.0, *(min(row["epochs"], 60.0) for row in rows)])
    curve = [
        (n, math.exp(-(n - 1) / R_STAR_D)) for n in (1 + step * most / 60 for step in range(60))
    ]
    dots = {
        row["source"]: (max(1.0, min(row["epochs"], most)), row["next_epoch_value"]) for row in rows
    }
    return chart(
        "Worth of one more pass", {"of fresh text": curve}, dots,
        x="passes so far", y="worth", log_x=False, log_y=False,
    )  # fmt: skip


def wanted_and_there(rows: Sequence[Mapping[str, Any]]) -> str:
    """Tokens wanted of each source against tokens there: rows of data_gap."""
    return bars(
        "Tokens wanted (outline) and there (filled)",
        [(row["source"], row["wanted"], float(row["there"])) for row in rows],
    )


class _Axis:
    """Values to pixels, with ticks."""

    def __init__(self, values: Sequence[float], log: bool, start: float, stop: float) -> None:
        self.log = log
        scaled = [math.log10(each) if log else each for each in values]
        low, high = min(scaled), max(scaled)
        pad = (high - low) * 0.05 or 0.5
        self.low, self.high, self.start, self.stop = low - pad, high + pad, start, stop
        steps = [self.low + (self.high - self.low) * step / 4 for step in range(5)]
        self.ticks = [(10**each if log else each, self._place(each)) for each in steps]

    def __call__(self, value: float) -> float:
        return self._place(math.log10(value) if self.log else value)

    def _place(self, scaled: float) -> float:
        part = (scaled - self.low) / (self.high - self.low)
        return self.start + part * (self.stop - self.start)


def _open(height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="11" role="img">'
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>'
    )


def _frame(title: str, x: str, y: str) -> str:
    return (
        _open(HEIGHT)
        + _text(12, 20, title, "start")
        + _text(WIDTH / 2, HEIGHT - 8, x, "middle")
        + _text(12, HEIGHT - 8, f"up: {y}", "start")
        + f'<path d="M{_LEFT} {_TOP}V{HEIGHT - _BOTTOM}H{WIDTH - _RIGHT}" fill="none" '
        'stroke="#999"/>'
    )


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
