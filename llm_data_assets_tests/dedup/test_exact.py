"""Text hashes are equal where the texts say the same up to layout and punctuation."""

from typing import Any

import pyarrow as pa
import pytest
import xxhash

from llm_data_assets.dedup import chunks
from llm_data_assets.dedup.exact import folded, text_hashes
from llm_data_assets.dedup.minhash import shingle_counts, signatures, signed
from llm_data_assets.dedup.normalise import normalise


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


@pytest.mark.parametrize("how", [{}, {"unit": "word"}, {"unit": "character"}])
def test_texts_folded_once_serve_hashes_and_signatures(how: dict[str, Any]) -> None:
    texts = pa.array(["Étude — No 5!", "e\u0301tude", "…", "天気がいい。" * 9, "ก็ ดี" * 9, "ą" * 9])
    values, counts, hashes = signed(texts.slice(1), **how)
    assert hashes.equals(text_hashes(texts).slice(1))
    keys = folded(texts.slice(1))
    assert keys.to_pylist() == [normalise(text) for text in texts.slice(1).to_pylist()]
    for same, settings in ((keys, {"normalised": "prepared"}), (texts.slice(1), {})):
        assert values.tolist() == signatures(same, **settings, **how).tolist()
        assert counts.tolist() == shingle_counts(same, **settings, **how).tolist()


def test_texts_of_several_chunks_are_signed_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = pa.array(["one two", "", "e\u0301tude no 5", "…", "天気がいい。" * 9, "one, two!"] * 5)
    whole = signed(texts)
    monkeypatch.setattr(chunks, "_CHUNK_BYTES", 20)
    for found, expected in zip(signed(texts), whole, strict=True):
        assert found.tolist() == expected.tolist()


def test_a_null_text_says_where_it_is() -> None:
    with pytest.raises(ValueError, match="the first at row 0"):
        text_hashes(pa.array([None], pa.string()))
