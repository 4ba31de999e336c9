"""Repairs every reader's text gets: mojibake, line endings, control characters, NFC."""

import re
import unicodedata
from collections.abc import Iterator

import ftfy

from llm_data_assets.text.edits import Edit, apply_edits, changed_span, compose
from llm_data_assets.text.signs import (
    CONTROL,
    CONTROLS,
    MOJIBAKE,
    NEWLINE,
    NEWLINES,
    UNCOMPOSED,
    is_bad,
    signs_of,
)

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
# What lies between these composes for itself: they are ASCII, and nothing composes with them.
_BETWEEN_SPACES = re.compile(r"[^ \n\t]+")
_ROUNDS = 8


def repair(text: str) -> tuple[str, list[Edit]]:
    """Undo wrong decoding (ftfy 6), unify line ends, drop control characters, compose (NFC).

    Clean text comes back as it is. `repair(repair(x)[0])` changes nothing, and
    `apply_edits(x, repair(x)[1])` is `repair(x)[0]`.
    """
    edits: list[Edit] = []
    for _ in range(_ROUNDS):  # a control character can hide wrong decoding from ftfy
        before, signs = text, signs_of(text)
        for sign, found in _FINDERS:
            if signs & sign and (made := list(found(text))):
                edits = compose(edits, made, text)
                text = apply_edits(text, made)
                signs = signs_of(text)
        if text == before:
            break
    return text, edits


def _mojibake(text: str) -> Iterator[Edit]:
    if not is_bad(text):
        return
    start = 0
    for line in text.split("\n"):
        line_end = start + len(line) + 1
        whole = text[start:line_end]  # ftfy reads a line with its end
        if is_bad(whole):
            fixed = ftfy.fix_text(whole, _FTFY)
            if fixed != whole:
                yield changed_span("mojibake", start, whole, fixed)
        start = line_end


def _newlines(text: str) -> Iterator[Edit]:
    return (
        Edit("newline", found.start(), len(found.group()), "\n")
        for found in NEWLINES.finditer(text)
    )


def _controls(text: str) -> Iterator[Edit]:
    return (
        Edit("control", found.start(), len(found.group()), "") for found in CONTROLS.finditer(text)
    )


def _uncomposed(text: str) -> Iterator[Edit]:
    if unicodedata.is_normalized("NFC", text):
        return
    for found in _BETWEEN_SPACES.finditer(text):
        piece = found.group()
        if not piece.isascii() and not unicodedata.is_normalized("NFC", piece):
            composed = unicodedata.normalize("NFC", piece)
            yield changed_span("nfc", found.start(), piece, composed)


# Each kind of repair, in the order of the repairs.
_FINDERS = (
    (MOJIBAKE, _mojibake),
    (NEWLINE, _newlines),
    (CONTROL, _controls),
    (UNCOMPOSED, _uncomposed),
)
