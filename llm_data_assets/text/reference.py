"""The signals that are no toolkit's own, in plain Python: what the kernels are held to.

Words are `text.words.words`; counting words are in lower case without punctuation at the ends.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence

from llm_data_assets.text.characters import fold
from llm_data_assets.text.words import count_sentences, words

# Rae et al. 2021, appendix A.1.1.
_STOP_WORDS = frozenset({"the", "be", "to", "of", "and", "that", "have", "with"})
# RedPajama-v2's ten glyphs, and the ASCII ones that datatrove 0.10 and Dolma 1.2 count.
_BULLETS = tuple("•‣▶◀◦■□▪▫–●*-")
_ELLIPSES = ("...", "…")
_TERMINAL = tuple(".?!\"'。？！”’」』;；:：…")
_ALPHABETIC = re.compile(r"[^\W\d_]")
_EDGES = re.compile(r"^\W+|\W+$")
_SHORT_LINE = 30  # characters; FineWeb (Penedo et al. 2024)
_CHARACTER_GRAM = 3
# The share of repeated characters grows with length: 0.1 at a thousand, 0.5 at 200,000 in clean
# Chinese. It is measured where every document can be compared.
_REPETITION_CHARACTERS = 2_000


def signals_of(text: str, language: str) -> dict[str, float | int]:
    """Characters, words, lines and n-grams of one text."""
    found = words(text, language)
    return {
        **_word_signals(found, text),
        **_line_signals(text, len(found)),
        **_repetition(found),
        **_character_signals(text),
        "rps_doc_num_sentences": count_sentences(text),
    }


def _word_signals(found: Sequence[str], text: str) -> dict[str, float | int]:
    n = len(found)
    real = [word for word in found if any(character.isalnum() for character in word)]
    lowered = Counter(_EDGES.sub("", lower(word)) for word in real)
    stops = {word: count for word, count in lowered.items() if word in _STOP_WORDS}
    symbols = text.count("#") + sum(text.count(mark) for mark in _ELLIPSES)
    total = len(real)
    return {
        "rps_doc_word_count": total,
        "rps_doc_mean_word_length": _share(sum(map(len, real)), total),
        "rps_doc_symbol_to_word_ratio": _share(symbols, n),
        "rps_doc_frac_no_alph_words": _share(
            sum(1 for word in found if not _ALPHABETIC.search(word)), n
        ),
        "rps_doc_frac_unique_words": _share(len(lowered), total),
        "rps_doc_unigram_entropy": sum(
            -count / total * math.log(count / total) for count in lowered.values()
        ),
        "rps_doc_frac_all_caps_words": _share(sum(1 for word in found if word.isupper()), n),
        "rps_doc_stop_word_fraction": _share(sum(stops.values()), total),
        "stop_words_distinct": len(stops),
    }


def _line_signals(text: str, n_words: int) -> dict[str, float | int]:
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    paragraphs = [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]
    n = len(lines)
    lengths = [len(line) for line in lines]
    return {
        "n_lines": n,
        "mean_line_length": _share(sum(lengths), n),
        "max_line_length": max(lengths, default=0),
        "rps_doc_frac_lines_end_with_ellipsis": _share(
            sum(1 for line in lines if line.endswith(_ELLIPSES)), n
        ),
        "frac_lines_start_with_bullet": _share(
            sum(1 for line in lines if line.startswith(_BULLETS)), n
        ),
        "frac_lines_end_with_punctuation": _share(
            sum(1 for line in lines if line.endswith(_TERMINAL)), n
        ),
        "frac_short_lines": _share(sum(1 for length in lengths if length <= _SHORT_LINE), n),
        "newlines_per_word": _share(text.count("\n"), n_words),
        "dup_line_frac": _repeated(lines)[0],
        "dup_line_char_frac": _repeated(lines)[1],
        "dup_para_frac": _repeated(paragraphs)[0],
        "dup_para_char_frac": _repeated(paragraphs)[1],
        "javascript_lines": sum(1 for line in lines if "javascript" in line.lower()),
    }


def _character_signals(text: str) -> dict[str, float | int]:
    n = len(text)
    dense = "".join(text[: 2 * _REPETITION_CHARACTERS].split())[:_REPETITION_CHARACTERS]
    grams = max(0, len(dense) - _CHARACTER_GRAM + 1)
    distinct = len({dense[i : i + _CHARACTER_GRAM] for i in range(grams)})
    return {
        "char_repetition": 1 - distinct / grams if grams else 0.0,
        "ccnet_length": n,
        "uppercase_letter_fraction": _share(sum(map(str.isupper, text)), n),
        "numerical_chars_fraction": _share(sum(map(str.isdecimal, text)), n),
        "whitespace_fraction": _share(sum(map(str.isspace, text)), n),
        "alphanumeric_fraction": _share(sum(map(str.isalnum, text)), n),
        "replacement_char_fraction": _share(text.count("\ufffd"), n),
        "rps_doc_curly_bracket": _share(text.count("{") + text.count("}"), n),
        "rps_doc_lorem_ipsum": text.lower().count("lorem ipsum"),
    }


def _repetition(found: Sequence[str]) -> dict[str, float | int]:
    """Repeated n-grams by RedPajama-v2's definition: characters of all occurrences, overlaps once,
    over all characters of words."""
    lowered = [stripped for word in found if (stripped := _EDGES.sub("", lower(word)))]
    lengths = [len(word) for word in lowered]
    total = sum(lengths)
    ids = {word: number for number, word in enumerate(dict.fromkeys(lowered))}
    tokens = [ids[word] for word in lowered]
    signals: dict[str, float | int] = {}
    for n in (2, 3, 4):
        signals[f"rps_doc_frac_chars_top_{n}gram"] = top_ngram_share(tokens, lengths, n, total)
    nothing_repeats = False
    for n in range(5, 11):
        # Where no n-gram repeats, no longer one does.
        share = 0.0 if nothing_repeats else duplicate_ngram_share(tokens, lengths, n, total)
        nothing_repeats = nothing_repeats or share == 0.0
        signals[f"rps_doc_frac_chars_dupe_{n}grams"] = share
    return signals


def top_ngram_share(tokens: Sequence[int], lengths: Sequence[int], n: int, total: int) -> float:
    """Characters in the commonest n-gram's occurrences; 0 where none repeats; ties by length."""
    counts = Counter(zip(*(tokens[i:] for i in range(n)), strict=False))
    most = max(counts.values(), default=0)
    if most <= 1:
        return 0.0
    size = dict(zip(tokens, lengths, strict=True))
    longest = max(sum(size[t] for t in gram) for gram, count in counts.items() if count == most)
    return min(1.0, longest * most / total)


def duplicate_ngram_share(
    tokens: Sequence[int], lengths: Sequence[int], n: int, total: int
) -> float:
    """Characters of words that stand in any n-gram which occurs twice or more."""
    grams = list(zip(*(tokens[i:] for i in range(n)), strict=False))
    counts = Counter(grams)
    covered = bytearray(len(tokens))
    for place, gram in enumerate(grams):
        if counts[gram] > 1:
            covered[place : place + n] = b"\x01" * n
    return _share(sum(length for length, hit in zip(lengths, covered, strict=True) if hit), total)


def _repeated(parts: Sequence[str]) -> tuple[float, float]:
    """Share of parts, and of their characters, that repeat an earlier part."""
    seen: set[str] = set()
    count = characters = 0
    for part in parts:
        if part in seen:
            count, characters = count + 1, characters + len(part)
        seen.add(part)
    return _share(count, len(parts)), _share(characters, sum(map(len, parts)))


def lower(word: str) -> str:
    """Lower case character by character, so that a word's length stays."""
    return "".join(map(fold, word))


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
