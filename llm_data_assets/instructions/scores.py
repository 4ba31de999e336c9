"""Scores of a dialogue: one column each; thresholds appear nowhere."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from llm_data_assets.instructions.dialogue import (
    answer_text,
    question_text,
    rejected_text,
    role_fault,
)
from llm_data_assets.instructions.kernels_words import measure_words
from llm_data_assets.instructions.words import word_hashes
from llm_data_assets.text.language import detect

_F64, _I64, _STR = pa.float64(), pa.int64(), pa.string()
COLUMNS: tuple[tuple[str, pa.DataType, str], ...] = (
    ("kind", _STR, "conversation or preference"),
    ("n_turns", _I64, "Turns, of a preference with the chosen answer"),
    ("question_words", _I64, "Words of all that is asked; a Han character is a word"),
    ("answer_words", _I64, "Words of the answer"),
    ("answer_characters", _I64, "Characters of the answer"),
    ("role_fault", _STR, "none, unknown_role, starts_with_answer, repeated_role or stray_tool"),
    ("missing_answer", _I64, "1 if nobody answers"),
    ("repetition", _F64, "1 - distinct / all n-grams of the answer's words, the most of n = 2 to 4"
     " below 200 words, n = 5 above; 0 under 8 n-grams"),
    ("vague_reference", _I64, "1 if a short question points at what is not there"),
    ("refusal", _I64, "1 if the answer begins by declining"),
    ("language", _STR, "Detected language of the question"),
    ("answer_language", _STR, "Detected language of the answer"),
    ("language_agrees", _F64, "1 or 0; null where a side is too short, code, or a translation"),
    ("reasoning_steps", _I64, "Most of: numbered items, step words, lines of equations"),
    ("concept_density", _F64, "Weight of the terms of `terms` per 100 characters"),
    ("code_share", _F64, "Share of the answer's characters in code fences"),
    ("math_share", _F64, "Share of the answer's characters in formulas"),
    ("unsafe_terms", _I64, "Distinct terms of `unsafe_terms` in question or answer"),
    ("rating", _F64, "The rating that the data carry, of a preference the chosen answer's"),
    ("rating_fault", _STR, "none, not_a_number or out_of_range"),
    ("margin", _F64, "Of a preference: rating of the chosen less that of the rejected"),
    ("length_ratio", _F64, "Of a preference: characters of the chosen a character of the rejected"),
    ("quality", _F64, "The rating where there is one, else `heuristic_quality`"),
)  # fmt: skip

_VAGUE = re.compile(
    r"那个|这个东西|它|上面的|\b(?:this|that|it|these|those|the above|above)\b", re.IGNORECASE
)
_REFUSAL = re.compile(
    r"^\W*(?:i(?:'|’)?m sorry|i am sorry|sorry,|i apologi[sz]e|as an ai"
    r"|i(?: am|'m|’m) (?:unable|not able)"
    r"|i can(?:no|'|’)t (?:help|assist|do|provide|answer|create|generate)|i won(?:'|’)t"
    r"|对不起|抱歉|很抱歉|作为一个?(?:AI|人工智能)|我(?:无法|不能)(?:提供|回答|帮助|协助))",
    re.IGNORECASE,
)
_TRANSLATION = re.compile(
    r"translat|翻译|übersetz|tradu|\bin (?:english|chinese|french|german|spanish)", re.I
)  # fmt: skip
_ITEMS = re.compile(r"^\s*(?:\d+[.)、]|[-*] |第[一二三四五六七八九十\d]+步|step \d+)",
                    re.MULTILINE | re.IGNORECASE)  # fmt: skip
_STEP_WORDS = frozenset(
    ("first", "second", "third", "next", "then", "finally", "therefore", "thus", "hence",
     "because", "step")
)  # fmt: skip
_STEP_PHRASES = ("首先", "其次", "然后", "接着", "最后", "因此", "所以", "于是")
_DIGIT = re.compile(r"\d")
_FENCES = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
# A formula's length is bounded: an opening mark without its end is looked for again and again.
_FORMULAS = re.compile(
    r"\$\$.{1,1000}?\$\$|\$[^$\n]{1,1000}\$|\\\(.{1,1000}?\\\)|\\\[.{1,1000}?\\\]"
    r"|[\d)][ \t]*[-+*/×÷=^<>][ \t]*[\d(.]+", re.DOTALL
)  # fmt: skip
_SURE = 0.5  # of a language
_MIN_CHARACTERS = 20


@dataclass(frozen=True)
class Lists:
    """What the scores count by: lists that the user supplies."""

    terms: Mapping[str, float]
    unsafe: Sequence[str] = ()
    rating: str | None = None
    rating_range: tuple[float, float] = (-1000.0, 1000.0)


class Words(NamedTuple):
    """What is counted of the words of a dialogue; all but `asked` of the answer."""

    asked: int
    said: int
    distinct: int
    repetition: float
    inferences: int


def score(rows: Sequence[Mapping[str, Any]], lists: Lists, metas: Sequence[Mapping[str, Any]]
          ) -> pa.Table:  # fmt: skip
    """The columns of `COLUMNS` for dialogues.

    Args:
        rows: of raw_instructions.
        metas: the parsed `meta` of each.
    """
    questions, answers = [question_text(row) for row in rows], [answer_text(row) for row in rows]
    languages = _languages(questions), _languages(answers)
    terms, unsafe = _matcher(lists.terms), _matcher(lists.unsafe)
    measured = zip(*_measured(questions, answers), strict=True)
    scored = [
        _scores(row, question, answer, Words(*each), meta, lists, terms, unsafe)
        for row, question, answer, each, meta in zip(
            rows, questions, answers, measured, metas, strict=True
        )
    ]
    for number, each in enumerate(scored):
        asked, said = languages[0][number], languages[1][number]
        each["language"], each["answer_language"] = asked[0], said[0]
        each["language_agrees"] = _agree(asked, said, questions[number], each["code_share"])
    fields = [pa.field(name, kind) for name, kind, _ in COLUMNS]
    return pa.Table.from_pylist(scored, pa.schema(fields))


def _scores(
    row: Mapping[str, Any], question: str, answer: str, counted: Words, meta: Mapping[str, Any],
    lists: Lists, terms: re.Pattern[str] | None, unsafe: re.Pattern[str] | None,
) -> dict[str, Any]:  # fmt: skip
    rating, fault = rating_of(row["ratings"], meta, lists)
    rejected = rejected_text(row)
    found = {
        "kind": row["kind"],
        "n_turns": len(row["turns"]),
        "question_words": counted.asked,
        "answer_words": counted.said,
        "answer_characters": len(answer),
        "role_fault": role_fault(row["turns"]),
        "missing_answer": int(not answer.strip()),
        "repetition": counted.repetition,
        "vague_reference": int(is_vague(question, counted.asked, row["n_prompt"])),
        "refusal": int(bool(_REFUSAL.match(answer[:200]))),
        "reasoning_steps": reasoning_steps(answer, counted.inferences),
        "concept_density": _density(question + "\n" + answer, lists.terms, terms),
        "code_share": _share(_FENCES, answer),
        "math_share": _share(_FORMULAS, answer),
        "unsafe_terms": len(set(unsafe.findall(f"{question}\n{answer}".lower()))) if unsafe else 0,
        "rating": rating,
        "rating_fault": fault,
        "margin": margin(row["ratings"], lists.rating_range)
        if row["kind"] == "preference"
        else None,
        "length_ratio": len(answer) / max(1, len(rejected)) if rejected is not None else None,
    }
    found["quality"] = heuristic_quality(found, counted.distinct) if rating is None else rating
    return found


def _measured(questions: Sequence[str], answers: Sequence[str]) -> list[list[Any]]:
    """The columns of `Words` for dialogues."""
    hashes, starts = word_hashes(answers)
    steps = np.sort(word_hashes(sorted(_STEP_WORDS))[0])
    distinct, repeated, inferences = measure_words(hashes, starts, steps)
    asked = np.diff(word_hashes(questions)[1])
    columns = (asked, np.diff(starts), distinct, repeated, inferences)
    return [column.tolist() for column in columns]


def repetition(tokens: Sequence[str]) -> float:
    """1 - distinct / all n-grams: the most of n = 2 to 4, of long answers n = 5.

    The plain reference of the kernel `measure_words`.

    Repetition of short n grows with length, so that of 200 words and more only n = 5 counts. Under
    8 n-grams nothing is said (0). Mission: an answer above 0.4 goes.
    """
    worst = 0.0
    for n in (5,) if len(tokens) >= 200 else (2, 3, 4):
        count = len(tokens) - n + 1
        if count >= 8:
            distinct = len(set(zip(*(tokens[i:] for i in range(n)), strict=False)))
            worst = max(worst, 1 - distinct / count)
    return worst


def is_vague(question: str, n_words: int, n_prompt: int) -> bool:
    """Whether a first, short question points at what it does not give (this, it, 那个)."""
    if n_prompt > 1 or n_words > 12 or "\n" in question or ":" in question or "：" in question:
        return False
    return bool(_VAGUE.search(question)) and not re.search("[\"“「'`]", question)


def reasoning_steps(answer: str, inferences: int) -> int:
    """The most of: numbered or bulleted items, words of inference, lines of equations.

    Args:
        inferences: how many of the answer's words are words of inference.
    """
    if not answer.isascii():
        inferences += sum(answer.count(phrase) for phrase in _STEP_PHRASES)
    return max(len(_ITEMS.findall(answer)), inferences, _equations(answer))


def _equations(text: str) -> int:
    """Lines with a digit on both sides of an equals sign."""
    if "=" not in text:
        return 0
    sides = [line.partition("=") for line in text.split("\n") if "=" in line]
    return sum(bool(_DIGIT.search(left) and _DIGIT.search(right)) for left, _, right in sides)


def own_rating(ratings: Sequence[Mapping[str, Any]], within: tuple[float, float]) -> float | None:
    """`overall` of the (chosen) answer, else the mean of its aspects; ranks are no ratings, nor is
    what lies outside of the bounds."""
    rating = _overall({each["aspect"]: each["chosen"] for each in ratings or ()})
    return rating if rating is not None and within[0] <= rating <= within[1] else None


def margin(ratings: Sequence[Mapping[str, Any]], within: tuple[float, float]) -> float | None:
    """How much better the chosen answer was rated; of ranks, how many places before. None where a
    rating lies outside of the bounds."""
    sides = [{each["aspect"]: each[side] for each in ratings or ()}
             for side in ("chosen", "rejected")]  # fmt: skip
    chosen, rejected = map(_overall, sides)
    if chosen is not None and rejected is not None:
        inside = all(within[0] <= each <= within[1] for each in (chosen, rejected))
        return chosen - rejected if inside else None
    before, after = (side.get("rank") for side in sides)
    return None if before is None or after is None else after - before


def _overall(by_aspect: Mapping[str, float | None]) -> float | None:
    if (overall := by_aspect.get("overall")) is not None:
        return overall
    rated = [each for name, each in by_aspect.items() if each is not None and name != "rank"]
    return sum(rated) / len(rated) if rated else None


def rating_of(
    ratings: Sequence[Mapping[str, Any]], meta: Mapping[str, Any], lists: Lists
) -> tuple[float | None, str]:
    """The rating and what is wrong with it; text that is a number is one.

    What a reader could not use as a rating stands in `meta.broken_ratings`.
    """
    by_aspect = {each["aspect"]: each["chosen"] for each in ratings or ()}
    given = _overall(by_aspect) if lists.rating is None else meta.get(lists.rating)
    if given is None:
        broken = meta.get("broken_ratings") if lists.rating is None else None
        given = next(iter(broken.values()), None) if isinstance(broken, dict) else None
        value, fault = _within(given, lists.rating_range)
        return None, "out_of_range" if value is not None else fault
    return _within(given, lists.rating_range)


def _within(given: Any, bounds: tuple[float, float]) -> tuple[float | None, str]:
    if given is None:
        return None, "none"
    try:
        value = float(given)
    except (TypeError, ValueError, OverflowError):
        return None, "not_a_number"
    if isinstance(given, bool):
        return None, "not_a_number"
    return (value, "none") if bounds[0] <= value <= bounds[1] else (None, "out_of_range")


def heuristic_quality(found: Mapping[str, Any], distinct_words: int) -> float:
    """A stand-in for a rating, in [0, 1]: steps (up to 5), distinct words (up to 100), no faults.

    A heuristic to order rows by, no measure of truth: selection_report has its correlation with
    length.
    """
    if found["missing_answer"] or found["refusal"]:
        return 0.0
    steps, variety = min(found["reasoning_steps"], 5) / 5, min(distinct_words, 100) / 100
    return (1 - found["repetition"]) * (1 - 0.5 * found["vague_reference"]) * (steps + variety) / 2


def _languages(texts: Sequence[str]) -> list[tuple[str, float, int]]:
    """(language, score, characters) of each text."""
    found, sure = detect(pa.array(texts, pa.string()))
    return list(zip(found.to_pylist(), sure.to_pylist(), map(len, texts), strict=True))


def _agree(
    asked: tuple[str, float, int], said: tuple[str, float, int], question: str, code: float
) -> float | None:
    unsure = any(score < _SURE or length < _MIN_CHARACTERS for _, score, length in (asked, said))
    if unsure or code > 0.5 or _TRANSLATION.search(question):
        return None
    return float(asked[0] == said[0])


def _share(pattern: re.Pattern[str], text: str) -> float:
    return sum(m.end() - m.start() for m in pattern.finditer(text)) / len(text) if text else 0.0


def _matcher(terms: Any) -> re.Pattern[str] | None:
    """One pattern for all terms; Latin ones at word boundaries."""
    spelled = sorted((term.lower() for term in terms), key=lambda term: (-len(term), term))
    if not spelled:
        return None
    return re.compile("|".join(
        rf"(?<!\w){re.escape(term)}(?!\w)" if term.isascii() else re.escape(term)
        for term in spelled
    ))  # fmt: skip


def _density(text: str, weights: Mapping[str, float], terms: re.Pattern[str] | None) -> float:
    if terms is None or not text:
        return 0.0
    return 100 * sum(weights[each] for each in terms.findall(text.lower())) / len(text)
