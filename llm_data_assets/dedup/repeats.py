"""Parts of documents that stand elsewhere too: lines, paragraphs, runs of sentences."""

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
import xxhash

from llm_data_assets.dedup.buckets import equal_keys
from llm_data_assets.dedup.normalise import normalise

Kind = Literal["line", "paragraph", "sentences"]
# Raffel et al. 2020, section 2.2: any three-sentence span that stands more than once.
SENTENCES = 3
_DIGITS = re.compile(r"\d")
_PARTS = {"line": re.compile(r"[^\n]+"), "paragraph": re.compile(r"[^\n]+(?:\n(?!\s*\n)[^\n]+)*")}
# A sentence ends in its mark and what closes with it, before a space or at the line's end; marks of
# scripts without spaces end it by themselves.
_SENTENCE = re.compile(r"[^\n]+?(?:[.!?…]+[\"'”’»)\]]*(?=\s|$)|[。！？]+[”’」』）]*|(?=\n)|$)")


class Part(NamedTuple):
    """A part of a text: characters from `start` to before `end`, and the key it is known by."""

    start: int
    end: int
    key: int


def parts(text: str, kind: Kind, min_characters: int = 1) -> Iterator[Part]:
    """The parts of a text that are compared, in order.

    Two parts are equal as CCNet's paragraphs are (Wenzek et al. 2020, section 3.1): without case,
    punctuation and layout, with every digit a 0; by 64 bits of a hash. Parts without letters or
    digits, or shorter than `min_characters`, are left out.
    """
    if kind == "sentences":
        matches = [match for match in _SENTENCE.finditer(text) if match.group().strip()]
        found = [
            (each.end() - len(each.group().lstrip()), each.end() - _trailing(each.group()))
            for each in matches
        ]
        spans = [
            (found[i][0], found[i + SENTENCES - 1][1]) for i in range(len(found) - SENTENCES + 1)
        ]
    else:
        spans = [match.span() for match in _PARTS[kind].finditer(text)]
    for start, end in spans:
        key = _DIGITS.sub("0", normalise(text[start:end]))
        if key and end - start >= min_characters:
            yield Part(start, end, xxhash.xxh3_64_intdigest(key.encode()))


def _trailing(text: str) -> int:
    return len(text) - len(text.rstrip())


def later_copies(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which of many keys stood before.

    Args:
        keys: uint64[n], in the order that decides which copy stays.

    Returns:
        places int64[k], ascending, of keys that stood before; the first place of each int64[k];
        how often each stands in all int64[k].
    """
    members, groups, firsts = equal_keys(keys, keys)
    if not len(members):
        return (np.empty(0, np.int64),) * 3
    first = firsts[groups]
    times = np.bincount(groups)[groups]
    later = np.flatnonzero(members != first)
    later = later[np.argsort(members[later])]
    return tuple(each[later].astype(np.int64) for each in (members, first, times))  # type: ignore[return-value]


def united(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in order, those that touch or overlap made one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found
