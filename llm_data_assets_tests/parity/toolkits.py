"""Other toolkits' rules in plain Python, written from their published definitions: the reference
for the rule sets named after them. Each function gives the failing rules of a text; none, and the
toolkit keeps it. Sentences are those of `sentences`, for none of the originals' splitters is a part
of this project; `benchmarks/parity.py` compares with datatrove itself.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from statistics import median

from llm_data_assets.text.abbreviations import ABBREVIATIONS

STOP_WORDS = frozenset({"the", "be", "to", "of", "and", "that", "have", "with"})
TOP = ((2, 0.20), (3, 0.18), (4, 0.16))  # Rae et al. 2021, table A1
DUP = ((5, 0.15), (6, 0.14), (7, 0.13), (8, 0.12), (9, 0.11), (10, 0.10))
_CITATION = re.compile(r"\[\d*\]|\[edit\]|\[citation needed\]")
_POLICY = (
    "terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies",
    "use cookies",
)  # fmt: skip
_COUNTER = re.compile(
    r"\W*\d[\d,.]*[kmb]?\s+(likes|shares|comments|retweets|reposts|quotes|bookmarks|upvotes|"
    r"downvotes|downloads|views|followers)\W*"
)


def dolma(text: str) -> list[str]:
    """Dolma 1.2: the tagger gopher_v1, the v1.5 mix's thresholds."""
    found = text.split()
    if not found:
        return ["words"]
    characters = sum(map(len, found))
    lines = text.split("\n")
    repeated = {line: count for line, count in Counter(lines).items() if count > 1}
    failing = [
        *_outside("words", len(found), 50, 100_000),
        *_outside("word_length", median(map(len, found)), 3, 10),
        *_above("symbols", sum("#" in w or "…" in w for w in found) / len(found), 0.1),
        *_below("alphabetic_words", _alphabetic(found), 0.8),
        *_below("stop_words", sum(w in STOP_WORDS for w in found), 2),
        *_above("bullet_lines", sum(x.startswith(("*", "-")) for x in lines) / len(lines), 0.9),
        *_above("ellipsis_lines", sum(x.endswith("…") for x in lines) / len(lines), 0.3),
        *_above("dup_lines", sum(repeated.values()) / len(lines), 0.3),
        *_above("dup_line_chars", sum(len(x) * n for x, n in repeated.items()) / characters, 0.3),
    ]
    for n, threshold in TOP:
        counts = Counter(_grams(found, n))
        if counts:
            gram, count = counts.most_common(1)[0]
            failing += _above(f"top_{n}gram", count * _size(gram) / characters, threshold)
    for n, threshold in DUP:
        counts = Counter(_grams(found, n))
        whole = sum(count * _size(gram) for gram, count in counts.items())
        again = sum(count * _size(gram) for gram, count in counts.items() if count > 1)
        failing += _above(f"dup_{n}grams", again / whole if whole else 0, threshold)
    return failing


_NEMO_BULLETS = tuple("•‣⁃⁌⁍∙○●◘◦⦾⦿")
_NEMO_ELLIPSES = ("...", "[...]", "…", "(...)", "[…]", "-»", "read more..", "read more")


def nemo(text: str) -> list[str]:
    """NeMo Curator: the filters of its English cascade that name Gopher as their source."""
    found = text.split()
    lines = [line for line in text.split("\n") if line.strip()]
    if not found:
        return ["words"]
    paragraphs = text.split("\n\n")
    marks = sum(w in _NEMO_ELLIPSES or len(re.findall("#+", w)) / len(w) > 0.5 for w in found)
    ended = sum(x.strip().lower().endswith(_NEMO_ELLIPSES) for x in lines)
    failing = [
        *_above("symbols", marks / len(found), 0.1),
        *_above("dup_lines", 1 - len(set(lines)) / len(lines), 0.3),
        *_above("dup_paragraphs", 1 - len(set(paragraphs)) / len(paragraphs), 0.3),
        *_above("dup_line_chars", 1 - _size(set(lines)) / _size(lines), 0.2),
        *_above("dup_paragraph_chars", 1 - _size(set(paragraphs)) / _size(paragraphs), 0.2),
        *_outside("words", len(found), 50, 100_000),
        *_below("alphabetic_words", _alphabetic(found), 0.8),
        *_below("stop_words", sum(w in STOP_WORDS for w in found), 2),
        *_outside("word_length", _size(found) / len(found), 3, 10),
        *_above("ellipsis_lines", ended / len(lines), 0.3),
    ]
    for n, threshold in TOP:
        grams = _grams(found, n)
        share = 1.0
        if grams:
            commonest = " ".join(Counter(grams).most_common(1)[0][0])
            share = text.count(commonest) * len(commonest) / len(text)
        failing += _above(f"top_{n}gram", share, threshold)
    for n, threshold in DUP:
        grams = _grams(found, n)
        share = _nemo_repeated(grams, n) / len(text) if grams else 1.0
        failing += _above(f"dup_{n}grams", share, threshold)
    bullets = sum(line.strip().startswith(_NEMO_BULLETS) for line in lines)
    return failing + _above("bullet_lines", bullets / len(lines), 0.9)


