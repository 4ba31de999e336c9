"""Passages of a document that stand in a benchmark question too.

Units are words, and each Chinese character by itself; a gram is some units in a row. The kernel
finds grams by rolling hash at memory speed; what it finds is then compared unit by unit, so that a
passage is never a collision.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from llm_data_assets.kernel import allocating, kernel
from llm_data_assets.text.utf8 import utf8

MIN_UNITS = 8  # shorter grams are common speech (Brown et al. 2020, appendix C: 8 to 13)
HAN_UNITS = 30  # thirteen characters of Chinese are common speech
# Touvron et al. 2023, appendix A.6: a gram of more than ten tokens may skip four, none of them
# among its first ten.
SKIP_SEED, SKIP_BUDGET = 10, 4

# Code points from here on are separators; below lie all letters of Unicode 16.
_TABLE_SIZE = 0x32400
_HAN = 1 << 31
_HAN_BLOCKS = ((0x3400, 0x4DC0), (0x4E00, 0xA000), (0xF900, 0xFB00), (0x20000, _TABLE_SIZE))
_OFFSET, _PRIME, _BASE = (
    np.uint64(0xCBF29CE484222325),
    np.uint64(0x100000001B3),
    np.uint64(0x9E3779B97F4A7C15),
)


@dataclass(frozen=True)
class Passage:
    """Where a document and a question agree.

    start, length: characters of the document. units: how many words (Chinese characters) agree.
    share: how much of the question the document holds, in all its passages together: its grams
    that are found, or under skipping its units that are.
    """

    question: str
    start: int
    length: int
    units: int
    share: float


class Units(NamedTuple):
    """The units of a text with the characters they stand at."""

    names: tuple[str, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]


@dataclass(frozen=True)
class Index:
    """Grams of all questions, for the kernel and for the comparison.

    slots: uint64[2**k, 2], an open-addressing table of (hash, gram + 1); widths: int64[w];
    owners: of each gram the (question, first unit) it stands at.
    """

    slots: np.ndarray
    widths: np.ndarray
    owners: list[list[tuple[str, int]]]
    gram_widths: list[int]
    texts: dict[str, str]
    sizes: dict[str, int]


def units(text: str) -> Units:
    """Words in lower case and NFKC character by character, without punctuation; Han one by one."""
    table = _fold_table()
    names, starts, ends = [], [], []
    word, start = "", 0
    for place, character in enumerate(text):
        code = ord(character)
        folded = int(table[code]) if code < _TABLE_SIZE else 0
        if word and (not folded or folded & _HAN):
            names.append(word)
            starts.append(start)
            ends.append(place)
            word = ""
        if folded & _HAN:
            names.append(chr(folded & ~_HAN))
            starts.append(place)
            ends.append(place + 1)
        elif folded:
            start = place if not word else start
            word += chr(folded)
    if word:
        names.append(word)
        starts.append(start)
        ends.append(len(text))
    return Units(tuple(names), tuple(starts), tuple(ends))


def gram_hashes(text: str, n: int) -> tuple[int, np.ndarray]:
    """Width and the hash (uint64) of each gram of a question; none if it is too short to tell.

    Grams have `n` units, fewer in a shorter question, 30 where most units are Chinese.
    """
    names = units(text).names
    han = sum(len(name) == 1 and _is_han(ord(name)) for name in names)
    width = HAN_UNITS if 2 * han > len(names) else min(n, len(names))
    if width < MIN_UNITS or len(names) < width:
        return width, np.empty(0, np.uint64)
    hashes = np.array([_unit_hash(name) for name in names], np.uint64)
    with np.errstate(over="ignore"):
        powers = _BASE ** np.arange(width - 1, -1, -1, dtype=np.uint64)
        grams = [
            (hashes[i : i + width] * powers).sum(dtype=np.uint64)
            for i in range(len(names) - width + 1)
        ]
    return width, np.array([_mixed(gram, np.uint64(width)) for gram in grams], np.uint64)


def build_index(questions: Iterable[tuple[str, str, int, Sequence[int]]]) -> Index:
    """Index questions: (id, text, width, hash of each gram as `gram_hashes` gives them)."""
    numbers: dict[int, int] = {}
    owners: list[list[tuple[str, int]]] = []
    gram_widths: list[int] = []
    texts, sizes, widths = {}, {}, set()
    for name, text, width, hashes in questions:
        texts[name], sizes[name] = text, len(hashes)
        for place, value in enumerate(hashes):
            number = numbers.setdefault(int(value) % 2**64, len(numbers))
            if number == len(owners):
                owners.append([])
                gram_widths.append(width)
                widths.add(width)
            owners[number].append((name, place))
    size = 1 << max(6, (4 * len(numbers)).bit_length())
    slots = np.zeros((size, 2), np.uint64)
    keys = np.fromiter(numbers, np.uint64, len(numbers))
    _fill(slots, keys)
    return Index(slots, np.array(sorted(widths), np.int64), owners, gram_widths, texts, sizes)


def find_passages(
    texts: pa.Array, index: Index, *, skipping: bool
) -> Iterator[tuple[int, Passage]]:
    """(number of the text, passage) of every question that a text holds a gram of, in order.

    Args:
        texts: string array without nulls.
        skipping: let a passage go on over up to four units that differ (Llama 2).
    """
    hits = scan(texts, index)
    for number in np.unique(hits[:, 0]).tolist():
        text = texts[number].as_py()
        mine = hits[hits[:, 0] == number]
        for passage in _passages(text, mine[:, 1:].tolist(), index, skipping):
            yield number, passage


def scan(texts: pa.Array, index: Index) -> np.ndarray:
    """int64[n, 3]: text, first unit and number of every gram whose hash is in the index."""
    if not len(texts) or not len(index.owners):
        return np.empty((0, 3), np.int64)
    found = np.empty((4096, 3), np.int64)
    arguments = (*utf8(texts), _fold_table(), index.widths, _powers(index.widths), index.slots)
    count = _scan(*arguments, found)
    if count > len(found):
        found = np.empty((count, 3), np.int64)
        _scan(*arguments, found)
    return found[:count]


def _passages(text: str, hits: list[list[int]], index: Index, skipping: bool) -> Iterator[Passage]:
    mine = units(text)
    theirs: dict[str, tuple[str, ...]] = {}
    seeds: dict[str, set[tuple[int, int]]] = {}  # question -> (first unit here, first unit there)
    for here, gram in hits:
        width = index.gram_widths[gram]
        for name, there in index.owners[gram]:
            question = theirs.setdefault(name, ()) or units(index.texts[name]).names
            theirs[name] = question
            if mine.names[here : here + width] == question[there : there + width]:
                seeds.setdefault(name, set()).add((here, there))
    for name in sorted(seeds):
        runs = list(_runs(mine.names, theirs[name], seeds[name], skipping))
        if skipping:
            held = {at for _, _, agree in runs for at in agree}
            share = len(held) / len(theirs[name])
        else:
            share = len({place for _, place in seeds[name]}) / index.sizes[name]
        for first, last, agree in sorted(runs):
            start = mine.starts[first]
            length = mine.ends[last - 1] - start
            yield Passage(name, start, length, len(agree), share)


def _runs(
    here: Sequence[str],
    there: Sequence[str],
    seeds: set[tuple[int, int]],
    skipping: bool,
) -> Iterator[tuple[int, int, tuple[int, ...]]]:
    """(first unit, last + 1, units of the question that agree) of each passage of one question."""
    covered: dict[int, int] = {}  # by diagonal: the end of its last run
    for first, place in sorted(seeds):
        diagonal = place - first
        if covered.get(diagonal, -1) > first:
            continue
        end, budget, agree, last = first, SKIP_BUDGET if skipping else 0, [], first
        while end < len(here) and end + diagonal < len(there):
            if here[end] == there[end + diagonal]:
                agree.append(end + diagonal)
                last = end + 1
            elif budget and len(agree) >= SKIP_SEED:
                budget -= 1
            else:
                break
            end += 1
        covered[diagonal] = last
        if not skipping or len(agree) > SKIP_SEED or len(agree) == len(there):
            yield first, last, tuple(agree)


def _is_han(code: int) -> bool:
    return any(first <= code < last for first, last in _HAN_BLOCKS)


@cache
def _fold_table() -> np.ndarray:
    """uint32[_TABLE_SIZE]: 0 separates; else the folded code point, with a bit for Chinese."""
    table = np.zeros(_TABLE_SIZE, np.uint32)
    for code in range(_TABLE_SIZE):
        character = chr(code)
        folded = unicodedata.normalize("NFKC", character).lower()
        if len(folded) != 1:
            folded = character.lower() if len(character.lower()) == 1 else character
        if folded.isalnum() or folded == "_":
            value = ord(folded)
            table[code] = value | _HAN if _is_han(value) else value
    return table


def _unit_hash(name: str) -> np.uint64:
    value = _OFFSET
    with np.errstate(over="ignore"):
        for character in name:
            value = (value ^ np.uint64(ord(character))) * _PRIME
    return value


def _powers(widths: np.ndarray) -> np.ndarray:
    """uint64[w]: what the unit that leaves a gram was multiplied by."""
    with np.errstate(over="ignore"):
        return _BASE ** (widths.astype(np.uint64) - np.uint64(1))


@kernel
def _mixed(gram, width):  # type: ignore[no-untyped-def]
    # The finaliser of MurmurHash3 (Appleby), over the sum and its width.
    value = gram ^ (width * np.uint64(0xFF51AFD7ED558CCD))
    value = (value ^ (value >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    value = (value ^ (value >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return value ^ (value >> np.uint64(33))


@kernel
def _fill(slots, keys):  # type: ignore[no-untyped-def]
    last = np.uint64(len(slots) - 1)
    for number in range(len(keys)):
        slot = keys[number] & last
        while slots[slot, 1]:
            slot = (slot + np.uint64(1)) & last
        slots[slot, 0] = keys[number]
        slots[slot, 1] = np.uint64(number + 1)


@allocating
def _scan(data, ends, table, widths, powers, slots, found):  # type: ignore[no-untyped-def]
    last = np.uint64(len(slots) - 1)
    n_widths = len(widths)
    ring = np.empty(32, np.uint64)  # units of the widest gram
    sums = np.empty(n_widths, np.uint64)
    count = 0
    for text in range(len(ends) - 1):
        sums[:] = np.uint64(0)
        n_units = 0
        word = _OFFSET
        in_word = False
        at, end = ends[text], ends[text + 1]
        while at <= end:
            folded = np.uint32(0)
            if at < end:
                byte = data[at]
                if byte < 0x80:
                    code = np.int64(byte)
                    at += 1
                elif byte < 0xE0:
                    code = (np.int64(byte) & 0x1F) << 6 | (np.int64(data[at + 1]) & 0x3F)
                    at += 2
                elif byte < 0xF0:
                    code = (
                        (np.int64(byte) & 0x0F) << 12
                        | (np.int64(data[at + 1]) & 0x3F) << 6
                        | (np.int64(data[at + 2]) & 0x3F)
                    )
                    at += 3
                else:
                    code = (
                        (np.int64(byte) & 0x07) << 18
                        | (np.int64(data[at + 1]) & 0x3F) << 12
                        | (np.int64(data[at + 2]) & 0x3F) << 6
                        | (np.int64(data[at + 3]) & 0x3F)
                    )
                    at += 4
                folded = table[code] if code < len(table) else np.uint32(0)
            else:
                at += 1
            is_han = folded & np.uint32(0x80000000) != 0
            if folded and not is_han:
                word = (word ^ np.uint64(folded)) * _PRIME
                in_word = True
                continue
            for turn in range(2):  # the word that ends here, then the Chinese character
                if turn == 0:
                    if not in_word:
                        continue
                    unit = word
                else:
                    if not is_han:
                        continue
                    unit = (_OFFSET ^ np.uint64(folded & np.uint32(0x7FFFFFFF))) * _PRIME
                for k in range(n_widths):
                    width = widths[k]
                    if n_units >= width:
                        sums[k] -= ring[(n_units - width) & 31] * powers[k]
                    sums[k] = sums[k] * _BASE + unit
                    if n_units + 1 >= width:
                        key = _mixed(sums[k], np.uint64(width))
                        slot = key & last
                        while slots[slot, 1]:
                            if slots[slot, 0] == key:
                                if count < len(found):
                                    found[count, 0] = text
                                    found[count, 1] = n_units + 1 - width
                                    found[count, 2] = np.int64(slots[slot, 1]) - 1
                                count += 1
                                break
                            slot = (slot + np.uint64(1)) & last
                ring[n_units & 31] = unit
                n_units += 1
            word = _OFFSET
            in_word = False
    return count
