"""Signatures: identical to datasketch where that is asked for, pinned and sound where not."""

import numpy as np
import pyarrow as pa
import pytest
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_data_assets.dedup.minhash import shingle_counts, shingle_sets, shingles, signatures
from llm_data_assets.dedup.normalise import is_unspaced, normalise

TEXTS = [
    "The cat sat on the mat, and the dog — “Rex” — lay by the door.",
    "one",
    "",
    "?! …",
    "three small words",
    "我们今天去公园散步，然后回家吃饭。天气很好，大家都很高兴。",
    "中文 mixed with 日本語の文章がここにあります",
    "Straße İstanbul cafe\u0301 ½ ｶﾞ " * 30,
    "supercalifragilisticexpialidocious " * 3 + "x" * 300 + " y" * 7,
    "same same same same same same same same",
    "a" * 55 + " " + "b" * 8 + " c d e f g",
]
MASK = (1 << 64) - 1


def hash_of(shingle: bytes, is_unspaced: bool) -> int:
    """The `fast` hash of a shingle, in plain Python."""
    tokens = [c.encode() for c in shingle.decode()] if is_unspaced else shingle.split()
    total = 0
    for token in tokens:
        h = 0
        for at in range(0, len(token), 16):
            first = int.from_bytes(token[at : at + 8], "little")
            second = int.from_bytes(token[at + 8 : at + 16], "little")
            h = ((h ^ first) * 0x9E3779B185EBCA87 + second * 0xC2B2AE3D27D4EB4F) & MASK
            h ^= h >> 32
        total = (total * 0xC2B2AE3D27D4EB4F + h) & MASK
    total = ((total ^ total >> 33) * 0xFF51AFD7ED558CCD) & MASK
    total = ((total ^ total >> 33) * 0xC4CEB9FE1A85EC53) & MASK
    return total ^ total >> 33


def by_datasketch(shingled: list[bytes], num_perm: int, seed: int = 1, **arguments) -> np.ndarray:
    sketch = MinHash(num_perm, seed=seed, **arguments)
    sketch.update_batch(shingled)
    return sketch.hashvalues


def test_shingles_are_runs_of_words() -> None:
    assert shingles("The cat sat on the mat.", ngram=4) == [
        b"the cat sat on",
        b"cat sat on the",
        b"sat on the mat",
    ]


def test_a_short_text_is_one_shingle_and_nothing_is_none() -> None:
    assert shingles("Only three words!") == [b"only three words"]
    assert shingles("") == []
    assert shingles("—?!—") == []


def test_texts_without_spaces_are_shingled_by_twice_as_many_characters() -> None:
    assert shingles("今天天气很好，我们去公园。", ngram=5) == [
        "今天天气很好我们去公".encode(),
        "天天气很好我们去公园".encode(),
    ]
    assert shingles("ภาษาไทย", ngram=3) == ["ภาษาไท".encode(), "าษาไทย".encode()]
    assert shingles("한국어는 띄어 쓴다", ngram=2) == [
        "한국어는 띄어".encode(),
        "띄어 쓴다".encode(),
    ]


@pytest.mark.parametrize(("num_perm", "ngram", "seed"), [(112, 5, 1), (16, 1, 7), (128, 13, 42)])
def test_scheme_datasketch_is_datasketch(num_perm: int, ngram: int, seed: int) -> None:
    ours = signatures(
        pa.array(TEXTS), num_perm=num_perm, ngram=ngram, seed=seed, scheme="datasketch"
    )
    theirs = [by_datasketch(shingles(text, ngram=ngram), num_perm, seed) for text in TEXTS]
    np.testing.assert_array_equal(ours, np.array(theirs))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.sampled_from("abé漢字 \n.’"), max_size=300), max_size=6))
def test_scheme_datasketch_is_datasketch_for_any_text(texts: list[str]) -> None:
    ours = signatures(pa.array(texts, pa.string()), num_perm=8, ngram=3, scheme="datasketch")
    for text, signature in zip(texts, ours, strict=True):
        np.testing.assert_array_equal(signature, by_datasketch(shingles(text, ngram=3), 8))


@pytest.mark.parametrize("size", [54, 55, 56, 63, 64, 65, 118, 119, 120, 121, 1000])
def test_sha1_is_right_at_the_edges_of_its_blocks(size: int) -> None:
    text = "x" * size
    ours = signatures(pa.array([text, "a", text]), num_perm=4, scheme="datasketch")
    np.testing.assert_array_equal(ours[0], by_datasketch([text.encode()], 4))
    np.testing.assert_array_equal(ours[0], ours[2])