def _nemo_repeated(grams: Sequence[tuple[str, ...]], n: int) -> int:
    """Characters of second and later occurrences with the spaces inside, overlaps once."""
    seen: set[tuple[str, ...]] = set()
    characters = overlap = 0
    for gram in grams:
        if gram in seen:
            characters += _size(gram[overlap:]) + min(n - overlap, n - 1)
            overlap = n
        seen.add(gram)
        overlap = max(overlap - 1, 0)
    return characters


def dclm(text: str) -> list[str]:
    """DCLM's Gopher filters with the parameters of its refinedweb.yaml."""
    found = text.split()
    if not found:
        return ["words"]
    symbols = sum(text.count(mark) for mark in ("#", "...", ". . .", "…"))
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    paragraphs = [part.strip() for part in text.split("\n\n") if part.strip()]
    bullets = sum(line.startswith(("●", "•", "*", "-")) for line in lines)
    ellipses = sum(line.endswith(("...", ". . .", "…")) for line in lines)
    failing = [
        *_outside("words", sum(word[0].isalnum() for word in found), 50, 100_000),
        *_outside("word_length", _size(found) / len(found), 3, 10),
        *_above("symbols", symbols / len(found), 0.1),
        *_above("bullet_lines", bullets / len(lines), 0.9),
        *_above("ellipsis_lines", ellipses / len(lines), 0.3),
        *_below("alphabetic_words", _alphabetic(found), 0.8),
        *_below("stop_words", sum(word.lower() in STOP_WORDS for word in found), 2),
    ]
    for name, parts in (("line", lines), ("paragraph", paragraphs)):
        again = {part: count for part, count in Counter(parts).items() if count > 1}
        if len(parts) > 1:
            characters = sum(len(part) * count for part, count in again.items())
            failing += _above(f"dup_{name}s", sum(again.values()) / len(parts), 0.3)
            failing += _above(f"dup_{name}_chars", characters / _size(parts), 0.2)
    units = unicode_words(text)
    total = _size(units)
    for n, threshold in TOP:
        counts = Counter(_grams(units, n))
        most = max(counts.values(), default=0)
        longest = max((_size(gram) for gram, count in counts.items() if count == most), default=0)
        failing += _above(f"top_{n}gram", longest * most / total if most > 1 else 0, threshold)
    for n, threshold in DUP:
        grams = _grams(units, n)
        counts = Counter(grams)
        hit = {i + k for i, gram in enumerate(grams) if counts[gram] > 1 for k in range(n)}
        failing += _above(f"dup_{n}grams", _size(units[i] for i in hit) / (total or 1), threshold)
    return failing


def refinedweb(text: str) -> list[str]:
    """RefinedWeb as DCLM's refinedweb.yaml reads it, after language and URLs."""
    before = _counted(text)
    kept = []
    for line in text.split("\n"):
        upper, digits = sum(map(str.isupper, line)), sum(map(str.isdigit, line))
        if line and (upper > 0.5 * len(line) or digits == len(line)):
            continue
        if line.strip() and (_COUNTER.fullmatch(line.lower()) or len(line.split()) < 2):
            continue
        if len(line.split()) <= 10:
            line = re.sub(r"\s?items in cart", "", line, flags=re.IGNORECASE)
            line = re.sub(r"\s?read more...$", "", line, flags=re.IGNORECASE)
            line = re.sub(r"^sign-in\s?", "", line, flags=re.IGNORECASE)
        kept.append(line)
    removed = (before - _counted("\n".join(kept))) / before if before else 1
    return dclm(text) + _above("removed_words", removed, 0.05)


