"""The bytes of a text, without a copy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_data_assets.text.text_bytes import bytes_of


@given(st.text())
def test_they_are_what_encode_gives(text: str) -> None:
    assert bytes(bytes_of(text)) == text.encode()


def test_they_can_only_be_read() -> None:
    assert bytes_of("a text").readonly


def test_lone_surrogates_have_none() -> None:
    with pytest.raises(UnicodeEncodeError, match="surrogates not allowed"):
        bytes_of("half a pair: \ud800")
