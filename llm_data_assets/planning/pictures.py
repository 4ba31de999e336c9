"""Plans as SVG: pure functions from numbers to text, for asset metadata and report pages."""

import math
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from llm_data_assets.mixing.plan import R_STAR_D
from llm_data_assets.planning.laws import Frontier, Surface
from llm_data_assets.planning.quantities import readable

WIDTH, HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 640, 360, 70, 34, 150, 44
_COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#777777", "#ee8866")

Point = tuple[float, float]


def chart(
    title: str,
    lines: Mapping[str, Sequence[Point]],
    dots: Mapping[str, Point],
    *,
    x: str,
    y: str,
    cloud: Sequence[Point] = (),
    log_x: bool = True,
    log_y: bool = True,
) -> str:
    """Named lines and dots over two axes, as an SVG of 640 by 360; the legend on the right.

    Args:
        cloud: small dots without a name, as of runs.

    Raises:
        ValueError: there is nothing to draw.
    """
    points = [point for each in (*lines.values(), dots.values(), cloud) for point in each]
    if not points:
        raise ValueError(f"{title}: there is nothing to draw")
    across = _Axis([point[0] for point in points], log_x, _LEFT, WIDTH - _RIGHT)
    up = _Axis([point[1] for point in points], log_y, HEIGHT - _BOTTOM, _TOP)
    names = list(dict.fromkeys([*lines, *dots]))
    colours = {name: _COLOURS[number % len(_COLOURS)] for number, name in enumerate(names)}
    parts = [_frame(title, x, y)]
    for text, at in across.ticks:
        parts.append(_text(at, HEIGHT - _BOTTOM + 16, text, "middle"))
    for text, at in up.ticks:
        parts.append(_text(_LEFT - 6, at + 4, text, "end"))
    parts += [
        f'<circle cx="{across(a):.1f}" cy="{up(b):.1f}" r="2" fill="#888"/>' for a, b in cloud
    ]
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
        left, top = WIDTH - _RIGHT + 10, _TOP + 10 + 15 * number
        parts.append(
            f'<rect x="{left}" y="{top - 9}" width="10" height="10" fill="{colours[name]}"/>'
        )
        parts.append(_text(left + 15, top, name, "start"))
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


def loss_surface(
    title: str,
    loss: Callable[[float, float], float],
    frontier: Frontier,
    flops: float,
    dots: Mapping[str, Point],
    runs: Sequence[Point] = (),
) -> str:
    """Lines of equal loss over parameters and tokens, a factor of 30 of a budget's best each way.

    Works for any law whose loss falls with tokens: each line is found by bisection.

    Args:
        loss: of (parameters, tokens), in nats a token.
        frontier: drawn as the line of best use.
        flops: the budget in the middle of the picture.
        dots: (parameters, tokens) by name.
        runs: (parameters, tokens) of runs behind the law.
    """
    middle = frontier.params(flops), frontier.tokens(flops)
    reach = 30.0
    sizes = [middle[0] * reach ** (step / 20 - 1) for step in range(41)]
    low, high = middle[1] / reach, middle[1] * reach
    ends = loss(sizes[-1], high), loss(sizes[0], low)
    lines: dict[str, list[Point]] = {}
    for step in range(1, 7):
        level = ends[0] + (ends[1] - ends[0]) * (step / 7) ** 2
        lines[f"loss {level:.3g}"] = [
            (size, tokens)
            for size in sizes
            if (tokens := _tokens_at(loss, size, level, low, high)) is not None
        ]
    budgets = [flops * 10 ** (step / 5 - 2) for step in range(21)]
    best = [(frontier.params(each), frontier.tokens(each)) for each in budgets]
    lines["best use of compute"] = [
        point for point in best if sizes[0] <= point[0] <= sizes[-1] and low <= point[1] <= high
    ]
    inside = [
        point for point in runs if sizes[0] <= point[0] <= sizes[-1] and low <= point[1] <= high
    ]
    lines = {name: points for name, points in lines.items() if len(points) > 1}
    return chart(title, lines, dots, x="parameters", y="tokens", cloud=inside)


def _tokens_at(
    loss: Callable[[float, float], float], params: float, level: float, low: float, high: float
) -> float | None:
    """Tokens at which a model of this size reaches the loss; None outside `low` to `high`."""
    if not loss(params, high) <= level <= loss(params, low):
        return None
    for _ in range(40):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if loss(params, middle) > level else (low, middle)
    return high


