"""The bytes of a text, without a copy, and columns made of such."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_data_assets.text.text_bytes import bytes_of
from llm_data_assets.text.utf8 import text_column


@given(st.text())
def test_they_are_what_encode_gives(text: str) -> None:
    assert bytes(bytes_of(text)) == text.encode()


def test_they_can_only_be_read() -> None:
    assert bytes_of("a text").readonly


def test_lone_surrogates_have_none() -> None:
    with pytest.raises(UnicodeEncodeError, match="surrogates not allowed"):
        bytes_of("half a pair: \ud800")


@given(st.lists(st.tuples(st.text(), st.booleans())))
def test_a_column_of_strings_and_views_is_one_of_strings(texts: list[tuple[str, bool]]) -> None:
    column = text_column([memoryview(text.encode()) if view else text for text, view in texts])
    column.validate(full=True)
    assert column.equals(pa.array([text for text, _ in texts], pa.string()))
