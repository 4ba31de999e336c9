"""Records in JSON: lines, arrays, and which of their fields is what."""

import io
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_data_assets.sources import json_array
from llm_data_assets.sources.document import Document, UnreadableFileError
from llm_data_assets.sources.json_array import elements
from llm_data_assets.sources.jsonl import parsed
from llm_data_assets.sources.mapping import FieldMapping, iso_date, to_document
from llm_data_assets_tests.sources.reading import read, read_bytes, reasons

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(), inner)),
    max_leaves=8,
)

_NUMBER = r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?"
_WRITTEN = st.recursive(
    st.from_regex(_NUMBER, fullmatch=True)
    | st.text().map(json.dumps)
    | st.text(st.characters(codec="utf-8")).map(lambda each: json.dumps(each, ensure_ascii=False))
    | st.sampled_from(["null", "true", "false", "NaN", "-Infinity", "Infinity", '"\\ud800"', '""']),
    lambda inner: (
        st.lists(inner).map(lambda each: "[" + ", ".join(each) + "]")
        | st.lists(inner).map(lambda each: "{" + ", ".join(f'"k": {value}' for value in each) + "}")
    ),
)


def test_fields_are_found_by_dotted_path_and_the_rest_is_metadata() -> None:
    record = {
        "content": {"title": "Ferry", "body": "One."},
        "note": "Two.",
        "meta": {"url": "https://example.org", "lang": "en"},
        "a.b": 3,
        "rights": {"not": "a scalar"},
    }
    mapping = FieldMapping(
        text=["content.body", "note", "gone"],
        id="a.b",
        url="meta.url",
        title="content.title",
        language="meta.lang",
        license="rights",
    )
    assert to_document(record, mapping, 9, b"") == Document(
        text="One.\n\nTwo.",
        offset=9,
        native_id="3",
        url="https://example.org",
        title="Ferry",
        language="en",
        meta={
            "content": record["content"],
            "meta": record["meta"],
            "rights": {"not": "a scalar"},
        },
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2019-04-25T12:57:54Z", "2019-04-25T12:57:54Z"),
        ("2019-04-25 12:57:54", "2019-04-25T12:57:54"),
        ("2019-04-25 12:57:54+02:00", "2019-04-25T12:57:54+02:00"),
        ("last summer", "last summer"),
        (1556197074, "2019-04-25T12:57:54Z"),
        (1556197074.9, "2019-04-25T12:57:54Z"),
        (1556197074000, "2019-04-25T12:57:54Z"),  # milliseconds, as in RedPajama's arXiv set
        (-5, "-5"),
        (10**18, "1000000000000000000"),
        (True, "True"),
        (None, None),
        (date(2019, 4, 25), "2019-04-25"),
        (datetime(2019, 4, 25, 12, 57, 54, tzinfo=UTC), "2019-04-25T12:57:54Z"),
        (datetime(2019, 4, 25, 12, 57, 54), "2019-04-25T12:57:54"),
    ],
)
def test_dates_as_publishers_write_them(value: Any, expected: str | None) -> None:
    assert iso_date(value) == expected


def test_numbers_that_json_does_not_have_are_null_in_metadata(tmp_path: Path) -> None:
    (document,), _ = read_bytes(
        tmp_path, b'{"text": "t", "a": NaN, "b": [1e999], "c": -Infinity}\n', "jsonl"
    )
    assert document.meta == {"a": None, "b": [None], "c": None}


def test_nul_and_escapes_are_text_as_any_other(tmp_path: Path) -> None:
    (document,), _ = read_bytes(tmp_path, rb'{"text": "a\u0000b\/c\ud83d\ude00"}', "jsonl")
    assert document.text == "a\0b/c\U0001f600"


