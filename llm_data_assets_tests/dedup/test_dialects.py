"""Other toolkits' normalisations and shingles, by the kernels as by the plain reference."""

import pyarrow as pa
import pytest
from datasketch import MinHash

from llm_data_assets.dedup.dialects import NORMALISATIONS, normalisation
from llm_data_assets.dedup.exact import text_hashes, value_hashes
from llm_data_assets.dedup.minhash import (
    shingle_counts,
    shingles,
    signatures,
    signed,
)

TEXT = "The Cat  sat on the Mat, 3.14 times — naïvely for €5.\nNext line"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("default", "the cat sat on the mat 3 14 times naïvely for 5 next line"),
        ("prepared", TEXT),
        ("none", TEXT.replace(" ", "\x1f")),
        ("lower", TEXT.lower()),
        ("datatrove", "the cat sat on the mat 0 times naively for €0 next line"),
        ("data_prep_kit", "the cat sat on the mat 0 times naively for €0 next line"),
        ("redpajama", "the cat sat on the mat 314 times — nai\u0308vely for €5 next line"),
    ],
)
def test_each_toolkit_sees_the_text_its_own_way(name: str, expected: str) -> None:
    assert normalisation(name)(TEXT) == expected


def test_a_decimal_comma_is_a_number_to_one_and_two_numbers_to_the_other() -> None:
    assert normalisation("datatrove")("1,5 m") == "0 m"
    assert normalisation("data_prep_kit")("1,5 m") == "0 0 m"


def test_an_unknown_normalisation_names_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"'dt'\. Try: default, prepared, none, lower, datatrove"):
        normalisation("dt")


@pytest.mark.parametrize("name", NORMALISATIONS)
@pytest.mark.parametrize("unit", ["script", "word", "character"])
@pytest.mark.parametrize("ngram", [1, 3, 24])
def test_the_kernels_shingle_as_the_reference_does(name: str, unit: str, ngram: int) -> None:
    texts = [TEXT, "", "a b", "机器学习是人工智能的一个分支。它很有用。", "  x  ", "two\nlines"]
    how = {"ngram": ngram, "unit": unit, "normalised": name}
    plain = [shingles(text, **how) for text in texts]
    assert shingle_counts(pa.array(texts), **how).tolist() == [len(set(each)) for each in plain]
    same = signatures(pa.array(texts), num_perm=16, scheme="datasketch", **how)
    expected = MinHash.bulk(plain, num_perm=16)
    assert same.tolist() == [list(each.hashvalues) for each in expected]
    fast, counts, _ = signed(pa.array(texts), num_perm=16, **how)
    assert fast.tolist() == signatures(pa.array(texts), num_perm=16, **how).tolist()
    assert counts.tolist() == shingle_counts(pa.array(texts), **how).tolist()


def test_characters_of_a_spaced_script_are_shingles_where_asked_for() -> None:
    assert shingles("Ab cd", ngram=3, unit="character") == [b"abc", b"bcd"]
    assert shingles("Ab cd", ngram=3, unit="character", normalised="none") == [
        b"Ab\x1f",
        b"b\x1fc",
        b"\x1fcd",
    ]


def test_a_text_hash_follows_its_normalisation() -> None:
    texts = pa.array(["Room 101", "room 7"])
    assert len(text_hashes(texts, normalised="datatrove").unique()) == 1
    assert len(text_hashes(texts).unique()) == 2


def test_values_are_hashed_as_they_stand_and_nothing_is_no_value() -> None:
    a, b, again, empty, none = value_hashes(pa.array(["a", "A", "a", "", None])).to_pylist()
    assert a == again != b
    assert len(a) == 16
    assert empty is None and none is None
