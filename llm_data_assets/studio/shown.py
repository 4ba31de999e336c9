"""How values are written on a page."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

_STEPS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e4, "k"))


def compact(value: float) -> str:
    """A count in at most five characters: 950, 9,512, 12.3k, 4.56M."""
    for size, letter in _STEPS:
        if abs(value) >= size:
            scaled = value / (1e3 if letter == "k" else size)
            return f"{scaled:.3g}{letter}" if scaled < 1000 else f"{scaled:.0f}{letter}"
    return f"{value:,.0f}"


def cell(value: Any) -> str:
    """A value of a table: thousands apart, four digits of a fraction, nothing for null or [].

    What is further below a billionth is shown as nearly 0: such a worth of a pass is none.
    """
    if value is None or value in ([], "[]"):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        if abs(value) < 1e15 and (value.is_integer() or abs(value) >= 1000):
            return f"{value:,.0f}"
        return "≈ 0" if 0 < abs(value) < 1e-9 else f"{value:.4g}"
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    if hasattr(value, "strftime"):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return str(value)


def address(path: str, query: Mapping[str, Any] | None = None, **changes: Any) -> str:
    """A path with a query, some of it changed; what is empty is left out."""
    merged = {**(query or {}), **changes}
    told = urlencode({key: value for key, value in merged.items() if value not in (None, "")})
    return f"{path}?{told}" if told else path
