"""How other toolkits see a text before they compare it: plain functions, for published sets.

Each gives tokens separated by spaces. The random permutations are ours throughout, so a set is
reproduced up to the chance that `bands.hit_probability` states, not bit by bit. These run in
Python, at some ten megabytes a second; the default normalisation, and none, have kernels.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from types import MappingProxyType

from llm_data_assets.dedup.normalise import normalise

DEFAULT = "default"
# The texts were normalised before: words with single spaces between them, nothing else is done.
PREPARED = "prepared"
# A space that is a character of a shingle, where characters are what shingles are made of.
KEPT_SPACE = "\x1f"

# A number with its decimal part, in any script's digits, and the characters that are punctuation
# to datatrove 0.10 (utils/text.py): the full-width one is among them, the euro is not.
_NUMBER = re.compile(r"\d+(?:[.,\u060c\u066b\u2396-\u2398]\d+)?")
_PUNCTUATION = dict.fromkeys(
    map(
        ord,
        "!/—”:％１〈&(、━\\【#%「」，】；+^]~“《„';’{|∶´[=-`*．（–？！：$～«〉,><》)?）。…@_.\"}►»",
    ),
    " ",
) | dict.fromkeys((*range(10), 11, 12, *range(13, 32), *range(127, 160)), " ")
_DECIMAL = re.compile(r"\d+(?:\.\d+)?")
_ASCII_PUNCTUATION = {ord(c): None for c in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"}


def as_it_stands(text: str) -> str:
    """Every character counts, spaces too (NeMo Curator 1.4 hashes runs of 24 characters)."""
    return text.replace(" ", KEPT_SPACE)


def lower(text: str) -> str:
    """Lower case alone; tokens end at spaces, not at line breaks (data-juicer 1.6)."""
    return text.lower()


def datatrove(text: str) -> str:
    """Lower case, numbers to 0, punctuation to spaces, one space, no diacritics (0.10).

    Words are then what spaces separate, where datatrove asks spaCy.
    """
    return _simplified(_NUMBER.sub("0", text.lower()))


def data_prep_kit(text: str) -> str:
    """As `datatrove`, with a decimal point alone in numbers (data-prep-kit, 2026)."""
    return _simplified(_DECIMAL.sub("0", text.lower()))


def redpajama(text: str) -> str:
    """No ASCII punctuation, lower case, one space, NFD (RedPajama-Data v2)."""
    bare = text.translate(_ASCII_PUNCTUATION).lower()
    return unicodedata.normalize("NFD", " ".join(bare.split()))


def _simplified(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", " ".join(text.translate(_PUNCTUATION).split()))
    marks = {ord(c): None for c in set(decomposed) if unicodedata.category(c) == "Mn"}
    return decomposed.translate(marks)


NORMALISATIONS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        DEFAULT: normalise,
        PREPARED: str,
        "none": as_it_stands,
        "lower": lower,
        "datatrove": datatrove,
        "data_prep_kit": data_prep_kit,
        "redpajama": redpajama,
    }
)


def normalisation(name: str) -> Callable[[str], str]:
    """The function of a name.

    Raises:
        ValueError: there is none.
    """
    if name not in NORMALISATIONS:
        raise ValueError(f"normalisation is {name!r}. Try: {', '.join(NORMALISATIONS)}")
    return NORMALISATIONS[name]