def test_scheme_fast_is_datasketch_with_another_hash() -> None:
    ours = signatures(pa.array(TEXTS), num_perm=32)
    for text, signature in zip(TEXTS, ours, strict=True):
        unspaced = is_unspaced(normalise(text))
        theirs = by_datasketch(
            shingles(text), 32, hashfunc=lambda s, u=unspaced: hash_of(s, u) & 0xFFFFFFFF
        )
        np.testing.assert_array_equal(signature, theirs)


def test_scheme_fast_is_pinned() -> None:
    """A change here changes every stored signature: raise the code version of the stage."""
    texts = pa.array([TEXTS[0], "one", "", "我们今天去公园散步，然后回家吃饭。"])
    assert signatures(texts, num_perm=4).tolist() == [
        [407296706, 169024989, 222314423, 474670155],
        [3170792418, 2750238552, 2092227436, 3488927326],
        [4294967295, 4294967295, 4294967295, 4294967295],
        [95368029, 230484929, 509845, 686312845],
    ]
    values, _ = shingle_sets(pa.array(["one two three four five six"]))
    assert values.tolist() == [0x58C4FB5805160237, 0xDCF391FF134E79F5]


def test_sets_hold_the_hash_of_each_distinct_shingle() -> None:
    values, offsets = shingle_sets(pa.array(TEXTS))
    assert values.dtype == np.uint64
    for row, text in enumerate(TEXTS):
        unspaced = is_unspaced(normalise(text))
        expected = sorted({hash_of(each, unspaced) for each in shingles(text)})
        assert values[offsets[row] : offsets[row + 1]].tolist() == expected
    assert shingle_counts(pa.array(TEXTS)).tolist() == [len(set(shingles(t))) for t in TEXTS]
    assert shingle_counts(pa.array(TEXTS)).dtype == np.int32


@pytest.mark.parametrize("scheme", ["fast", "datasketch"])
def test_a_text_has_one_signature_whatever_stands_around_it(scheme: str) -> None:
    alone = np.concatenate([signatures(pa.array([t]), num_perm=8, scheme=scheme) for t in TEXTS])
    many = pa.array(["pad " * 40_000, *TEXTS, "pad " * 40_000, None])[1:-1]
    sliced = signatures(many, num_perm=8, scheme=scheme)
    np.testing.assert_array_equal(alone, sliced[: len(TEXTS)])
    chunked = pa.chunked_array([TEXTS[:3], [], TEXTS[3:]], pa.large_string())
    np.testing.assert_array_equal(alone, signatures(chunked, num_perm=8, scheme=scheme))


def test_texts_of_nothing_have_the_empty_signature() -> None:
    assert signatures(pa.array(["", "!?"]), num_perm=2).tolist() == [[0xFFFFFFFF] * 2] * 2
    assert signatures(pa.array([], pa.string())).shape == (0, 112)


def test_five_megabytes_in_one_line_are_one_document() -> None:
    words = pa.array([" ".join(f"w{i % 70_000}" for i in range(800_000)), "x" * 5_000_000])
    assert shingle_counts(words).tolist() == [70_000, 1]
    assert signatures(words, num_perm=4).shape == (2, 4)


def test_what_cannot_be_signed_says_so() -> None:
    with pytest.raises(ValueError, match="1 of 2 texts are null, the first at row 1"):
        signatures(pa.array(["a", None]))
    with pytest.raises(TypeError, match="texts are int64, not string"):
        signatures(pa.array([1]))
    with pytest.raises(ValueError, match="ngram is 0"):
        signatures(pa.array(["a"]), ngram=0)
    with pytest.raises(ValueError, match="num_perm is 0"):
        signatures(pa.array(["a"]), num_perm=0)
    with pytest.raises(ValueError, match="scheme is 'slow'"):
        signatures(pa.array(["a"]), scheme="slow")  # type: ignore[arg-type]


@pytest.mark.parametrize("scheme", ["fast", "datasketch"])
@pytest.mark.parametrize("shared", [50, 150, 240])
def test_agreement_estimates_jaccard(scheme: str, shared: int) -> None:
    """The mean over 300 pairs of 112 values is within four standard errors of the truth."""
    size, pairs, num_perm = 300, 300, 112
    s = shared / (2 * size - shared)
    random = np.random.default_rng(3)
    left, right = [], []
    for pair in range(pairs):
        words = random.permutation(2 * size - shared)
        left.append(" ".join(f"{pair}w{w}" for w in words[:size]))
        right.append(" ".join(f"{pair}w{w}" for w in words[size - shared :]))
    a = signatures(pa.array(left), num_perm=num_perm, ngram=1, scheme=scheme)
    b = signatures(pa.array(right), num_perm=num_perm, ngram=1, scheme=scheme)
    error = (s * (1 - s) / (pairs * num_perm)) ** 0.5
    assert abs((a == b).mean() - s) < 4 * error
