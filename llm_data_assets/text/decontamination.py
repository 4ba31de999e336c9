"""Which benchmark question a document contains, by shared n-grams of words."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

_CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
# A Chinese character is a unit of its own, wherever it stands; else a word is.
_UNIT = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]|[^\\W\u3400-\u4dbf\u4e00-\u9fff]+")
MAX_WORDS = 13  # GPT-3 (Brown et al. 2020, appendix C)
MIN_WORDS = 8  # shorter grams are common speech
CHINESE_CHARACTERS = 30  # 13 characters of Chinese are common speech


@dataclass(frozen=True)
class NgramIndex:
    """The n-grams of all questions: gram -> questions, and how many grams each question has."""

    grams: dict[int, dict[str, tuple[str, ...]]]
    sizes: dict[str, int]


def build_index(questions: Iterable[tuple[str, str]], *, n: int = MAX_WORDS) -> NgramIndex:
    """Index (question id, text) pairs by grams of `n` words, fewer for shorter questions.

    A question under 8 words (30 characters in Chinese) cannot be told from common speech and is
    left out. Texts under one id count as one question.
    """
    grams: dict[int, dict[str, list[str]]] = {}
    sizes: dict[str, int] = {}
    for name, text in questions:
        units = _units(text)
        is_chinese = 2 * sum(1 for unit in units if _CHINESE.match(unit)) > len(units)
        width = CHINESE_CHARACTERS if is_chinese else min(n, len(units))
        if width < MIN_WORDS or len(units) < width:
            continue
        found = _grams(units, width)
        sizes[name] = sizes.get(name, 0) + len(found)
        for gram in found:
            grams.setdefault(width, {}).setdefault(gram, []).append(name)
    return NgramIndex(
        {
            width: {gram: tuple(names) for gram, names in by_gram.items()}
            for width, by_gram in grams.items()
        },
        sizes,
    )


def overlap(text: str, index: NgramIndex) -> tuple[float, str | None]:
    """Share of the best-matching question's n-grams that stand in `text`, and its id."""
    hits: dict[str, int] = {}
    units = _units(text)
    for width, by_gram in index.grams.items():
        for gram in _grams(units, width):
            for name in by_gram.get(gram, ()):
                hits[name] = hits.get(name, 0) + 1
    if not hits:
        return 0.0, None
    share, name = max((count / index.sizes[name], name) for name, count in hits.items())
    return share, name


def _units(text: str) -> list[str]:
    return _UNIT.findall(unicodedata.normalize("NFKC", text).lower())


def _grams(units: list[str], width: int) -> set[str]:
    return {" ".join(units[i : i + width]) for i in range(len(units) - width + 1)}
