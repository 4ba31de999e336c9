"""Which settings differ between two configurations, each by the way that leads to it."""

from collections.abc import Iterator, Mapping
from typing import Any

Setting = tuple[str, Any, Any]  # its place, the value before, the value after; None where absent


def differences(before: Any, after: Any, place: str = "") -> Iterator[Setting]:
    """Every setting that differs, in the order of `before`, then what only `after` has.

    Args:
        before: as JSON has it.
        after: likewise.
        place: what stands before each way. A way is names joined by dots; members of a list that
            all have a `name` (rules) are told by it and not by position, another list is one value.
    """
    if before == after:
        return
    one, other = _by_name(before), _by_name(after)
    if one is None or other is None:
        yield place, _said(before), _said(after)
    elif one == other:  # the same members in another order
        yield place, list(one), list(other)
    else:
        for name in (*one, *(name for name in other if name not in one)):
            way = f"{place}.{name}" if place else name
            yield from differences(one.get(name), other.get(name), way)


def _by_name(value: Any) -> Mapping[str, Any] | None:
    if isinstance(value, Mapping):
        return value
    if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
        return None
    named = {each["name"]: each for each in value if "name" in each}
    return named if len(named) == len(value) else None


def _said(value: Any) -> Any:
    """A value without the settings that are not set."""
    if isinstance(value, Mapping):
        return {name: each for name, each in value.items() if each not in (None, [], {}, "")}
    return value
