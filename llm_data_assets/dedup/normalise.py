"""What deduplication sees of a text: its words, without case, form, punctuation or layout.

This is the plain reference. The kernels compute the same bytes straight from UTF-8 (the tests
hold them to it, character by character); texts they cannot settle alone come back here.
"""

import unicodedata

# Marks that only choose a glyph: variation selectors and the combining grapheme joiner.
_INVISIBLE_MARKS = frozenset(map(chr, (0x034F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))

# Blocks whose languages put no space between words: Thai and Lao, Myanmar, Khmer, CJK punctuation
# to bopomofo (kana between them), kana extensions, Han and its extensions (Unicode 16, Blocks.txt).
UNSPACED_BLOCKS = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x3000, 0x312F),
    (0x31F0, 0x31FF),
    (0x3400, 0x9FFF),
    (0x20000, 0x3FFFF),
)


def normalise(text: str) -> str:
    """The text as deduplication compares it: words joined by single spaces.

    In this order:

    1. Format characters (category Cf: soft hyphens, zero-width spaces and joiners, direction
       marks, the byte order mark) and glyph selectors go; punctuation and spacing accents
       (P and Sk) become spaces.
    2. NFKC, case folding, NFKC again (Unicode's compatibility caseless match, D146 of section
       3.13, short of its first NFD).
    3. Every character that is not a letter, mark or number (L, M, N) becomes a space, runs of
       spaces become one, and none stays at either end.

    Digits stay. Quotes, underscores, dashes and symbols all separate words, so `don't`, `don’t`
    and `don_t` are the same two words, and `3.14` is not `314`.

    Example:
        >>> normalise("The “Straße” — _Nº 5_ …")
        'the strasse no 5'
    """
    return " ".join(separate(compose(text)).split())


def compose(text: str) -> str:
    """Steps 1 and 2 of `normalise`."""
    visible = text.translate({ord(c): _visible(c) for c in set(text)})
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible).casefold())


def separate(text: str) -> str:
    """Step 3 of `normalise`, before runs of spaces are squeezed."""
    return text.translate(
        {ord(c): c if unicodedata.category(c)[0] in "LMN" else " " for c in set(text)}
    )


def is_unspaced(key: str) -> bool:
    """Whether at least half of a normalised text is of scripts written without spaces.

    Counted in characters, spaces aside. Korean has spaces and is not one of them.
    """
    letters = key.replace(" ", "")
    unspaced = sum(any(a <= ord(c) <= b for a, b in UNSPACED_BLOCKS) for c in letters)
    return bool(letters) and 2 * unspaced >= len(letters)


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf" or character in _INVISIBLE_MARKS:
        return ""
    return " " if category[0] == "P" or category == "Sk" else character