def fit_pictures(surface: Surface, runs: Sequence[Mapping[str, float]]) -> dict[str, str]:
    """What shows whether a fit is to be believed: the surface, losses beside it, residuals.

    Args:
        runs: flops, params, tokens, loss and value (the log residual) of each.
    """
    computes = sorted(run["flops"] for run in runs)
    points = [(run["params"], run["tokens"]) for run in runs]
    return {
        "loss_surface": loss_surface(
            "Lines of equal loss, and the runs", surface.loss, surface.frontier(),
            computes[len(computes) // 2], {}, points,
        ),
        "isoflop": runs_and_curves(surface, runs),
        "residual_plot": residual_cloud(
            [run["flops"] for run in runs], [run["value"] for run in runs], "FLOP"
        ),
    }  # fmt: skip


def runs_and_curves(surface: Surface, runs: Sequence[Mapping[str, float]]) -> str:
    """Losses of runs over parameters, and the fitted curve at five budgets among them.

    Args:
        runs: flops, params and loss of each.
    """
    computes = sorted(run["flops"] for run in runs)
    lines = {}
    for share in (0.05, 0.25, 0.5, 0.75, 0.95):
        flops = computes[int(share * (len(computes) - 1))]
        near = [run["params"] for run in runs if 0.5 < run["flops"] / flops < 2]
        sizes = [min(near) * (max(near) / min(near)) ** (step / 30) for step in range(31)]
        lines[f"{flops:.2g} FLOP"] = [(n, surface.loss(n, flops / (6 * n))) for n in sizes]
    cloud = [(run["params"], run["loss"]) for run in runs]
    return chart(
        "Runs, and the fitted loss at five budgets", lines, {},
        x="parameters", y="loss, nats a token", cloud=cloud, log_y=False,
    )  # fmt: skip


def residual_cloud(across: Sequence[float], residuals: Sequence[float], x: str) -> str:
    """Log residuals over what may explain them: a pattern says that the law misses something."""
    ends = [(min(across), 0.0), (max(across), 0.0)]
    return chart(
        "Fitted over measured loss, as a log residual", {"a perfect fit": ends}, {},
        x=x, y="log residual", cloud=list(zip(across, residuals, strict=True)), log_y=False,
    )  # fmt: skip


def budget_dots(rows: Sequence[Mapping[str, Any]]) -> str:
    """Parameters and tokens of the budget under each law: rows of budget_plan."""
    dots = {row["law"]: (row["params"], row["tokens"]) for row in rows}
    return chart("The budget under each law", {}, dots, x="parameters", y="tokens")


def loss_curves(
    loss: Callable[[float, float], float], frontier: Frontier, budgets: Sequence[float]
) -> str:
    """IsoFLOP curves of a law: loss over parameters at each compute, and its best size."""
    lines, dots = {}, {}
    for flops in budgets:
        best = frontier.params(flops)
        sizes = [best * 10 ** (step / 10 - 1) for step in range(21)]
        name = f"{flops:.3g} FLOP"
        lines[name] = [(size, loss(size, flops / (6 * size))) for size in sizes]
        dots[name] = (best, loss(best, flops / (6 * best)))
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
    """Values to pixels, with ticks at round values."""

    def __init__(self, values: Sequence[float], log: bool, start: float, stop: float) -> None:
        self.log = log
        scaled = [math.log10(each) if log else each for each in values]
        low, high = min(scaled), max(scaled)
        pad = (high - low) * 0.05 or 0.5
        self.low, self.high, self.start, self.stop = low - pad, high + pad, start, stop
        self.ticks = [(_short(each), self(each)) for each in self._round_values()]

    def __call__(self, value: float) -> float:
        scaled = math.log10(value) if self.log else value
        part = (scaled - self.low) / (self.high - self.low)
        return self.start + part * (self.stop - self.start)

    def _round_values(self) -> list[float]:
        span = self.high - self.low
        if self.log:
            every = max(1, math.ceil(span / 6))
            steps = (1, 2, 5) if span < 2 else (1,)
            found = [
                float(step * 10.0**power)
                for power in range(math.floor(self.low), math.ceil(self.high) + 1)
                if power % every == 0
                for step in steps
            ]
            return [each for each in found if self.low <= math.log10(each) <= self.high]
        size = 10.0 ** math.floor(math.log10(span / 4))
        size *= next(each for each in (1, 2, 5, 10) if span / (size * each) <= 8)
        first = math.ceil(self.low / size)
        return [step * size for step in range(first, math.floor(self.high / size) + 1)]


def _short(value: float) -> str:
    return readable(value) if 1e3 <= abs(value) < 1e15 else f"{value:.3g}"


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
