"""What a reader yields can always be stored: UTF-8 text, strict JSON, bounded errors."""

import json
import math
from datetime import date
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.storable import storable, without_surrogates

ANY_TEXT = st.text(st.characters(codec=None, categories=("Cs", "L", "Cc")), max_size=20)


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"a": value}
    return value


@settings(max_examples=50, deadline=None)
@given(text=ANY_TEXT)
def test_text_can_be_stored_and_text_that_could_be_is_as_it_was(text: str) -> None:
    cleaned = without_surrogates(text)
    pa.array([cleaned], pa.string()).validate(full=True)
    assert without_surrogates(cleaned) == cleaned
    if all(not 0xD800 <= ord(character) <= 0xDFFF for character in text):
        assert cleaned == text


def test_halves_of_a_pair_are_joined_and_lone_ones_replaced() -> None:
    assert without_surrogates("\ud83d\ude00 \ud83d \ude00") == "\U0001f600 \ufffd \ufffd"


def test_every_field_is_cleaned() -> None:
    document = Document(
        "\ud800",
        0,
        "\ud800",
        "\ud800",
        "\ud800",
        "\ud800",
        "\ud800",
        "\ud800",
        {"\ud800": "\ud800"},
    )
    bad = "\ufffd"
    assert storable(document) == Document(bad, 0, bad, bad, bad, bad, bad, bad, {bad: bad})


def test_metadata_is_strict_json() -> None:
    meta = {
        "nan": math.nan,
        "infinite": [math.inf, 1.5],
        "day": date(2020, 1, 2),
        "image": b"123",
        "pair": (1, None),
        "flag": True,
    }
    record = storable(Document("t", 0, meta=meta))
    assert isinstance(record, Document)
    assert json.loads(json.dumps(record.meta, allow_nan=False)) == {
        "nan": None,
        "infinite": [None, 1.5],
        "day": "2020-01-02",
        "image": "<3 bytes>",
        "pair": [1, None],
        "flag": True,
    }


def test_metadata_nested_too_deeply_makes_a_reject() -> None:
    assert isinstance(storable(Document("t", 7, meta=nested(60))), Document)
    assert storable(Document("text", 7, meta=nested(900))) == Reject(
        7, "nested too deeply: over 64 levels", b"text"
    )


def test_a_reject_is_bounded() -> None:
    assert storable(Reject(3, "reason: \ud800" + "x" * 9_999, b"y" * 999)) == Reject(
        3, ("reason: \ufffd" + "x" * 9_999)[:400], b"y" * 80
    )
