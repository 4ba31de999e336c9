"""What leaves a document that holds passages of benchmark questions, by rule."""

import re
from collections.abc import Iterable, Sequence

from llm_data_assets.text.edits import Edit

KIND = "benchmark_question"
CUTTING = ("gpt3", "paragraph")
# Brown et al. 2020, appendix C: 200 characters on either side go with a gram, pieces under 200
# characters go, and documents in more than 10 pieces go whole.
SIDE_CHARACTERS, MIN_PIECE, MAX_PIECES = 200, 200, 10
_PARAGRAPH = re.compile(r"[^\n]+(?:\n(?!\n)[^\n]+)*")
Span = tuple[int, int]


def cut(text: str, passages: Iterable[Span], rule: str, min_share: float) -> list[Edit] | None:
    """The edits that take the passages out; None if nothing worth keeping stays.

    - `gpt3`: each passage with 200 characters on either side; what stays between two cuts must
      be 200 characters long, and a document in more than ten pieces goes whole;
    - `paragraph`: each paragraph of which passages hold at least `min_share` of the characters.

    Args:
        passages: (first character, last + 1).
    """
    spans = _united(passages)
    if not spans:
        return []
    gone = _gpt3(text, spans) if rule == "gpt3" else _paragraphs(text, spans, min_share)
    if gone is None or not "".join(_kept(text, gone)).strip():
        return None
    return [Edit(KIND, start, end - start, "") for start, end in gone]


def _gpt3(text: str, spans: Sequence[Span]) -> list[Span] | None:
    wide = _united(
        (max(0, start - SIDE_CHARACTERS), min(len(text), end + SIDE_CHARACTERS))
        for start, end in spans
    )
    edges = [0, *(place for span in wide for place in span), len(text)]
    pieces = [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b > a]
    if len(pieces) > MAX_PIECES:
        return None
    return _united([*wide, *(piece for piece in pieces if piece[1] - piece[0] < MIN_PIECE)])


def _paragraphs(text: str, spans: Sequence[Span], min_share: float) -> list[Span]:
    gone = []
    for found in _PARAGRAPH.finditer(text):
        start, end = found.span()
        held = sum(max(0, min(end, b) - max(start, a)) for a, b in spans)
        if held and held >= min_share * (end - start):
            gone.append((start, end))
    return gone


def _united(spans: Iterable[Span]) -> list[Span]:
    """Spans in order, those that touch made one."""
    united: list[Span] = []
    for start, end in sorted(spans):
        if united and start <= united[-1][1]:
            united[-1] = (united[-1][0], max(end, united[-1][1]))
        else:
            united.append((start, end))
    return united


def _kept(text: str, gone: Iterable[Span]) -> Iterable[str]:
    last = 0
    for start, end in gone:
        yield text[last:start]
        last = end
    yield text[last:]
