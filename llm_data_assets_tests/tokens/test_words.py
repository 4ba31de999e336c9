"""Words are what stands between ASCII's white space, as Arrow's expression has them."""

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given
from hypothesis import strategies as st

from llm_data_assets.tokens.words import count_words

TEXTS = st.lists(st.text(st.sampled_from("ab é中🙂\t\n\r\x0b\x0c\u00a0\u2028")) | st.text())


@given(TEXTS)
def test_words_are_counted_as_by_the_expression(texts: list[str]) -> None:
    array = pa.array(["before", *texts], pa.string()).slice(1)
    assert count_words(array).tolist() == pc.count_substring_regex(array, r"\S+").to_pylist()