@given(_WRITTEN)
def test_a_line_is_read_as_json_reads_it(line: str) -> None:
    assert repr(parsed(line.encode())) == repr(json.loads(line))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"text": "\xff\xfe"}', "not json"),
        (b'{"text": "t", "meta": ' + b'{"a": ' * 200 + b"1" + b"}" * 201, "nested too deeply"),
        (b'{"text": "t", "n": ' + b"9" * 5_000 + b"}", "not json"),
        (b"\x00\x00", "not json"),
    ],
    ids=["not utf-8", "deep", "long number", "nul"],
)
def test_a_line_that_cannot_be_stored_costs_that_line(
    tmp_path: Path, line: bytes, reason: str
) -> None:
    good = b'{"text": "good"}\n'
    documents, rejects = read_bytes(tmp_path, good + line + b"\n\n  \n" + good, "jsonl")
    assert [each.offset for each in documents] == [0, len(good) + len(line) + 5]
    assert [(each.error.split(":")[0], each.offset) for each in rejects] == [(reason, len(good))]


def test_a_long_line_is_passed_over_to_the_next(tmp_path: Path) -> None:
    long = b'{"text": "' + b"x" * (3 << 20) + b'"}\n'
    data = b'{"text": "a"}\n' + long + b'{"text": "b"}'
    documents, rejects = read_bytes(tmp_path, data, "jsonl", max_line_bytes=100)
    assert [each.text for each in documents] == ["a", "b"]
    assert documents[1].offset == 14 + len(long)
    assert rejects[0].error == "line too long: over 100 bytes"
    assert rejects[0].first_bytes == long[:80]


def test_c4_passes_over_blank_lines_and_reports_broken_ones(tmp_path: Path) -> None:
    line = b'{"text":"a","timestamp":"2019-04-25 12:57:54","url":"http:\\/\\/x.org\\/"}\n'
    (document,), rejects = read_bytes(tmp_path, line + b"\n{\n\n", "c4")
    assert (document.url, document.created_at) == ("http://x.org/", "2019-04-25T12:57:54Z")
    assert document.meta == {}
    assert reasons(rejects) == ["not json"]


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(JSON, max_size=6), indent=st.sampled_from([None, 1]), block=st.integers(1, 9)
)
def test_an_array_is_read_as_json_reads_it(
    values: list[Any], indent: int | None, block: int
) -> None:
    data = b"\xef\xbb\xbf \n" + json.dumps(values, indent=indent, ensure_ascii=False).encode()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(json_array, "_BLOCK", block)
        assert list(elements(io.BytesIO(data), "a.json")) == values


@pytest.mark.parametrize(
    ("data", "before", "message"),
    [
        (b'{"a": 1}', [], r"^not an array: a.json starts with "),
        (b"", [], r"^not an array: a.json starts with ''"),
        (b"[1, 2", [1, 2], r"^not json: a.json: the end of the file after element 1"),
        (b'[1, {"a": ', [1], r"^not json: a.json: element 1: "),
        (b"[1 2]", [1], r"^not json: a.json: '2' after element 0"),
        (b"[1,]", [1], r"^not json: a.json: element 1: "),
        (b"[" * 200_000, [], r"^not json: a.json: element 0: maximum recursion"),
    ],
)
def test_a_broken_array_keeps_what_stands_before(
    data: bytes, before: list[Any], message: str
) -> None:
    read: list[Any] = []
    with pytest.raises(UnreadableFileError, match=message):
        for each in elements(io.BytesIO(data), "a.json"):
            read.append(each)
    assert read == before


def test_a_byte_that_is_not_utf8_costs_its_character() -> None:
    assert list(elements(io.BytesIO(b'["a\xff", "b"]'), "a.json")) == ["a\ufffd", "b"]


