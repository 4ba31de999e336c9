"""Bytes to text: byte-order mark, UTF-8, what was declared, then a guess among legacy charsets."""

import codecs

from charset_normalizer import from_bytes

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# The WHATWG encoding standard reads these labels as their Windows supersets.
_ALIASES = {
    "iso-8859-1": "windows-1252",
    "latin-1": "windows-1252",
    "latin1": "windows-1252",
    "us-ascii": "windows-1252",
    "ascii": "windows-1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
}
# The legacy charsets that web text really comes in.
_CANDIDATES = [
    "gb18030", "big5", "cp932", "euc_jp", "cp949", "cp1252", "cp1251", "cp1250", "cp1253",
    "cp1254", "cp1255", "cp1256", "iso8859_2", "iso8859_5", "iso8859_7", "koi8_r", "utf_16",
]  # fmt: skip
_GUESS_BYTES = 65_536  # charset-normalizer is slow; more text does not change its mind


def decode(data: bytes, declared: str | None = None) -> tuple[str, str]:
    """Decode `data`; returns the text and the encoding used.

    Never fails: bytes that fit no encoding are read as UTF-8 with U+FFFD for what is broken.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace"), encoding
    if (text := _strictly(data, "utf-8")) is not None:
        return text, "utf-8"
    if declared:
        label = declared.strip().strip("\"'").lower()
        label = _ALIASES.get(label, label)
        if (text := _strictly(data, label)) is not None:
            return text, label
    guess = _guess(data)
    if guess and (text := _strictly(data, guess)) is not None:
        return text, guess
    return data.decode("utf-8", "replace"), "utf-8"


def _guess(data: bytes) -> str | None:
    # A sample cut inside a character rules out the true charset; characters have up to 4 bytes.
    cuts = range(4) if len(data) > _GUESS_BYTES else range(1)
    guesses = [
        best
        for cut in cuts
        if (best := from_bytes(data[: _GUESS_BYTES - cut], cp_isolation=_CANDIDATES).best())
    ]
    return min(guesses, key=lambda guess: guess.chaos).encoding if guesses else None


def _strictly(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError, ValueError):
        return None
