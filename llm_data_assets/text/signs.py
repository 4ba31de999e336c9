"""What may be wrong with a text, found in one pass over its bytes; most texts show nothing.

What ftfy holds for wrong decoding is a long pattern that reads five megabytes a second. Each of its
matches holds a C1 control, one of six letters, or two characters of its classes side by side, which
a table tells of every character. Likewise NFC: a text is composed if each character is composed,
none may compose with one before it, and marks stand in order (Unicode, annex 15, quick check).
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
from ftfy.badness import BADNESS_RE

from llm_data_assets.kernel import inlined, kernel
from llm_data_assets.text.characters import TABLE_SIZE
from llm_data_assets.text.text_bytes import bytes_of

# What may be there; the bits of a result, and of a character's record.
MOJIBAKE, NEWLINE, CONTROL, UNCOMPOSED = 1, 2, 4, 8
_CLASS_SHIFT = 8  # the canonical combining class: the high byte of a record

NEWLINES = re.compile("\r\n?|\u2028|\u2029|\x85")
CONTROLS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]+"
)
_ALONE = "[\x80-\x9fŒœÃÂØÙ]"
# Characters about a suspicious place that hold every match through it: BADNESS_RE's longest has 7.
_AROUND = 12
_BLOCK = 64  # bytes that are looked at at once
_FEW = 32  # places that most texts with any have room in


def signs_of(text: str | memoryview) -> int:
    """The bits of what may be there; what they do not name is surely not. A view is UTF-8."""
    return _look(text, 0)[0]


def is_bad(text: str) -> bool:
    """Whether ftfy sees wrong decoding in a text: its `is_bad`, asked only where it could be."""
    _, count, places = _look(text, _FEW)
    if count > _FEW:
        _, _, places = _look(text, count)
    around = (
        BADNESS_RE.search(text, max(0, at - _AROUND), at + _AROUND)
        for at in places[:count].tolist()
    )
    # Once more where one was found: what must not follow a match may lie past the cut.
    return any(around) and bool(BADNESS_RE.search(text))


def _look(text: str | memoryview, room: int) -> tuple[int, int, np.ndarray]:
    """The bits, how many places may be wrong decoding, and the first of these, by character."""
    held: memoryview | bytes
    if isinstance(text, str):
        try:
            held = bytes_of(text)
        except UnicodeEncodeError:
            held = text.encode("utf-8", "surrogatepass")
    else:
        held = text
    data = np.frombuffer(held or b" ", np.uint8)
    places = np.empty(room, np.int64)
    bits, count = _read(data, *_tables(), places)
    return bits, count, places


class _Tables(NamedTuple):
    """Of each character: its record; and of which pairs, each a bit, it may be first or second."""

    records: np.ndarray
    firsts: np.ndarray
    seconds: np.ndarray


@cache
def _tables() -> _Tables:
    characters = "".join(map(chr, range(TABLE_SIZE)))
    classes = np.fromiter(map(unicodedata.combining, characters), np.uint16, TABLE_SIZE)
    records = classes << np.uint16(_CLASS_SHIFT)
    for bit, bearers in (
        (MOJIBAKE, re.findall(_ALONE, characters)),
        (NEWLINE, NEWLINES.findall(characters)),
        (CONTROL, CONTROLS.findall(characters)),
        (UNCOMPOSED, _uncomposed(characters)),
    ):
        records[[ord(each) for each in "".join(bearers)]] |= bit
    firsts, seconds = np.zeros((2, TABLE_SIZE), np.uint64)
    pairs = _pairs()
    either = "".join(side.strip("[]") for pair in pairs for side in pair)
    members = "".join(re.findall(f"[{either}]", characters))
    for number, pair in enumerate(pairs):
        for table, side in zip((firsts, seconds), pair, strict=True):
            table[[ord(each) for each in re.findall(side, members)]] |= 1 << number
    return _Tables(records, firsts, seconds)


def _uncomposed(characters: str) -> Iterator[str]:
    """Characters that NFC changes, or may make one with the character before them."""
    # Hangul composes by rule, not by table: leading + vowel + trailing (Unicode, section 3.12).
    yield from map(chr, (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)))
    for character in characters:
        parts = unicodedata.decomposition(character).split()
        if parts and parts[0][0] != "<":
            if not unicodedata.is_normalized("NFC", character):
                yield character
            elif len(parts) == 2:
                yield chr(int(parts[1], 16))


def _pairs() -> list[tuple[str, str]]:
    """Patterns of two characters, neither of ASCII, that stand side by side in a match of
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
                pairs.append((parts[at], parts[at + 1]))
                break
    return pairs


@inlined
def _is_plain(byte):  # type: ignore[no-untyped-def]
    """Whether a byte is a character with nothing to say: ASCII, but no control character."""
    return (byte >= 0x20) & (byte < 0x7F) | (byte == 0x0A) | (byte == 0x09)


@kernel
def _read(data, records, firsts, seconds, places):  # type: ignore[no-untyped-def]
    """The bits of uint8[n > 0], UTF-8, and how many places may be wrong decoding; the first of
    these, by character, into int64 `places`. The tables are `_Tables`."""
    bits = np.int64(0)
    count = np.int64(0)
    at = np.int64(0)  # characters so far
    before = np.uint64(0)  # the pairs that the last character may be first of
    last = np.int64(0)  # its combining class
    i = np.int64(0)
    while i < len(data):
        plain = i
        if _is_plain(data[i]):
            while i + _BLOCK <= len(data):
                strange = False
                for k in range(i, i + _BLOCK):
                    strange |= not _is_plain(data[k])
                if strange:
                    break
                i += _BLOCK
        while i < len(data) and _is_plain(data[i]):
            i += 1
        if i > plain:
            at += i - plain
            before, last = np.uint64(0), np.int64(0)
            continue
        byte = np.int64(data[i])
        if byte < 0x80:
            point, width = byte, 1
        elif byte < 0xE0:
            point, width = (byte & 0x1F) << 6 | (data[i + 1] & 0x3F), 2
        elif byte < 0xF0:
            point = (byte & 0x0F) << 12 | (data[i + 1] & 0x3F) << 6 | (data[i + 2] & 0x3F)
            width = 3
        else:
            point = (byte & 0x07) << 18 | (data[i + 1] & 0x3F) << 12
            point |= (data[i + 2] & 0x3F) << 6 | (data[i + 3] & 0x3F)
            width = 4
        record = np.int64(0)
        first, second = np.uint64(0), np.uint64(0)
        if point < len(records):
            record, first, second = np.int64(records[point]), firsts[point], seconds[point]
        if record & MOJIBAKE or before & second:
            bits |= MOJIBAKE
            if count < len(places):
                places[count] = at
            count += 1
        before = first
        bits |= record & (NEWLINE | CONTROL | UNCOMPOSED)
        order = record >> _CLASS_SHIFT
        if 0 < order < last:
            bits |= UNCOMPOSED
        last = order
        i += width
        at += 1
    return bits, count
