"""Unicode as tables that a kernel can read: what each character is, and its lower case."""

import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import numpy as np

# Bits of a character's record.
SPACE = 1 << 0  # str.isspace, where str.split splits
BREAK = 1 << 1  # where str.splitlines splits
ALPHA = 1 << 2  # str.isalpha
ALNUM = 1 << 3  # str.isalnum
WORD = 1 << 4  # \w of a regular expression
LETTER = 1 << 5  # [^\W\d_]
DECIMAL = 1 << 6  # \d
DIGIT = 1 << 7  # str.isdigit
UPPER = 1 << 8  # str.isupper
SMALL = 1 << 9  # cased, but not upper
PUNCTUATION = 1 << 10  # ENGLISH_SYMBOLS or SENTENCE_END
END = 1 << 11  # SENTENCE_END: ends a sentence in some script
STOP = 1 << 12  # . ? ! and their full-width forms: ends a sentence
CLOSING = 1 << 13  # quotes and brackets that close
UNSPACED = 1 << 14  # of a script without spaces between words
HAN = 1 << 15
KATAKANA = 1 << 16
THAI = 1 << 17
LEADING_VOWEL = 1 << 18  # Thai vowels that begin a syllable
EXTENDS = 1 << 19  # marks and joiners: part of the character before them
MARK = 1 << 20  # Unicode category P
EDGE = 1 << 21  # spaCy 3.8 cuts it off either end of a word
CURRENCY = 1 << 22
QUOTE = 1 << 23  # spaCy's quotes
NOTED = 1 << 24  # STOP, "#", "…" or an opening bracket: `kernels.scan` notes where they stand

# Nothing after the last assigned Han characters is a letter, a digit, a space or in lower case.
TABLE_SIZE = 0x34000

# The marks that datatrove 0.10 does not take for words (utils/text.py, PUNCTUATION), beside
# control characters and SENTENCE_END.
_SYMBOLS = (
    "!/—”:％１〈&(、━\\【#%「」，】；+^]~“《„';’{|∶´[=-`*．（–？！：$～«〉,><》)?）。…@_.\"}►»"
)
# Unicode's Sentence_Terminal (PropList.txt) as datatrove 0.10 lists it, with the question and
# exclamation marks and full stops of every script.
_SENTENCE_END = (
    "!.?\u0589\u061d\u061e\u061f\u06d4\u0700\u0701\u0702\u07f9\u0837\u0839\u083d\u083e\u0964\u0965"
    "\u104a\u104b\u1362\u1367\u1368\u166e\u1735\u1736\u17d4\u17d5\u17d6\u17d9\u17da\u1803\u1809"
    "\u1944\u1945\u1aa8\u1aa9\u1aaa\u1aab\u1b5a\u1b5b\u1b5e\u1b5f\u1b7d\u1b7e\u1c3b\u1c3c\u1c7e"
    "\u1c7f\u203c\u203d\u2047\u2048\u2049\u2e2e\u2e3c\u2e53\u2e54\u3002\ua4ff\ua60e\ua60f\ua6f3"
    "\ua6f7\ua876\ua877\ua8ce\ua8cf\ua92f\ua9c8\ua9c9\uaa5d\uaa5e\uaa5f\uaaf0\uaaf1\uabeb\ufe52"
    "\ufe56\ufe57\uff01\uff0e\uff1f\uff61"
    "\U00010a56\U00010a57\U00010f55\U00010f56\U00010f57\U00010f58\U00010f59\U00010f86\U00010f87"
    "\U00010f88\U00010f89\U00011047\U00011048\U000110be\U000110bf\U000110c0\U000110c1\U00011141"
    "\U00011142\U00011143\U000111c5\U000111c6\U000111cd\U000111de\U000111df\U00011238\U00011239"
    "\U0001123b\U0001123c\U000112a9\U0001144b\U0001144c\U000115c2\U000115c3\U000115c9\U000115ca"
    "\U000115cb\U000115cc\U000115cd\U000115ce\U000115cf\U000115d0\U000115d1\U000115d2\U000115d3"
    "\U000115d4\U000115d5\U000115d6\U000115d7\U00011641\U00011642\U0001173c\U0001173d\U0001173e"
    "\U00011944\U00011946\U00011a42\U00011a43\U00011a9b\U00011a9c\U00011c41\U00011c42\U00011ef7"
    "\U00011ef8\U00011f43\U00011f44\U00016a6e\U00016a6f\U00016af5\U00016b37\U00016b38\U00016b44"
    "\U00016e98\U0001bc9f\U0001da88"
)
SENTENCE_END = frozenset(_SENTENCE_END)
_CONTROLS = map(chr, (*range(9), *range(11, 32), *range(127, 160)))
SYMBOLS = SENTENCE_END.union(_SYMBOLS, _CONTROLS)

