"""Which scripts a text's letters and words are of, by the names that Unicode gives characters."""

import unicodedata
from functools import cache

import numpy as np
import pyarrow as pa

from llm_data_assets.kernel import allocating
from llm_data_assets.text.characters import SPACE, TABLE_SIZE, characters
from llm_data_assets.text.kernels import decode, record_of
from llm_data_assets.text.utf8 import utf8

SCRIPTS = (
    "latin", "greek", "cyrillic", "hebrew", "arabic", "devanagari", "thai", "hangul", "kana", "han",
)  # fmt: skip
# The first word of a character's Unicode name, where it is not the script's own.
_NAMED = {"hiragana": "kana", "katakana": "kana", "cjk": "han"}


def script_shares(texts: pa.Array) -> np.ndarray:
    """Of what scripts each text is.

    Args:
        texts: string[n].

    Returns:
        float64[n, len(SCRIPTS) + 1]: of the letters, the share of each script; then of the words
        between spaces that have letters, the share with letters of two scripts, as a word that
        imitates another with foreign letters has. Kana and Han are one there. 0 of nothing.
    """
    out = np.zeros((len(texts), len(SCRIPTS) + 1), np.float64)
    if len(texts):
        _measure(*utf8(texts), characters().records, _letters(), out)
    return out


@cache
def _letters() -> np.ndarray:
    """uint8[TABLE_SIZE]: of each letter, 1 + the number of its script; 0 for all else."""
    numbers = {name: number + 1 for number, name in enumerate(SCRIPTS)}
    table = np.zeros(TABLE_SIZE, np.uint8)
    for code in range(TABLE_SIZE):
        if chr(code).isalpha():
            first = unicodedata.name(chr(code), "").partition(" ")[0].lower().partition("-")[0]
            table[code] = numbers.get(_NAMED.get(first, first), 0)
    return table


@allocating
def _measure(data, offsets, records, letters, out):  # type: ignore[no-untyped-def]
    longest = 0
    for d in range(len(offsets) - 1):
        longest = max(longest, offsets[d + 1] - offsets[d])
    points = np.empty(longest + 1, np.uint32)
    narrow = np.empty(longest + 1, np.uint8)
    kinds = out.shape[1] - 1
    japanese = np.int64(1) << (kinds - 1)  # the last script but one: kana, a bit below Han's
    counts = np.zeros(kinds + 1, np.int64)
    for d in range(len(offsets) - 1):
        n = decode(data, offsets[d], offsets[d + 1], points, narrow)
        counts[:] = 0
        words = 0
        mixed = 0
        seen = np.int64(0)
        for i in range(n + 1):
            if i < n and not record_of(records, points[i]) & SPACE:
                kind = letters[points[i]] if points[i] < TABLE_SIZE else 0
                counts[kind] += 1
                seen |= (np.int64(1) << kind) & ~np.int64(1)
            elif seen:
                if seen & (japanese << 1):
                    seen = (seen | japanese) & ~(japanese << 1)
                words += 1
                mixed += (seen & (seen - 1)) != 0
                seen = np.int64(0)
        total = counts[1:].sum()
        for k in range(kinds):
            out[d, k] = counts[k + 1] / total if total else 0.0
        out[d, kinds] = mixed / words if words else 0.0
