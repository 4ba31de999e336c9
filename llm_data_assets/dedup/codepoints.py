"""Unicode as a table that a kernel can read: what becomes of each code point in `normalise`."""

import unicodedata
from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

import numpy as np

from llm_data_assets.dedup.normalise import compose, separate

# Code points from here on (rare Han, private use) are left to the plain reference.
TABLE_SIZE = 0x20000

# What becomes of a code point: the three low bits of its record.
SEPARATOR, DROPPED, ITSELF, MAPPED, TO_PYTHON = range(5)
KIND = 0b111
# It may compose with a character before it; with a character after it.
COMPOSES_BACK = 1 << 3
COMPOSES_ON = 1 << 4
# Canonical combining class (8 bits) and number of the mapping (16 bits).
CLASS_SHIFT = 8
MAPPING_SHIFT = 16

# A kernel reserves this many bytes a byte of input; what grows more goes to the plain reference.
MAX_GROWTH = 2


class CodePoints(NamedTuple):
    """How the kernels read Unicode.

    records: uint32[TABLE_SIZE], the bits above.
    mapped: uint8[...], the UTF-8 bytes of all mappings, with spaces for separators.
    mapped_offsets: int64[n_mappings + 1], where each mapping begins in `mapped`.
    """

    records: np.ndarray
    mapped: np.ndarray
    mapped_offsets: np.ndarray


@cache
def code_points() -> CodePoints:
    """The table of this Python's Unicode version, made from the plain reference at first use."""
    characters = [chr(code) for code in range(TABLE_SIZE)]
    compatible = _each(partial(unicodedata.normalize, "NFKC"), characters)
    back, on = _composing(characters)
    records = np.full(TABLE_SIZE, SEPARATOR, np.uint32)
    records[[c.isalnum() for c in characters]] = ITSELF
    changing = _changing(characters, compatible)
    composed = compose("\n".join(characters[code] for code in changing)).split("\n")
    mappings: dict[bytes, int] = {}
    for flag, members in ((COMPOSES_BACK, back), (COMPOSES_ON, on)):
        records[[ord(each) for each in members if ord(each) < TABLE_SIZE]] |= flag
    for code, after in zip(changing, composed, strict=True):
        records[code] = _record(characters[code], compatible[code], after, back, on, mappings)
    offsets = np.cumsum(np.array([0, *map(len, mappings)], np.int64))
    return CodePoints(records, np.frombuffer(b"".join(mappings), np.uint8), offsets)


def _each(change: Callable[[str], str], characters: list[str]) -> list[str]:
    """What becomes of each; a line feed composes with nothing, so one call does for all."""
    changed = change("\n".join(characters)).split("\n")
    changed[10:12] = ["\n"]  # the line feed's own two empty pieces
    return changed


def _changing(characters: list[str], compatible: list[str]) -> list[int]:
    """Those that `normalise` may change, and marks; the rest, nine in ten, keep or separate."""
    folded = _each(str.casefold, characters)
    touched = frozenset(("Cf", "Mn", "Mc", "Me", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "Sk"))
    categories = map(unicodedata.category, characters)
    return [
        code
        for code, (character, before, after, category) in enumerate(
            zip(characters, compatible, folded, categories, strict=True)
        )
        if category in touched or not before == after == character
    ]


def _record(
    character: str,
    before: str,
    after: str,
    back: set[str],
    on: set[str],
    mappings: dict[bytes, int],
) -> int:
    """One character's record, given its NFKC `before` and `after` case folding.

    NFKC of a text is the NFKC of its characters one by one, unless a character composes with one
    before it or combining marks change places (Unicode, section 3.11). The flags and the class
    let the kernel see such neighbours, before case folding and after.
    """
    if not after:
        return DROPPED
    flags = COMPOSES_BACK * (before[0] in back or after[0] in back)
    flags |= COMPOSES_ON * (not on.isdisjoint(before) or not on.isdisjoint(after))
    if before == after == character:
        return ITSELF | flags | unicodedata.combining(character) << CLASS_SHIFT
    if unicodedata.combining(before[0]) or unicodedata.combining(after[0]):
        return TO_PYTHON
    flags |= max(map(unicodedata.combining, (before[-1], after[-1]))) << CLASS_SHIFT
    folded = separate(after)
    if not folded.strip():
        return SEPARATOR | flags
    bytes_ = folded.encode()
    if len(bytes_) > MAX_GROWTH * len(character.encode()):
        return TO_PYTHON
    return MAPPED | flags | mappings.setdefault(bytes_, len(mappings)) << MAPPING_SHIFT


def _composing(characters: list[str]) -> tuple[set[str], set[str]]:
    """Characters that can be the second, and the first, of a pair that NFC makes one of."""
    # Hangul composes by rule, not by table: leading + vowel + trailing (Unicode, section 3.12).
    back = {chr(c) for c in (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))}
    on = {chr(c) for c in (*range(0x1100, 0x1113), *range(0xAC00, 0xD7A4, 28))}
    for character in characters:
        pair = unicodedata.decomposition(character).split()
        if len(pair) == 2 and pair[0][0] != "<":
            first, second = (chr(int(each, 16)) for each in pair)
            back.add(second)
            on.add(first)
    return back, on