_BREAKS = frozenset("\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
_STOPS = frozenset(".!?。！？")
_CLOSING = frozenset("\"'”’»)]}」』）】》")
_LEADING_VOWELS = frozenset("เแโใไ")
# spaCy 3.8's punctuation and quotes (lang/char_classes.py), beside symbols (category So).
_QUOTES = frozenset("'\"”“`‘´’‚,„»«「」『』（）〔〕【】《》〈〉〈〉⟦⟧")
_EDGES = _QUOTES | frozenset("…,:;!?¿؟¡()[]{}<>_#*&。？！，、；：～·।،۔؛٪—–")
_HAN = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF))
_KATAKANA = ((0x30A0, 0x30FF), (0x31F0, 0x31FF))
_THAI = ((0x0E00, 0x0E7F),)
# Thai, Lao, Burmese, Khmer, kana, Han.
_UNSPACED = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3040, 0x30FF), *_HAN,
)  # fmt: skip


class Characters(NamedTuple):
    """records: uint32[TABLE_SIZE], the bits above; lower: uint32[TABLE_SIZE], code points."""

    records: np.ndarray
    lower: np.ndarray


@cache
def characters() -> Characters:
    """The tables of this Python's Unicode version."""
    everything = [chr(code) for code in range(TABLE_SIZE)]
    # One property after the other: every process needs this, and one character after the other
    # takes half a second.
    records = np.zeros(TABLE_SIZE, np.uint32)
    for bit, holds in _properties(everything):
        records |= np.where(holds, np.uint32(bit), np.uint32(0))
    for bit, members in _SETS:
        records[[ord(each) for each in members if ord(each) < TABLE_SIZE]] |= bit
    for ranges, bit in ((_HAN, HAN), (_KATAKANA, KATAKANA), (_THAI, THAI), (_UNSPACED, UNSPACED)):
        for first, last in ranges:
            records[first : last + 1] |= bit
    lower = np.arange(TABLE_SIZE, dtype=np.uint32)
    # Between line feeds a sigma is no final one; the few that change are folded one by one.
    lowered = "\n".join(everything).lower().split("\n")
    lowered[10:12] = ["\n"]
    for code, (character, small) in enumerate(zip(everything, lowered, strict=True)):
        if small != character or small == "ς":
            lower[code] = ord(fold(character))
    return Characters(records, lower)


def fold(character: str) -> str:
    """Lower case of one character, where that is one character; a final sigma is a sigma."""
    lower = character.lower()
    return "σ" if lower == "ς" else lower if len(lower) == 1 else character


_SETS = (
    (BREAK, _BREAKS), (WORD, "_"), (PUNCTUATION, SYMBOLS), (END, SENTENCE_END), (STOP, _STOPS),
    (NOTED, _STOPS.union("#…{[")), (CLOSING, _CLOSING), (LEADING_VOWEL, _LEADING_VOWELS),
    (EDGE, _EDGES), (QUOTE, _QUOTES), (EXTENDS, "\u200c\u200d"),
)  # fmt: skip


def _properties(everything: list[str]) -> Iterator[tuple[int, np.ndarray]]:
    """(bit, whether each character has it: bool[n])."""

    def of(method: Callable[[str], bool]) -> np.ndarray:
        return np.fromiter(map(method, everything), np.bool_, len(everything))

    category = np.frombuffer("".join(map(unicodedata.category, everything)).encode(), "S2")
    is_alnum, is_upper, is_decimal = of(str.isalnum), of(str.isupper), category == b"Nd"
    yield SPACE, of(str.isspace)
    yield ALPHA, of(str.isalpha)
    yield ALNUM | WORD, is_alnum
    yield LETTER, is_alnum & ~is_decimal
    yield DECIMAL, is_decimal
    yield DIGIT, of(str.isdigit)
    yield UPPER, is_upper
    yield SMALL, (of(str.islower) | (category == b"Lt")) & ~is_upper
    yield MARK, category.view("S1")[::2] == b"P"
    yield EDGE, category == b"So"
    yield CURRENCY, category == b"Sc"
    yield EXTENDS, np.isin(category, [b"Mn", b"Mc", b"Me"])
