"""Edits: what changed in a text, exactly enough to make the change again."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass


@dataclass(slots=True, frozen=True)
class Edit:
    """`length` characters from `start` of the text before the stage became `replacement`.

    The edits of one text and stage are disjoint, so `apply_edits` gives the text after.
    """

    kind: str
    start: int
    length: int
    replacement: str


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """The text after the edits; positions are those of `text`."""
    parts, last = [], 0
    for edit in sorted(edits, key=_place):
        parts += [text[last : edit.start], edit.replacement]
        last = edit.start + edit.length
    return "".join([*parts, text[last:]]) if parts else text


def compose(first: Sequence[Edit], second: Sequence[Edit], between: str) -> list[Edit]:
    """One list of edits that does what `first` and then `second` do, in order of place.

    Edits that overlap become one, whose kind names both.

    Args:
        first: edits of the original.
        second: edits, each of at least one character, of what `first` makes of the original.
        between: the text after `first`.
    """
    if not first:
        return sorted(second, key=_place)
    spans: list[tuple[int, int, bool, Edit]] = []  # where each edit lies in `between`
    shift = 0
    for edit in sorted(first, key=_place):
        start = edit.start + shift
        spans.append((start, start + len(edit.replacement), True, edit))
        shift += len(edit.replacement) - edit.length
    spans += [(edit.start, edit.start + edit.length, False, edit) for edit in second]
    groups: list[list[tuple[int, int, bool, Edit]]] = []
    end = -1
    for span in sorted(spans, key=lambda each: each[:2]):
        if span[0] < end:
            groups[-1].append(span)
        else:
            groups.append([span])
        end = max(end, span[1]) if span[0] < end else span[1]
    composed, shift = [], 0
    for group in groups:
        growth = sum(len(e.replacement) - e.length for _, _, is_first, e in group if is_first)
        composed.append(_merged(group, shift, growth, between))
        shift += growth
    return composed


def merged(removals: Iterable[Edit]) -> list[Edit]:
    """Removals of one text, in any order, as disjoint ones; those that overlap name both kinds."""
    found: list[Edit] = []
    for edit in sorted(removals, key=_place):
        if found and edit.start < found[-1].start + found[-1].length:
            last = found.pop()
            kinds = dict.fromkeys((*last.kind.split("+"), edit.kind))
            end = max(last.start + last.length, edit.start + edit.length)
            edit = Edit("+".join(kinds), last.start, end - last.start, "")
        found.append(edit)
    return found


def changed_span(kind: str, start: int, before: str, after: str) -> Edit:
    """The edit that turns `before` into `after`, without what both begin and end with."""
    shorter = min(len(before), len(after))
    head = _longest(shorter, lambda n: before[:n] == after[:n])
    left, right = before[head:], after[head:]
    tail = _longest(
        min(len(left), len(right)),
        lambda n: left[len(left) - n :] == right[len(right) - n :],
    )
    if tail == len(left) and head:  # something was inserted: an edit has a character of its own
        head, left, right = head - 1, before[head - 1 :], after[head - 1 :]
    elif tail == len(left):
        tail -= 1
    return Edit(kind, start + head, len(left) - tail, right[: len(right) - tail])


def _merged(
    group: Sequence[tuple[int, int, bool, Edit]], shift: int, growth: int, between: str
) -> Edit:
    start, end = group[0][0], max(each[1] for each in group)
    later = [
        Edit(edit.kind, edit.start - start, edit.length, edit.replacement)
        for _, _, is_first, edit in group
        if not is_first
    ]
    in_time = sorted(group, key=lambda each: not each[2])
    kinds = dict.fromkeys(edit.kind for _, _, _, edit in in_time)
    return Edit(
        "+".join(kinds),
        start - shift,
        end - start - growth,
        apply_edits(between[start:end], later),
    )


def _longest(limit: int, agrees: Callable[[int], bool]) -> int:
    """The largest n up to `limit` for which `agrees`, which holds up to some n and not beyond."""
    low = 0
    while low < limit:
        middle = (low + limit + 1) // 2
        low, limit = (middle, limit) if agrees(middle) else (low, middle - 1)
    return low


def _place(edit: Edit) -> tuple[int, int]:
    return edit.start, edit.length