def test_dialogues_become_turns_under_their_speakers(tmp_path: Path) -> None:
    turns = [
        {"from": "system", "value": "Be kind."},
        {"from": "human", "value": "Weather?"},
        {"from": "function_call", "value": "{}"},
        {"from": "observation", "value": "Rain."},
        {"from": "gpt", "value": "It rains."},
        {"from": "narrator", "value": "Later."},
    ]
    data = [
        {"id": "d1", "conversations": turns, "tools": "[]"},
        {"conversations": turns[1:2]},
        {"id": 3, "conversations": []},
        {"conversations": [{"from": "gpt", "value": None}]},
        "no dialogue",
        {"id": 0, "conversations": turns[:1]},
    ]
    documents, rejects = read_bytes(tmp_path, json.dumps(data).encode(), "sharegpt")
    assert documents[0].text == (
        "System: Be kind.\n\nUser: Weather?\n\nFunction call: {}\n\nObservation: Rain.\n\n"
        "Assistant: It rains.\n\nNarrator: Later."
    )
    assert [(each.native_id, each.meta, each.offset) for each in documents] == [
        ("d1", {"tools": "[]", "turns": 6}, 0),
        (None, {"turns": 1}, 1),
        ("0", {"turns": 1}, 5),
    ]
    assert [(each.error.split(":")[0], each.offset) for each in rejects] == [
        ("no turns", 2),
        ("broken turn", 3),
        ("not an object", 4),
    ]


def test_a_torn_array_of_dialogues_keeps_the_whole_ones(tmp_path: Path) -> None:
    one = json.dumps({"conversations": [{"from": "human", "value": "Hello"}]})
    documents, rejects = read_bytes(tmp_path, f"[{one}, {one}, {one[:-9]}".encode(), "sharegpt")
    assert len(documents) == 2
    assert reasons(rejects) == ["not json"]


def test_parquet_rows_of_every_kind(tmp_path: Path) -> None:
    table = pa.table(
        {
            "text": pa.array([b"bytes", b"\xff", b"third"], pa.binary()),
            "when": pa.array([1556197074000000001] * 3, pa.timestamp("ns", "UTC")),
            "score": [1.5, float("nan"), None],
            "image": pa.array([b"x", b"y", b"z"], pa.binary()),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    documents, rejects = read(tmp_path / "a.parquet", "parquet", created_at="when")
    assert [(each.text, each.offset, each.created_at) for each in documents] == [
        ("bytes", 0, "2019-04-25T12:57:54Z"),
        ("third", 2, "2019-04-25T12:57:54Z"),
    ]
    assert documents[0].meta == {"score": 1.5, "image": "<1 bytes>"}
    assert [(each.error.split(":")[0], each.offset) for each in rejects] == [("not utf-8", 1)]


@pytest.mark.parametrize("wrong", [b"\xff\xfe\xfd", b"\xed\xa0\x80", b"\xf4\x90\x80"])
def test_a_parquet_string_that_is_not_utf8_costs_its_row(tmp_path: Path, wrong: bytes) -> None:
    offsets = pa.py_buffer(b"".join(end.to_bytes(4, "little") for end in (0, 2, 5)))
    column = pa.StringArray.from_buffers(2, offsets, pa.py_buffer(b"ok" + wrong))
    pq.write_table(pa.table({"text": column}), tmp_path / "a.parquet")
    documents, rejects = read(tmp_path / "a.parquet", "parquet")
    assert [each.text for each in documents] == ["ok"]
    assert [(each.error.split(":")[0], each.offset) for each in rejects] == [("not utf-8", 1)]


def test_a_damaged_parquet_page_keeps_the_rows_before_it(tmp_path: Path) -> None:
    table = pa.table({"text": [f"text {number} " * 9 for number in range(2_000)]})
    path = tmp_path / "a.parquet"
    pq.write_table(table, path, row_group_size=1_000, compression="zstd", use_dictionary=False)
    data = bytearray(path.read_bytes())
    start = pq.ParquetFile(path).metadata.row_group(1).column(0).data_page_offset
    data[start + 40 : start + 400] = bytes(360)
    documents, rejects = read_bytes(tmp_path, bytes(data), "parquet")
    assert len(documents) >= 768
    assert reasons(rejects) == ["damaged parquet"]
