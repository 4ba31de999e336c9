"""Repairs every reader's text gets: mojibake, line endings, control characters, NFC."""

import re
import unicodedata
from dataclasses import dataclass

import ftfy
from ftfy.badness import is_bad

# Quotes, width and entities are the author's; only wrong decoding is undone.
_FTFY = ftfy.TextFixerConfig(
    unescape_html=False,
    remove_terminal_escapes=False,
    fix_latin_ligatures=False,
    fix_character_width=False,
    uncurl_quotes=False,
    fix_line_breaks=False,
    fix_surrogates=False,
    remove_control_chars=False,
    normalization=None,
    explain=False,
)
_NEWLINE = re.compile("\r\n?|\u2028|\u2029|\x85")
_CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]+"
)
_ROUNDS = 8


@dataclass(slots=True)
class Edit:
    """One change to a text; positions are characters of the text before this stage's edits.

    `start` is -1 where the change has no one place (a whole paragraph decoded again, characters
    composed); `length` then counts the characters that changed.
    """

    kind: str
    start: int
    length: int
    replacement: str


def repair(text: str) -> tuple[str, list[Edit]]:
    """Undo wrong decoding (ftfy 6), unify line ends, drop control characters, compose (NFC).

    Clean text comes back as it is. `repair(repair(x)[0])` changes nothing.
    """
    edits: list[Edit] = []
    for _ in range(_ROUNDS):  # a control character can hide wrong decoding from ftfy
        before = text
        text = _repaired_once(text, edits)
        if text == before:
            break
    return text, edits


def _repaired_once(text: str, edits: list[Edit]) -> str:
    if not text.isascii() and is_bad(text):
        text = _recorded("mojibake", text, ftfy.fix_text(text, _FTFY), edits)
    if _NEWLINE.search(text):
        text = _recorded("newline", text, _NEWLINE.sub("\n", text), edits)
    if _CONTROL.search(text):
        text = _recorded("control", text, _CONTROL.sub("", text), edits)
    if not unicodedata.is_normalized("NFC", text):
        text = _recorded("nfc", text, unicodedata.normalize("NFC", text), edits)
    return text


def _recorded(kind: str, before: str, after: str, edits: list[Edit]) -> str:
    if before != after:
        start = next(
            (i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b),
            min(len(before), len(after)),
        )
        changed = len(before) - start - _common_suffix(before[start:], after[start:])
        edits.append(Edit(kind, start if not edits else -1, changed, ""))
    return after


def _common_suffix(left: str, right: str) -> int:
    count = 0
    for a, b in zip(reversed(left), reversed(right), strict=False):
        if a != b:
            break
        count += 1
    return count
