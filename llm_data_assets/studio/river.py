"""The survival river: what stays as one band, every loss a named ribbon that leaves it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 1160
_TOP, _TALLEST, _NODE, _ROW = 62, 210, 10, 22
_NAMED = 8  # losses of a stage with a ribbon of their own; the rest share one


@dataclass(frozen=True)
class Step:
    """One stage: how much stays, and (reason, how much) lost on the way to it."""

    name: str
    value: float
    losses: Sequence[tuple[str, float]]


def river(
    steps: Sequence[Step],
    readable: Callable[[float], str],
    link: Callable[[str, str], str],
) -> str:
    """An SVG of the steps, widths in proportion to the first.

    Args:
        steps: in the order of the flow; the first has no losses.
        readable: a quantity in words.
        link: (step, reason) -> address of the samples; an empty one makes no link.
    """
    whole = max(steps[0].value, 1)
    gap = (WIDTH - 150) / max(len(steps) - 1, 1)
    parts, bottom = [], float(_TOP + _TALLEST)
    for index, step in enumerate(steps):
        left = 4 + index * gap
        height = _TALLEST * step.value / whole
        parts.append(_node(step, left, height, readable(step.value), step.value / whole))
        if index + 1 < len(steps):
            drawn, end = _onward(steps[index + 1], left + _NODE, gap, height, whole, readable, link)
            parts += drawn
            bottom = max(bottom, end)
    said = "; ".join(f"{step.name} {readable(step.value)}" for step in steps)
    return (
        f'<svg class="river" viewBox="0 0 {WIDTH} {bottom + 12:.0f}" role="group" '
        f'aria-label="{escape(said)}">{"".join(parts)}</svg>'
    )


def _node(step: Step, left: float, height: float, value: str, share: float) -> str:
    return (
        f'<text class="stage" x="{left:.1f}" y="20">{escape(step.name)}</text>'
        f'<text class="count" x="{left:.1f}" y="42">{value} · {share:.1%}</text>'
        f'<rect class="node" x="{left:.1f}" y="{_TOP}" width="{_NODE}" rx="2" '
        f'height="{max(height, 1):.1f}"/>'
    )


def _onward(
    step: Step,
    left: float,
    gap: float,
    height: float,
    whole: float,
    readable: Callable[[float], str],
    link: Callable[[str, str], str],
) -> tuple[list[str], float]:
    kept = _TALLEST * step.value / whole
    parts = [
        f'<rect class="kept" x="{left:.1f}" y="{_TOP}" width="{gap - _NODE:.1f}" '
        f'height="{max(kept, 0.5):.1f}"/>'
    ]
    ordered = sorted((each for each in step.losses if each[1] > 0), key=lambda e: (-e[1], e[0]))
    shown = ordered[:_NAMED]
    if rest := ordered[_NAMED:]:
        shown = [*shown, (f"{len(rest)} other reasons", sum(value for _, value in rest))]
    y, row = _TOP + kept, _TOP + kept + 24
    for reason, value in shown:
        thick = (height - kept) * value / max(sum(value for _, value in shown), 1)
        parts.append(
            _ribbon(
                step.name, reason, readable(value), left, y, thick, row, link(step.name, reason)
            )
        )
        y, row = y + thick, row + _ROW
    return parts, row


def _ribbon(
    stage: str, reason: str, value: str, left: float, y: float, thick: float, row: float, href: str
) -> str:
    end, half = left + 44, left + 24
    low = row + min(max(thick, 2), 14)
    path = (
        f"M{left:.1f} {y:.1f}C{half:.1f} {y:.1f} {half:.1f} {row:.1f} {end:.1f} {row:.1f}"
        f"L{end:.1f} {low:.1f}C{half:.1f} {low:.1f} {half:.1f} {y + thick:.1f} "
        f"{left:.1f} {y + thick:.1f}Z"
    )
    named = reason if len(reason) <= 24 else reason[:23] + "…"
    body = (
        f"<title>{escape(reason)}: {value}</title>"
        f'<rect class="target" x="{left:.1f}" y="{row - 4:.1f}" width="244" height="{_ROW}"/>'
        f'<path class="loss {escape(stage)}" d="{path}"/>'
        f'<text class="reason" x="{end + 6:.1f}" y="{row + 11:.1f}">{escape(named)}'
        f'<tspan class="value" dx="6">−{value}</tspan></text>'
    )
    if not href:
        return f"<g>{body}</g>"
    return f'<a href="{escape(href)}" aria-label="{escape(reason)}: {value} lost">{body}</a>'
