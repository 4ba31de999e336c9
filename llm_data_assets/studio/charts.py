"""Small charts as SVG: written on the server, read by tests as text, no script."""

from collections.abc import Sequence
from html import escape

from llm_data_assets.studio.shown import cell, compact

WIDTH, HEIGHT = 560, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 12, 34


def curve(
    points: Sequence[tuple[float, float]],
    *,
    across: str,
    bars: Sequence[tuple[float, float]] = (),
    bar_width: float = 0.0,
    bound: float | None = None,
    second: Sequence[tuple[float, float]] = (),
    dots: Sequence[tuple[float, float, str]] = (),
) -> str:
    """A line over its x range, with bars behind it, a dashed bound and named dots.

    Args:
        points: (x, y) in order of x; y starts at 0.
        across: what x is.
        bars: (left edge, height), scaled to the highest on their own.
        bar_width: in units of x.
        bound: an x that is marked.
        second: another line on the same scales.
        dots: (x, y, name).
    """
    low, high = points[0][0], points[-1][0]
    top = max((y for _, y in (*points, *second, *((x, y) for x, y, _ in dots))), default=1) or 1
    parts = [_frame(low, high, top, across)]
    most = max((height for _, height in bars), default=1)
    for left, height in bars:
        x, tall = _x(left, low, high), (HEIGHT - _TOP - _BOTTOM) * height / most
        wide = max(_x(min(left + bar_width, high), low, high) - x - 1, 2)
        parts.append(
            f'<rect class="kept" opacity=".45" x="{x:.1f}" y="{HEIGHT - _BOTTOM - tall:.1f}" '
            f'width="{wide:.1f}" height="{tall:.1f}">'
            f"<title>{cell(left)}: {cell(height)}</title></rect>"
        )
    for line, name in ((points, "line"), (second, "second")):
        if line:
            places = " ".join(f"{_x(x, low, high):.1f},{_y(y, top):.1f}" for x, y in line)
            parts.append(f'<polyline class="{name}" points="{places}"/>')
    if bound is not None:
        x = _x(bound, low, high)
        parts.append(f'<path class="bound" d="M{x:.1f} {_TOP}V{HEIGHT - _BOTTOM}"/>')
    for x, y, name in dots:
        px, py = _x(x, low, high), _y(y, top)
        side = "end" if px > WIDTH * 0.75 else "start"
        below = py + 22 if py + 22 < HEIGHT - _BOTTOM else py - 9  # lines that rise are above it
        parts.append(
            f'<circle class="out" cx="{px:.1f}" cy="{py:.1f}" r="5"/><text x="{px:.1f}" '
            f'y="{below:.1f}" text-anchor="{side}" dx="8">{escape(name)}</text>'
        )
    return _svg(across, parts)


def histogram(
    bins: Sequence[tuple[float, float, int, int]],
    *,
    across: str,
    chosen: tuple[float, float] | None = None,
    bounds: Sequence[float] = (),
    links: Sequence[str] = (),
    brush: str = "",
) -> str:
    """Counts by bin, those of a selection in front.

    Args:
        bins: (low, high, all, selected) in order.
        across: what is counted by.
        chosen: the range that is selected here.
        bounds: marked values.
        links: an address for each bin.
        brush: the name of the range that dragging over the picture chooses.
    """
    low, high = bins[0][0], bins[-1][1]
    most = max((count for _, _, count, _ in bins), default=1) or 1
    parts = [_frame(low, high, most, across)]
    for index, (start, end, count, selected) in enumerate(bins):
        x = _x(start, low, high)
        wide = max(_x(end, low, high) - x - 1, 1)
        drawn = "".join(
            f'<rect class="{name}" x="{x:.1f}" y="{_y(value, most):.1f}" width="{wide:.1f}" '
            f'height="{HEIGHT - _BOTTOM - _y(value, most):.1f}"/>'
            for name, value in (("track", count), ("kept", selected))
        )
        said = f"{cell(start)} to {cell(end)}: {selected:,} of {count:,}"
        target = (
            f'<title>{said}</title><rect class="target" x="{x:.1f}" y="{_TOP}" '
            f'width="{wide:.1f}" height="{HEIGHT - _TOP - _BOTTOM}"/>'
        )
        body = drawn + target
        parts.append(
            f'<a href="{escape(links[index])}" aria-label="{said}">{body}</a>' if links else body
        )
    for value in (*bounds, *(chosen or ())):
        if low <= value <= high:
            x = _x(value, low, high)
            parts.append(f'<path class="bound" d="M{x:.1f} {_TOP}V{HEIGHT - _BOTTOM}"/>')
    place = (
        f'data-brush="{escape(brush)}" data-low="{low!r}" data-high="{high!r}" '
        f'data-left="{_LEFT}" data-right="{WIDTH - _RIGHT}"'
    )
    return _svg(across, parts, place if brush else "")


def scatter(dots: Sequence[tuple[float, float, bool, str, str]], *, across: str, up: str) -> str:
    """Dots that are filled if picked, hollow if not, picked ones in front.

    Args:
        dots: (x, y, picked, name, address); an empty address makes no link.
        across: what x is.
        up: what y is.
    """
    low, high = min(dot[0] for dot in dots), max(dot[0] for dot in dots)
    floor, top = min(0.0, *(dot[1] for dot in dots)), max(dot[1] for dot in dots)
    parts = [_frame(low, high, top - floor or 1, f"{across}; up: {up}", floor)]
    for x, y, picked, name, href in sorted(dots, key=lambda dot: dot[2]):
        drawn = (
            f'<circle class="{"kept" if picked else "hollow"}" cx="{_x(x, low, high):.1f}" '
            f'cy="{_y(y - floor, top - floor or 1):.1f}" r="3.5"/>'
        )
        # By keyboard the same documents are reached through the tables.
        parts.append(
            f'<a href="{escape(href)}" tabindex="-1"><title>{escape(name)}</title>{drawn}</a>'
            if href
            else drawn
        )
    return _svg(f"{up} by {across}", parts)


def _x(value: float, low: float, high: float) -> float:
    return _LEFT + (WIDTH - _LEFT - _RIGHT) * (value - low) / ((high - low) or 1)


def _y(value: float, top: float) -> float:
    return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * value / top


def _frame(low: float, high: float, top: float, across: str, floor: float = 0.0) -> str:
    base = HEIGHT - _BOTTOM
    lines = "".join(
        f'<path class="grid" d="M{_LEFT} {_y(top * share, top):.1f}H{WIDTH - _RIGHT}"/>'
        f'<text class="axis" x="{_LEFT - 6}" y="{_y(top * share, top) + 4:.1f}" '
        f'text-anchor="end">{_tick(floor + top * share)}</text>'
        for share in (0, 0.5, 1)
    )
    ticks = "".join(
        f'<text class="axis" x="{_x(low + (high - low) * share, low, high):.1f}" y="{base + 16}" '
        f'text-anchor="{side}">{_tick(low + (high - low) * share)}</text>'
        for share, side in ((0, "start"), (0.5, "middle"), (1, "end"))
    )
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    return (
        f'{lines}{ticks}<text class="axis" x="{middle}" y="{base + 31}" '
        f'text-anchor="middle">{escape(across)}</text>'
    )


def _tick(value: float) -> str:
    return compact(value) if abs(value) >= 100 else f"{value:.3g}"


def _svg(said: str, parts: list[str], more: str = "") -> str:
    return (
        f'<svg class="chart" {more} viewBox="0 0 {WIDTH} {HEIGHT}" role="group" '
        f'aria-label="{escape(said)}">{"".join(parts)}</svg>'
    )
