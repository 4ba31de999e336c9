"""Signals: what is measured of a document, one column each; thresholds appear nowhere.

Names are RedPajama-v2's where it has one. A name that ends in `__datatrove`, `__dolma`, `__nemo`,
`__dclm`, `__t5` or `__fineweb` counts as that toolkit does (docs/dialects.md says how); the others
count as RedPajama-v2 does, over words in lower case without punctuation at the ends. Every signal
of an empty text is 0. `text.reference` has each definition in plain Python.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate

import numpy as np
import pyarrow as pa

from llm_data_assets.text import kernels_measure as groups
from llm_data_assets.text.abbreviations import ABBREVIATIONS
from llm_data_assets.text.characters import characters
from llm_data_assets.text.kernels import BY_SCRIPT, BY_SPACE, GIVEN, hash_points
from llm_data_assets.text.kernels_tokens import CUTS, CUTS_OF_LANGUAGE
from llm_data_assets.text.stop_words import BY_LANGUAGE, GOPHER
from llm_data_assets.text.utf8 import utf8
from llm_data_assets.text.words import UNSPACED_LANGUAGES, is_chinese, segment

_F64, _I64, _STR = pa.float64(), pa.int64(), pa.string()


@dataclass(frozen=True)
class Signal:
    """A column of `quality_signals`."""

    name: str
    dtype: pa.DataType
    description: str


def _ngrams(name: str, convention: str) -> list[tuple[str, pa.DataType, str]]:
    top, dup = "{}top_{{}}gram{}", "{}dup{}_{{}}grams{}"
    suffix = f"__{convention}" if convention else ""
    top, dup = top.format(name, suffix), dup.format(name, "e" if not suffix else "", suffix)
    how = f", as {_TOOLKITS[convention]} counts" if convention else ""
    return [
        *(
            (top.format(n), _F64, f"Share of characters in the commonest {n}-gram{how}")
            for n in (2, 3, 4)
        ),
        *(
            (dup.format(n), _F64, f"Share of characters in repeated {n}-grams{how}")
            for n in range(5, 11)
        ),
    ]


_TOOLKITS = {
    "datatrove": "datatrove 0.10",
    "dolma": "Dolma 1.2",
    "nemo": "NeMo Curator 1.4",
    "dclm": "DCLM",
}
# One list a group of columns, in the order of `kernels_measure`.
_CHARACTER_SIGNALS = [
    ("ccnet_length", _I64, "Characters"),
    ("rps_doc_num_sentences", _I64, "Sentences"),
    ("rps_doc_curly_bracket", _F64, "Curly brackets a character"),
    ("rps_doc_lorem_ipsum", _I64, "Occurrences of 'lorem ipsum'"),
    (
        "char_repetition",
        _F64,
        "1 - distinct / all 3-grams of the first 2,000 characters, white space removed",
    ),
    ("alphanumeric_fraction", _F64, "Letters and digits a character"),
    ("replacement_char_fraction", _F64, "U+FFFD a character: bytes that were lost"),
    ("uppercase_letter_fraction", _F64, "Capitals a character"),
    ("numerical_chars_fraction", _F64, "Decimal digits a character"),
    ("whitespace_fraction", _F64, "White space a character"),
]
_WORD_SIGNALS = [
    ("rps_doc_word_count", _I64, "Words with at least one letter or digit"),
    ("rps_doc_mean_word_length", _F64, "Characters a word"),
    ("rps_doc_symbol_to_word_ratio", _F64, "'#' and ellipses a word"),
    ("rps_doc_frac_no_alph_words", _F64, "Share of words without a letter"),
    ("rps_doc_frac_unique_words", _F64, "Distinct words a word"),
    ("rps_doc_unigram_entropy", _F64, "Entropy of the word distribution, nats"),
    ("rps_doc_frac_all_caps_words", _F64, "Share of words in capitals"),
    ("rps_doc_stop_word_fraction", _F64, "Share of words among Gopher's eight stop words"),
    ("stop_words_distinct", _I64, "How many of Gopher's eight stop words occur"),
]
_LINE_SIGNALS = [
    ("n_lines", _I64, "Lines that are not blank"),
    ("mean_line_length", _F64, "Characters a line"),
    ("max_line_length", _I64, "Characters of the longest line"),
    ("rps_doc_frac_lines_end_with_ellipsis", _F64, "Share of lines that end in an ellipsis"),
    ("frac_lines_start_with_bullet", _F64, "Share of lines that start with a bullet"),
    ("frac_lines_end_with_punctuation", _F64, "Share of lines that end in terminal punctuation"),
    ("frac_short_lines", _F64, "Share of lines of at most 30 characters"),
    ("newlines_per_word", _F64, "Line breaks a word"),
    ("dup_line_frac", _F64, "Share of lines that repeat an earlier one"),
    ("dup_line_char_frac", _F64, "Share of characters in lines that repeat an earlier one"),
    ("dup_para_frac", _F64, "Share of paragraphs that repeat an earlier one"),
    ("dup_para_char_frac", _F64, "Share of characters in paragraphs that repeat an earlier one"),
    ("javascript_lines", _I64, "Lines that name javascript"),
    ("bullet_lines__dclm", _F64, "Share of lines that begin with a bullet of DCLM's four"),
    ("ellipsis_lines__dclm", _F64, "Share of lines that end in '...', '. . .' or '…'"),
    ("dup_line_frac__dclm", _F64, "Share of lines that occur twice or more"),
    ("dup_line_char_frac__dclm", _F64, "Share of characters in lines that occur twice or more"),
    ("dup_para_frac__dclm", _F64, "Share of paragraphs that occur twice or more"),
    ("dup_para_char_frac__dclm", _F64, "Share of characters in such paragraphs"),
]
_SPLIT_SIGNALS = [
    ("word_count__split", _I64, "Words between spaces (segmented where a script has none)"),
    ("word_count__dclm", _I64, "Words that begin with a letter or digit"),
    ("mean_word_length__split", _F64, "Characters a word between spaces"),
    ("median_word_length__dolma", _F64, "Median of characters of words between spaces, up to 64"),
    ("alphabetic_words__split", _F64, "Share of words between spaces with a letter"),
    ("symbol_words__dolma", _F64, "Share of words that hold '#' or '…'"),
    ("symbol_words__nemo", _F64, "Share of words that are an ellipsis or '#'"),
    ("symbols_per_word__dclm", _F64, "'#', '...', '. . .' and '…' a word"),
    ("stop_words__split", _I64, "Occurrences of Gopher's stop words in lower case"),
    ("stop_words__dclm", _I64, "Occurrences of Gopher's stop words in any case"),
    ("language_stop_words", _I64, "How many of FineWeb-2's stop words of the language occur"),
]
_DOLMA_SIGNALS = [
    ("bullet_lines__dolma", _F64, "Share of lines that begin with '*' or '-'"),
    ("ellipsis_lines__dolma", _F64, "Share of lines that end in '…'"),
    ("dup_line_frac__dolma", _F64, "Share of lines that occur twice or more, blank ones too"),
    ("dup_line_char_frac__dolma", _F64, "Their characters over those of words"),
    *_ngrams("", "dolma"),
]
_NEMO_SIGNALS = [
    ("bullet_lines__nemo", _F64, "Share of lines that begin with a bullet of NeMo's twelve"),
    ("ellipsis_lines__nemo", _F64, "Share of lines that end in an ellipsis or 'read more'"),
    ("unended_lines__nemo", _F64, "Share of lines that do not end in . ? ! \" or '"),
    ("dup_line_frac__nemo", _F64, "Share of lines that repeat an earlier one, not stripped"),
    ("dup_line_char_frac__nemo", _F64, "Share of characters in those"),
    ("dup_para_frac__nemo", _F64, "Share of paragraphs that repeat an earlier one"),
    ("dup_para_char_frac__nemo", _F64, "Share of characters in those"),
    *_ngrams("", "nemo"),
]
_DATATROVE_SIGNALS = [
    ("word_count__datatrove", _I64, "Tokens that are not all punctuation"),
    ("mean_word_length__datatrove", _F64, "Characters of those tokens"),
    ("hashes_per_word__datatrove", _F64, "'#' a token"),
    ("ellipses_per_word__datatrove", _F64, "'...' and '…' a token"),
    ("alphabetic_words__datatrove", _F64, "Share of tokens with a letter"),
    ("stop_words__datatrove", _I64, "How many of Gopher's stop words occur, in lower case"),
    ("language_stop_words__datatrove", _I64, "How many of FineWeb-2's stop words occur as tokens"),
    ("bullet_lines__datatrove", _F64, "Share of lines that begin with '•' or '-'"),
    ("ellipsis_lines__datatrove", _F64, "Share of lines that end in '...' or '…'"),
    ("dup_para_frac__datatrove", _F64, "Share of paragraphs that repeat an earlier one"),
    ("dup_para_char_frac__datatrove", _F64, "Their characters over all"),
    ("dup_line_frac__datatrove", _F64, "Share of lines that repeat an earlier one"),
    ("dup_line_char_frac__datatrove", _F64, "Their characters over all"),
    *_ngrams("", "datatrove"),
    ("line_punctuation__datatrove", _F64, "Share of lines that end a sentence in some script"),
    ("short_lines__datatrove", _F64, "Share of lines of at most 30 characters, spaces too"),
    ("dup_chars__datatrove", _F64, "Characters of repeated lines over all but line breaks"),
    ("newlines_per_word__datatrove", _F64, "Line breaks a token"),
]
_C4_SIGNALS = [
    ("sentences__t5", _I64, "Sentences of the lines that C4 keeps"),
    ("lorem_ipsum__t5", _I64, "1 where such a line says 'lorem ipsum'"),
    ("curly_bracket__t5", _I64, "1 where such a line has a curly bracket"),
    ("sentences__fineweb", _I64, "Sentences of the lines that FineWeb's C4 keeps"),
    ("lorem_ipsum__fineweb", _I64, "1 where such a line says 'lorem ipsum'"),
    ("curly_bracket__fineweb", _I64, "1 where such a line has a curly bracket"),
    ("line_punctuation__fineweb", _F64, "Of those lines: share that ends a sentence"),
    ("short_lines__fineweb", _F64, "Of those lines: share of at most 30 characters"),
    ("dup_chars__fineweb", _F64, "Of those lines: share of characters in repeated ones"),
    ("newlines_per_word__fineweb", _F64, "Of those lines: line breaks a token"),
    ("sentences__c4_dclm", _I64, "Sentences of the lines that DCLM's C4 keeps"),
    ("lorem_ipsum__c4_dclm", _I64, "1 where such a line says 'lorem ipsum'"),
    ("curly_bracket__c4_dclm", _I64, "1 where such a line has a curly bracket"),
]
_DCLM_SIGNALS = [
    *_ngrams("", "dclm"),
    ("removed_words__refinedweb", _F64, "Share of words in lines that RefinedWeb removes"),
]
_MEASURED = [
    *_CHARACTER_SIGNALS,
    *_WORD_SIGNALS,
    *_LINE_SIGNALS,
    *_ngrams("rps_doc_frac_chars_", ""),
    *_SPLIT_SIGNALS,
    *_DOLMA_SIGNALS,
    *_NEMO_SIGNALS,
    *_DATATROVE_SIGNALS,
    *_C4_SIGNALS,
    *_DCLM_SIGNALS,
]
MEASURED_NAMES = tuple(name for name, _, _ in _MEASURED)
assert len(_MEASURED) == groups.COLUMNS
# What has to be measured for a column: groups of `kernels_measure`, in the order of its columns.
_NEEDS = [
    *[groups.OWN] * groups.DOLMA,
    *[groups.OF_SPLIT] * (groups.DATATROVE - groups.DOLMA),
    *[groups.OF_DATATROVE] * (groups.FINEWEB_AS_IS - groups.DATATROVE),
    *[groups.OF_DATATROVE | groups.OF_FINEWEB] * (groups.C4_T5 - groups.FINEWEB_AS_IS),
    *[groups.OF_C4] * (groups.DCLM - groups.C4_T5),
    *[groups.OF_DCLM] * (groups.COLUMNS - groups.DCLM),
]
_NEEDS[MEASURED_NAMES.index("newlines_per_word__fineweb")] |= groups.OF_C4_TOKENS
SIGNALS = tuple(
    Signal(*each)
    for each in (
        ("language_score", _F64, "Probability of the detected language"),
        *_MEASURED,
    )
)


def groups_for(names: Iterable[str], *, general: bool = True) -> int:
    """What `measure` needs as `wanted` for these signals, with `general` also for the general ones.

    Names that are not measured from the text alone ask for nothing.
    """
    asked = frozenset(names)
    wanted = groups.OWN if general else 0
    for name, needs in zip(MEASURED_NAMES, _NEEDS, strict=True):
        if name in asked:
            wanted |= needs
    return wanted


def measure(
    texts: pa.Array,
    languages: pa.Array,
    *,
    language_scores: pa.Array,
    wanted: int = groups.EVERYTHING,
) -> pa.RecordBatch:
    """Measure each text; one column a signal, in the order of `SIGNALS`.

    Args:
        texts: string[n].
        languages: string[n], which decide how words are found.
        language_scores: float32[n], passed through as `language_score`.
        wanted: groups of signals (`groups_for`); columns of the others are null.
    """
    values = measure_array(texts, languages.to_pylist(), wanted=wanted)
    columns = [language_scores.cast(_F64)]
    for index, (_, dtype, _) in enumerate(_MEASURED):
        if _NEEDS[index] & ~wanted:
            columns.append(pa.nulls(len(texts), dtype))
        else:
            columns.append(pa.array(values[:, index]).cast(dtype))
    return pa.RecordBatch.from_arrays(columns, names=[each.name for each in SIGNALS])


def measure_array(
    texts: pa.Array,
    languages: Sequence[str],
    *,
    wanted: int = groups.EVERYTHING,
    tokens: bool = True,
) -> np.ndarray:
    """What the kernels measure of each text.

    Args:
        texts: string[n].
        languages: of each text.
        wanted: groups of signals, bits of `kernels_measure`; columns of the others are 0.
        tokens: whether datatrove's words are tokens as spaCy's rules for the language cut them, its
            default, where a script has spaces; False takes the words of the other signals.

    Returns:
        float64[n, kernels_measure.COLUMNS].
    """
    out = np.zeros((len(texts), groups.COLUMNS), np.float64)
    if not len(texts):
        return out
    data, offsets = utf8(texts)
    modes, given = _words_given(texts, languages)
    stop_words, language_stops, spans = _stop_hashes()
    language_at = np.array([spans.get(each, (0, 0)) for each in languages], np.int64)
    cuts = np.zeros(len(texts), np.uint16)
    if tokens:
        cuts = np.array([CUTS_OF_LANGUAGE.get(each, CUTS) for each in languages], np.uint16)
        cuts[modes != BY_SPACE] = 0
    groups.measure_texts(
        data, offsets, modes, given, (stop_words, language_stops, language_at),
        _abbreviation_hashes(), tuple(characters()), wanted, cuts, out,
    )  # fmt: skip
    return out


def _words_given(
    texts: pa.Array, languages: Sequence[str]
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """How words are found in each text, and where they are in those that rjieba segments."""
    modes = np.full(len(texts), BY_SPACE, np.uint8)
    starts: list[int] = []
    ends: list[int] = []
    at = np.zeros(len(texts) + 1, np.int64)
    for index, language in enumerate(languages):
        if language in UNSPACED_LANGUAGES:
            modes[index] = BY_SCRIPT
            text = texts[index].as_py()
            if language != "ja" and is_chinese(text):
                modes[index] = GIVEN
                pieces = segment(text)
                for piece, end in zip(pieces, accumulate(map(len, pieces)), strict=True):
                    if not piece.isspace():
                        starts.append(end - len(piece))
                        ends.append(end)
        at[index + 1] = len(starts)
    return modes, (np.array(starts, np.int32), np.array(ends, np.int32), at)


@cache
def _stop_hashes() -> tuple[np.ndarray, np.ndarray, dict[str, tuple[int, int]]]:
    """Hashes of Gopher's stop words; of those of every language; where each language's are."""
    lists = {language: words.split() for language, words in BY_LANGUAGE.items()}
    ends = list(accumulate(map(len, lists.values())))
    spans = {
        language: (end - len(words), end)
        for (language, words), end in zip(lists.items(), ends, strict=True)
    }
    spans |= dict.fromkeys(("wuu", "yue"), spans["zh"])
    return _hashes(GOPHER), _hashes([word for words in lists.values() for word in words]), spans


@cache
def _abbreviation_hashes() -> np.ndarray:
    return _hashes(ABBREVIATIONS.split())


def _hashes(words: Sequence[str]) -> np.ndarray:
    points = [np.array(list(map(ord, word)), np.uint32) for word in words]
    return np.array([hash_points(each, 0, len(each)) for each in points], np.uint64)
