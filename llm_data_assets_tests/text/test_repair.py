"""Repairs undo wrong decoding and nothing else (methods: Unicode and encoding)."""

import unicodedata

import ftfy.badness
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_data_assets.text.decode import decode
from llm_data_assets.text.repair import repair
from llm_data_assets.text.signs import (
    CONTROL,
    CONTROLS,
    MOJIBAKE,
    NEWLINE,
    NEWLINES,
    UNCOMPOSED,
    is_bad,
    signs_of,
)


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


# Marks out of order, jamo, what composes and what NFC takes apart, marks of wrong decoding.
STRANGE = st.text(
    "ae \n\r\x85\x07\u2028\ufeff\u0301\u0327\u0323\u1100\u1161\u11a8\uac00\uac01"
    "éÃ©â€™œ”»а\u0958\U0002f800\U000e0001"
)


@settings(max_examples=500, deadline=None)
@given(STRANGE | st.text())
def test_what_one_pass_over_the_bytes_does_not_see_is_not_there(text: str) -> None:
    signs = signs_of(text)
    assert bool(signs & NEWLINE) == bool(NEWLINES.search(text))
    assert bool(signs & CONTROL) == bool(CONTROLS.search(text))
    assert signs & UNCOMPOSED or unicodedata.is_normalized("NFC", text)
    assert signs & MOJIBAKE or not ftfy.badness.is_bad(text)
    assert is_bad(text) == ftfy.badness.is_bad(text)


def test_clean_text_of_any_script_shows_nothing() -> None:
    scripts = "naïve “words” 数据质量 Наука עִבְרִית हिन्दी 한국어 ไทย العربية 🙂"
    for text in scripts.split():
        assert signs_of(unicodedata.normalize("NFC", text)) == 0


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
