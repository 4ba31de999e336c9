"""What a word is in this room: for ROUGE-L, scores and vectors alike.

ROUGE over ASCII words finds nothing in Chinese, so a character of a script without spaces is a word
of its own.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from llm_data_assets.instructions.kernels_words import (
    ALONE,
    SPACE,
    WORD,
    hash_character_grams,
    hash_words,
)

# Han, kana, Thai, Lao, Khmer, Burmese: one character a word.
_ALONE = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_AT_A_TIME = 10_000
_WORD = re.compile(f"[{_ALONE}]|[^\\W{_ALONE}]+")


def words(text: str) -> list[str]:
    """The words of a text in lower case: the plain reference of `word_hashes`.

    Example:
        >>> words("Explain GPUs, 请解释")
        ['explain', 'gpus', '请', '解', '释']
    """
    return _WORD.findall(text.lower())


def word_hashes(texts: Sequence[str | None]) -> tuple[np.ndarray, np.ndarray]:
    """A 64-bit hash of each word of `words`, for many texts.

    Returns:
        uint64[...] and int64[n + 1]: the hashes in order, and where those of each text begin.
        None has no words.
    """
    return _hashed(hash_words, texts)


def character_gram_hashes(texts: Sequence[str | None]) -> tuple[np.ndarray, np.ndarray]:
    """As `word_hashes`, of the runs of two to four characters within words (`char_wb`)."""
    return _hashed(hash_character_grams, texts)


def _hashed(
    kernel: Callable[..., tuple[np.ndarray, np.ndarray]], texts: Sequence[str | None]
) -> tuple[np.ndarray, np.ndarray]:
    """What a kernel says of the texts, some at a time: code points take four times their bytes."""
    found, starts = [np.empty(0, np.uint64)], np.zeros(len(texts) + 1, np.int64)
    for first in range(0, len(texts), _AT_A_TIME):
        hashes, ends = kernel(*_points(texts[first : first + _AT_A_TIME]), _classes())
        starts[first + 1 : first + len(ends)] = starts[first] + ends[1:]
        found.append(hashes)
    return np.concatenate(found), starts


def _points(texts: Sequence[str | None]) -> tuple[np.ndarray, np.ndarray]:
    """(uint32[...], int64[n + 1]): the code points of all texts in lower case."""
    lowered = [(text or "").lower() for text in texts]
    starts = np.zeros(len(lowered) + 1, np.int64)
    np.cumsum([len(text) for text in lowered], out=starts[1:])
    return np.frombuffer("".join(lowered).encode("utf-32-le", "surrogatepass"), np.uint32), starts


@cache
def _classes() -> np.ndarray:
    """uint8[0x110000]: what each code point is to `_WORD` and to `str.split`."""
    every = list(map(chr, range(0x110000)))
    classes = np.fromiter((each.isalnum() for each in every), np.uint8, len(every))
    classes[[each.isspace() for each in every]] = SPACE
    classes[ord("_")] = WORD
    for first, last in re.findall("(.)-(.)", _ALONE):
        classes[ord(first) : ord(last) + 1] = ALONE
    return classes
