"""Repairs every reader's text gets: mojibake, line endings, control characters, NFC."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

import ftfy
from ftfy.badness import BADNESS_RE

from llm_data_assets.text.edits import Edit, apply_edits, changed_span, compose

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
_PLAIN = bytes([0x09, 0x0A, *range(0x20, 0x7F)])
# What lies between these composes for itself: they are ASCII, and nothing composes with them.
_BETWEEN_SPACES = re.compile(r"[^ \n\t]+")
_ROUNDS = 8
# Characters about a suspicious place that hold every match through it: BADNESS_RE's longest has 7.
_AROUND = 12


# Every match of ftfy's BADNESS_RE (6.3) holds a C1 control, one of six letters, or two characters
# of its classes side by side, of which not both are typographic: quotes and dashes alone are never
# wrong decoding.
_ALONE = "\x80-\x9fŒœÃÂØÙ"
_TYPOGRAPHIC = "\xa0\xad·´–—―…‘’‚“”„"


def _telling() -> str:
    """The other characters of BADNESS_RE's classes, as a class."""
    special = sorted({c for c in BADNESS_RE.pattern if c > "\x7f"} - set(_TYPOGRAPHIC))
    # ftfy writes ranges as `à-ñ`; only the classes of ranges lie between their ends.
    ranges = re.findall(r"([^\x00-\x7f])-([^\x00-\x7f])", BADNESS_RE.pattern)
    return "".join(map(re.escape, special)) + "".join(f"{first}-{last}" for first, last in ranges)


def _pairs() -> str:
    """A pattern of two characters, neither of ASCII, that stand side by side in a match of
    BADNESS_RE: the first two of each of its alternatives that has such."""
    alternatives: list[list[str]] = [[]]
    for part in re.findall(r"\[(?:[^\]\\]|\\.)*\]|\\.|#[^\n]*|\s+|.", BADNESS_RE.pattern):
        if part == "|":
            alternatives.append([])
        elif not part.isspace() and part[0] != "#":  # a comment; it is a verbose pattern
            alternatives[-1].append(part)
    ascii_ = "".join(map(chr, range(128)))
    pairs = []
    for parts in alternatives:
        strange = [part not in "?^" and not re.search(part, ascii_) for part in parts]
        for at in range(len(parts) - 1):
            if strange[at] and strange[at + 1]:
                pairs.append(parts[at] + parts[at + 1])
                break
    return "|".join(pairs)


_TELLING = _telling()
_EITHER = _TELLING + _TYPOGRAPHIC
# What a text has that may be wrong decoding, found many times faster than a match.
_SUSPICIOUS = re.compile(
    f"[{_EITHER}](?:(?<=[{_ALONE}])|(?<=[{_TELLING}])[{_EITHER}]|[{_TELLING}])"
)
_TELLS = re.compile(f"[{_ALONE}]|{_pairs()}")
_ASCII_TO_SPACE = bytes([0x20] * 0x80 + list(range(0x80, 0x100)))


def is_bad(text: str) -> bool:
    """Whether ftfy sees wrong decoding in a text: its `is_bad`, asked only where it could be."""
    data = text.encode("utf-8", "surrogatepass").translate(_ASCII_TO_SPACE)
    runs = {run.decode("utf-8", "surrogatepass") for run in set(data.split())}
    around = (
        BADNESS_RE.search(text, max(0, at - _AROUND), at + len(run) + _AROUND)
        for run in runs
        if (_word_tells if len(run) <= _WORD else _tells)(run)
        for at in _places(text, run)
    )
    # Once more where one was found: what must not follow a match may lie past the cut.
    return any(around) and bool(BADNESS_RE.search(text))


def _tells(run: str) -> bool:
    """Whether a match may lie in what stands between two characters of ASCII."""
    return bool(_SUSPICIOUS.search(run) and _TELLS.search(run))


# Words come again and again; longer runs would only fill memory.
_WORD = 32
_word_tells = lru_cache(maxsize=1 << 14)(_tells)


def _places(text: str, part: str) -> Iterator[int]:
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + 1)


def repair(text: str) -> tuple[str, list[Edit]]:
    """Undo wrong decoding (ftfy 6), unify line ends, drop control characters, compose (NFC).

    Clean text comes back as it is. `repair(repair(x)[0])` changes nothing, and
    `apply_edits(x, repair(x)[1])` is `repair(x)[0]`.
    """
    edits: list[Edit] = []
    for _ in range(_ROUNDS):  # a control character can hide wrong decoding from ftfy
        before = text
        rest = _without_plain(text)
        for found, sign in _FINDERS:
            if sign.search(rest) and (made := list(found(text))):
                edits = compose(edits, made, text)
                text = apply_edits(text, made)
                rest = _without_plain(text)
        if text == before:
            break
    return text, edits


def _without_plain(text: str) -> str:
    """The characters other than printable ASCII, tabs and line feeds, in their order.

    Mostly a small part of a text: what does not stand in it, alone or side by side, does not stand
    in the text.
    """
    data = text.encode("utf-8", "surrogatepass").translate(None, _PLAIN)
    return data.decode("utf-8", "surrogatepass")


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
        for found in _NEWLINE.finditer(text)
    )


def _controls(text: str) -> Iterator[Edit]:
    return (
        Edit("control", found.start(), len(found.group()), "") for found in _CONTROL.finditer(text)
    )


def _uncomposed(text: str) -> Iterator[Edit]:
    if unicodedata.is_normalized("NFC", text):
        return
    for found in _BETWEEN_SPACES.finditer(text):
        piece = found.group()
        if not piece.isascii() and not unicodedata.is_normalized("NFC", piece):
            composed = unicodedata.normalize("NFC", piece)
            yield changed_span("nfc", found.start(), piece, composed)


# Each kind of repair, and what a text that needs it has.
_FINDERS = (
    (_mojibake, _SUSPICIOUS),
    (_newlines, _NEWLINE),
    (_controls, _CONTROL),
    (_uncomposed, re.compile("[^\x00-\x7f]")),
)
