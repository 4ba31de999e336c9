"""Text hashes are equal where the texts say the same up to layout and punctuation."""

import pyarrow as pa
import pytest
import xxhash

from llm_data_assets.dedup.exact import text_hashes


def test_the_hash_is_xxh3_of_the_normalised_text() -> None:
    texts = pa.array(["Hello,\n “World”!", "hello world", "天気がいい。"])
    hashes = text_hashes(texts)
    assert hashes.type == pa.binary(16)
    assert hashes[0].as_py() == xxhash.xxh3_128_digest(b"hello world")
    assert hashes[0] == hashes[1]
    assert hashes[2].as_py() == xxhash.xxh3_128_digest("天気がいい".encode())


def test_texts_without_letters_are_compared_as_they_stand() -> None:
    face, other, padded, *empty = text_hashes(pa.array([":-)", "???", " :-)\n", "", " \n"]))
    assert face == padded
    assert face != other
    assert empty[0] == empty[1]
    assert empty[0] != face


def test_what_needs_python_is_hashed_in_its_own_row() -> None:
    texts = ["plain", "e\u0301tude", "plain", "ｶﾞ", "étude"]
    hashes = text_hashes(pa.array(texts)).to_pylist()
    assert hashes == [text_hashes(pa.array([text]))[0].as_py() for text in texts]
    assert hashes[1] == hashes[4]
    assert text_hashes(pa.array([], pa.string())).type == pa.binary(16)


def test_a_null_text_says_where_it_is() -> None:
    with pytest.raises(ValueError, match="the first at row 0"):
        text_hashes(pa.array([None], pa.string()))
