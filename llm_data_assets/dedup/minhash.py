"""MinHash signatures of texts: what near-duplicates are found by."""

from collections.abc import Iterator
from functools import cache
from typing import Literal

import numpy as np
import pyarrow as pa

from llm_data_assets.dedup.chunks import over_chunks
from llm_data_assets.dedup.codepoints import code_points
from llm_data_assets.dedup.dialects import DEFAULT, normalisation
from llm_data_assets.dedup.exact import hash_array, hash_keys
from llm_data_assets.dedup.kernels import (
    BY_SCRIPT,
    CHARACTERS,
    CHARACTERS_PER_WORD,
    WORDS,
    fold_texts,
    hash_shingles,
    take_minima,
)
from llm_data_assets.dedup.kernels_sets import count_distinct, sorted_sets
from llm_data_assets.dedup.normalise import is_unspaced
from llm_data_assets.dedup.sha1 import sha1_shingles

Scheme = Literal["fast", "datasketch"]
Unit = Literal["script", "word", "character"]
_UNITS = {"script": BY_SCRIPT, "word": WORDS, "character": CHARACTERS}


def shingles(
    text: str, *, ngram: int = 5, unit: Unit = "script", normalised: str = DEFAULT
) -> list[bytes]:
    """What is hashed of a text, in order, repeats included: the plain reference of both schemes.

    Runs of `ngram` words of the normalised text, joined by single spaces. A text mostly in a
    script without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese: `normalise.is_unspaced`)
    gives runs of `2 * ngram` characters, spaces left out. A text shorter than one run gives one
    shingle of what is there; a text without letters or digits gives none.

    Args:
        unit: `script` decides as above; `word` takes words of every text, `character` runs of
            `ngram` characters.
        normalised: a name of `dialects.NORMALISATIONS`.

    Example:
        >>> shingles("The cat sat on the mat.", ngram=4)
        [b'the cat sat on', b'cat sat on the', b'sat on the mat']
    """
    key = normalisation(normalised)(text)
    by_character = unit == "character" or (unit == "script" and is_unspaced(key))
    if by_character:
        tokens, joint = list(key.replace(" ", "")), ""
        width = ngram if unit == "character" else CHARACTERS_PER_WORD * ngram
    else:
        tokens, joint, width = [word for word in key.split(" ") if word], " ", ngram
    count = max(1, len(tokens) - width + 1) if tokens else 0
    return [joint.join(tokens[i : i + width]).encode() for i in range(count)]


def signatures(
    texts: pa.Array,
    *,
    num_perm: int = 112,
    ngram: int = 5,
    seed: int = 1,
    scheme: Scheme = "fast",
    unit: Unit = "script",
    normalised: str = DEFAULT,
) -> np.ndarray:
    """MinHash signature of every text over its `shingles`.

    Both schemes are datasketch 2.0's `MinHash(num_perm, seed)` with its default permutations
    (`affine32`), so either works with everything datasketch has. They differ in the 32-bit hash
    of a shingle: `datasketch` takes the library's own, the first four bytes of SHA-1, and gives
    value for value what the library gives; `fast` takes the low half of the 64-bit hash of
    `kernels.hash_shingles`, which costs a hundredth of it.

    Args:
        texts: string or large_string, without nulls.
        num_perm: permutations; 112 is FineWeb's 14 bands of 8 rows (Penedo et al. 2024).
        ngram, unit, normalised: as `shingles` has them.
        seed: of the permutations; signatures of different seeds do not compare.

    Returns:
        uint32[len(texts), num_perm]; 0xFFFFFFFF throughout where a text has no shingles.

    Raises:
        ValueError: a null text, an ngram or num_perm below 1, or an unknown name.
    """
    hashed = _hashes(texts, ngram, scheme, unit, normalised)
    return _signed(hashed, len(texts), num_perm, seed, None)


def signed(
    texts: pa.Array,
    *,
    num_perm: int = 112,
    ngram: int = 5,
    seed: int = 1,
    unit: Unit = "script",
    normalised: str = DEFAULT,
) -> tuple[np.ndarray, np.ndarray, pa.FixedSizeBinaryArray]:
    """`signatures` (fast), `shingle_counts` and `exact.text_hashes` of texts, folded once for all.

    A chunk is hashed and signed while it lies folded in the core's own cache: two processes share
    the next one, and what they read from memory.
    """
    counts, digests = np.empty(len(texts), np.int32), np.empty(len(texts), "V16")
    hashed = _hashes_of_keys(texts, ngram, unit, normalised, digests)
    return _signed(hashed, len(texts), num_perm, seed, counts), counts, hash_array(digests)


