"""Tokenizer files of every kind open by their content, and broken ones say what to do."""

import base64
import string

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_data_assets.tokens.given import Tokenizer, open_tokenizer
from llm_data_assets_tests.tokens.models import bpe_model, normal

TEXTS = ["the cat", "", "the <|end|>x cat\n"]
PATTERN = r"\s?\p{L}+|\s|[^\s\p{L}]+"


def ranks(*merged: bytes) -> bytes:
    tokens = [*(bytes([byte]) for byte in range(256)), *merged]
    return b"".join(base64.b64encode(token) + b" %d\n" % rank for rank, token in enumerate(tokens))


def tokenizer_json() -> bytes:
    """A word-level tokenizer, with truncation and padding left on by whoever saved it."""
    tokenizers = pytest.importorskip("tokenizers", reason="the extra `tokenizers` is not installed")
    words = {"[UNK]": 0, "<|end|>": 1, "the": 2, "cat": 3}
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="[UNK]"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    made.add_special_tokens(["<|end|>"])
    made.enable_truncation(2)
    made.enable_padding(length=9)
    return str(made.to_str()).encode()


def ids(tokenizer: Tokenizer, texts: list[str]) -> list[list[int]]:
    found = tokenizer.encode(pa.array(texts))
    return [each.tolist() for each in np.split(found.tokens, found.offsets[1:-1])]


def test_a_tokenizer_json() -> None:
    opened = open_tokenizer(tokenizer_json(), end_token="<|end|>")
    assert (opened.format, opened.vocab_size, opened.unknown) == ("tokenizers", 4, 0)
    # What looks like a special token in a text is text, here an unknown word.
    assert ids(opened, TEXTS) == [[2, 3, 1], [1], [2, 0, 3, 1]]
    assert opened.piece(3) == "cat"


def test_a_rank_file() -> None:
    pytest.importorskip("tiktoken", reason="the extra `tokenizers` is not installed")
    opened = open_tokenizer(ranks(b"th", b"the", b"<|"), pattern=PATTERN)
    assert (opened.format, opened.vocab_size, opened.unknown) == ("tiktoken", 260, -1)
    assert ids(opened, ["the", "the<|endoftext|>"])[0] == [257, 259]
    assert ids(opened, ["<|endoftext|>"])[0].count(259) == 1
    assert opened.piece(257) == "the" and opened.is_byte(65) and not opened.is_byte(257)

    @settings(max_examples=50)
    @given(st.text())
    def round_trip(text: str) -> None:
        assert opened.decode(ids(opened, [text])[0][:-1]) == text

    round_trip()


def test_a_sentencepiece_model() -> None:
    opened = open_tokenizer(bpe_model(normal("▁", *string.ascii_lowercase)))
    assert (opened.format, opened.vocab_size, opened.unknown) == ("sentencepiece", 286, 0)
    assert opened.is_byte(3) and opened.piece(260) == "a"
    assert opened.decode(ids(opened, ["a b"])[0]) == "a b"


BROKEN = {
    "not a tokenizer.json": b'{"model": {}}',
    "no token of this tokenizer.json": None,
    "is no base64 token and number": ranks() + b"no line\n",
    "the rank file is not whole": b"".join(ranks().splitlines(True)[1:]),
    "not a SentencePiece model": b"\x7fELF and so on",
}


@pytest.mark.parametrize("says", BROKEN)
def test_broken_files_say_what_is_wrong_and_what_to_do(says: str) -> None:
    for package in ("tokenizers", "tiktoken"):
        pytest.importorskip(package, reason="the extra `tokenizers` is not installed")
    model = BROKEN[says] or tokenizer_json()
    with pytest.raises(ValueError, match=says) as raised:
        open_tokenizer(model, pattern=PATTERN, end_token="</s>")
    assert "Try:" in str(raised.value)


def test_a_rank_file_needs_a_pattern() -> None:
    pytest.importorskip("tiktoken", reason="the extra `tokenizers` is not installed")
    with pytest.raises(ValueError, match=r"Try: tokenizer\.pattern"):
        open_tokenizer(ranks())
    with pytest.raises(ValueError, match=r"tokenizer\.pattern cannot be used"):
        open_tokenizer(ranks(), pattern="(")


def test_a_tokenizer_json_names_the_tokens_that_could_end_a_document() -> None:
    with pytest.raises(ValueError, match=r"Try: <\|end\|>"):
        open_tokenizer(tokenizer_json())
