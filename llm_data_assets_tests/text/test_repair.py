"""Repairs undo wrong decoding and nothing else (methods: Unicode and encoding)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_data_assets.text.decode import decode
from llm_data_assets.text.repair import repair


@pytest.mark.parametrize(
    ("text", "expected", "kinds"),
    [
        ("schÃ¶n", "schön", ["mojibake"]),
        ("âœ” No problems", "✔ No problems", ["mojibake"]),
        ("e\u0301", "é", ["nfc"]),
        ("a\r\nb\rc", "a\nb\nc", ["newline", "newline"]),
        ("bell\x07 and \ufeffmark", "bell and mark", ["control", "control"]),
        ("tab\tand\nline stay", "tab\tand\nline stay", []),
        # What NFKC would change is the author's.
        ("ﬁ ２⁵ ½ ™ ① … ＡＢ１ ，", "ﬁ ２⁵ ½ ™ ① … ＡＢ１ ，", []),
        ("“curly” quotes and ＬＯＵＤ", "“curly” quotes and ＬＯＵＤ", []),
        ("", "", []),
    ],
)
def test_repairs(text: str, expected: str, kinds: list[str]) -> None:
    repaired, edits = repair(text)
    assert repaired == expected
    assert [edit.kind for edit in edits] == kinds


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_repairing_twice_changes_nothing(text: str) -> None:
    once, _ = repair(text)
    assert repair(once) == (once, [])


@pytest.mark.parametrize(
    ("data", "declared", "expected"),
    [
        ("naïve 中文".encode(), None, ("naïve 中文", "utf-8")),
        (b"\xef\xbb\xbfmarked", None, ("marked", "utf-8")),
        ("breit".encode("utf-16"), None, ("breit", "utf-16-le")),
        ("naïve".encode("latin-1"), "ISO-8859-1", ("naïve", "windows-1252")),
        ("数据质量决定模型的上限".encode("gbk"), "gb2312", ("数据质量决定模型的上限", "gb18030")),
        (b"", None, ("", "utf-8")),
    ],
)
def test_decoding(data: bytes, declared: str | None, expected: tuple[str, str]) -> None:
    assert decode(data, declared) == expected


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_decoding_never_fails(data: bytes) -> None:
    text, encoding = decode(data)
    assert isinstance(text, str) and encoding