def c4_t5(text: str) -> list[str]:
    """C4 as the code of T5 has it, bad words aside."""
    return _c4(text, ('"', "'", ".", "!", "?"), 3, 5)


def c4_dclm(text: str) -> list[str]:
    """C4 as DCLM's c4.yaml reads it, up to its deduplication."""
    return _above("length", len(text), 190_000) + _c4(text, ('"', ".", "!", "?"), 5, 3)


def _c4(text: str, marks: tuple[str, ...], min_words: int, min_sentences: int) -> list[str]:
    found = 0
    for line in map(str.strip, text.splitlines()):
        if any(len(word) > 1000 for word in line.split()):
            continue
        clean = _CITATION.sub("", line)
        end = clean.rstrip() if min_words == 5 else clean
        low = clean.lower()
        if not end.endswith(marks) or end.endswith("...") or len(clean.split()) < min_words:
            continue
        if "lorem ipsum" in low:
            return ["lorem_ipsum"]
        if "javascript" in low:
            continue
        if "{" in clean:
            return ["curly_bracket"]
        if not any(phrase in low for phrase in _POLICY):
            found += sentences(clean)
    return _below("sentences", found, min_sentences)


_ABBREVIATIONS = frozenset(ABBREVIATIONS.split())


def sentences(line: str) -> int:
    """How many sentences a line has: runs of text up to a mark that ends one, blank ones aside.

    ? and ! end one at the end of a word, 。！？ anywhere; so does a full stop, but after another
    one, a single letter or an abbreviation; and a full stop between a small letter and a capital.
    """
    count, ended, word = 0, True, 0
    for i, mark in enumerate(line):
        if mark.isspace():
            word = i + 1
        elif mark in "。！？" or (mark in "!?" and _closes(line, i)):
            ended = True
        elif mark == ".":
            ended = ended or _is_full_stop(line, word, i)
        elif mark not in "!?" and ended and not unicodedata.category(mark).startswith("P"):
            count, ended = count + 1, False
    return max(count, 1 if line else 0)


def _closes(line: str, i: int) -> bool:
    rest = line[i + 1 :].split(maxsplit=1)
    is_inside = i + 1 < len(line) and not line[i + 1].isspace()
    return not is_inside or all(unicodedata.category(c).startswith("P") for c in rest[0])


def _is_full_stop(line: str, word: int, i: int) -> bool:
    before, after = line[i - 1 : i] if i > word else "", line[i + 1 : i + 2]
    if after == "." or before in ("", "."):
        return False
    if before.islower() and after.isupper():
        return True
    if not _closes(line, i):
        return False
    if before.isupper():
        return i - 2 >= word and line[i - 2].isupper()
    while word < i and unicodedata.category(line[word]).startswith("P"):
        word += 1
    is_letter = i - word == 1 and before.islower()
    return not is_letter and not (i - word < 8 and line[word : i + 1].lower() in _ABBREVIATIONS)


def unicode_words(text: str) -> list[str]:
    """Words of UAX #29 that begin with a letter or digit, for scripts that put spaces between."""
    return [
        word
        for word in re.findall(
            r"[\w\u0300-\u036f]+(?:(?:(?<=[^\W\d_])['’.:·](?=[^\W\d_])|(?<=\d)['’.,;](?=\d))"
            r"[\w\u0300-\u036f]+)*",
            text,
        )
        if word[0].isalnum()
    ]


def _grams(found: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return list(zip(*(found[i:] for i in range(n)), strict=False))


def _size(parts: Sequence[str] | set[str]) -> int:
    return sum(map(len, parts))


def _alphabetic(found: Sequence[str]) -> float:
    return sum(any(map(str.isalpha, word)) for word in found) / len(found)


def _counted(text: str) -> int:
    return sum(word[0].isalnum() for word in text.split())


def _above(name: str, value: float, threshold: float) -> list[str]:
    return [name] if value > threshold else []


def _below(name: str, value: float, threshold: float) -> list[str]:
    return [name] if value < threshold else []


def _outside(name: str, value: float, low: float, high: float) -> list[str]:
    return _below(name, value, low) + _above(name, value, high)


TOOLKITS: dict[str, Callable[[str], list[str]]] = {
    "gopher@dolma": dolma,
    "gopher@nemo": nemo,
    "gopher@dclm": dclm,
    "refinedweb": refinedweb,
    "c4@t5": c4_t5,
    "c4@dclm": c4_dclm,
}