def shingle_counts(
    texts: pa.Array, *, ngram: int = 5, unit: Unit = "script", normalised: str = DEFAULT
) -> np.ndarray:
    """Number of distinct shingles of every text, int32[len(texts)]."""
    counts = [count_distinct(*each) for each in _hashes(texts, ngram, "fast", unit, normalised)]
    return np.concatenate([np.empty(0, np.int32), *counts])


def shingle_sets(
    texts: pa.Array, *, ngram: int = 5, unit: Unit = "script", normalised: str = DEFAULT
) -> tuple[np.ndarray, np.ndarray]:
    """The set of 64-bit shingle hashes of every text.

    Returns:
        values uint64[...], sorted and distinct within each text; offsets int64[len(texts) + 1].
    """
    sets, sizes = [np.empty(0, np.uint64)], [np.zeros(1, np.int64)]
    for values, offsets in chunked_shingle_sets(texts, ngram, unit, normalised):
        sets.append(values)
        sizes.append(np.diff(offsets))
    return np.concatenate(sets), np.cumsum(np.concatenate(sizes))


def chunked_shingle_sets(
    texts: pa.Array, ngram: int, unit: Unit, normalised: str
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """`shingle_sets` of some texts after the others, each time of as many as fit a cache."""
    for hashed in _hashes(texts, ngram, "fast", unit, normalised):
        yield sorted_sets(*hashed)


def _signed(
    hashed: Iterator[tuple[np.ndarray, np.ndarray]],
    n: int,
    num_perm: int,
    seed: int,
    counts: np.ndarray | None,
) -> np.ndarray:
    if num_perm < 1:
        raise ValueError(f"num_perm is {num_perm}. Try: at least 1; 112 is the default")
    out = np.empty((n, num_perm), np.uint32)
    a, b = _permutations(num_perm, seed)
    row = 0
    for hashes, offsets in hashed:
        end = row + len(offsets) - 1
        take_minima(hashes, offsets, a, b, out[row:end])
        if counts is not None:
            counts[row:end] = count_distinct(hashes, offsets)
        row = end
    return out


def _hashes(
    texts: pa.Array, ngram: int, scheme: str, unit: str, normalised: str
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    _refuse_unknown(ngram, unit)
    if scheme == "fast":
        yield from over_chunks(texts, hash_shingles, ngram, _UNITS[unit], normalised=normalised)
    elif scheme == "datasketch":
        for keys, offsets in over_chunks(texts, fold_texts, normalised=normalised):
            yield sha1_shingles(keys, offsets, ngram, _UNITS[unit])
    else:
        raise ValueError(f"scheme is {scheme!r}. Try: 'fast' or 'datasketch'")


def _hashes_of_keys(
    texts: pa.Array, ngram: int, unit: str, normalised: str, digests: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    _refuse_unknown(ngram, unit)
    row = 0
    for keys, offsets in over_chunks(texts, fold_texts, normalised=normalised):
        row = hash_keys(keys, offsets, texts, digests, row)
        keys.flags.writeable = False  # as texts are: the kernel is not compiled once more
        hashes, ends, _ = hash_shingles(keys, offsets, True, *code_points(), ngram, _UNITS[unit])
        yield hashes, ends


def _refuse_unknown(ngram: int, unit: str) -> None:
    if ngram < 1:
        raise ValueError(f"ngram is {ngram}. Try: at least 1; 5 words is the default")
    if unit not in _UNITS:
        raise ValueError(f"unit is {unit!r}. Try: {', '.join(_UNITS)}")


@cache
def _permutations(num_perm: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """datasketch 2.0's `affine32` permutations: an odd factor and an addend, uint32 each."""
    random = np.random.RandomState(seed)
    half = random.randint(0, 1 << 31, num_perm, dtype=np.uint32)
    return half * np.uint32(2) + np.uint32(1), random.randint(0, 1 << 32, num_perm, dtype=np.uint32)
