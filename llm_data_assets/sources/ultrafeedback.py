"""UltraFeedback: an instruction and up to four rated completions. Offset: byte of the line's start.

`overall_score` 10 stands for a critique's 1 in some completions: where the mean of the four aspects
is at most 2, it is read as 1, and `meta.corrected_scores` counts it. Ratings are text, and may be
N/A; what else is no number from 0 to 10 is no rating and stands in `meta.broken_ratings`.
"""

import math
from collections.abc import Iterator
from itertools import combinations
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from llm_data_assets.sources.conversation import (
    Conversation,
    Preference,
    Spoken,
    Turn,
    documents,
    exchange,
    reject,
    rest_of,
)
from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.json_records import json_records
from llm_data_assets.sources.json_records import split as split

_ASPECTS = ("helpfulness", "honesty", "instruction_following", "truthfulness")
_LOW = 2.0  # of five: a completion rated so low on every aspect is no ten of ten


class Options(BaseModel):
    """What becomes of the completions."""

    model_config = ConfigDict(extra="forbid")

    records: Literal["preferences", "conversations"] = Field(
        "conversations", description="A dialogue a completion, or a pair of any two that differ"
    )


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield every dialogue, or the prompt and the better answer of every pair."""
    return documents(read_records(file, options))


def read_records(file: SourceFile, options: Options) -> Iterator[Spoken]:
    """Yield the completions of every instruction as dialogues or as pairs."""
    for offset, record in json_records(file):
        if isinstance(record, Reject):
            yield record
            continue
        completions = record.get("completions") if isinstance(record, dict) else None
        if not isinstance(completions, list) or not isinstance(record.get("instruction"), str):
            yield reject("no completions: instruction or completions are missing", record, offset)
            continue
        rated = [_rated(each) for each in completions if _answered(each)]
        about = _about(record, rated)
        if not rated:
            yield reject("no answer: no completion has a response", record, offset)
        elif options.records == "conversations":
            for completion, scores in rated:
                turns = exchange(record["instruction"], completion["response"])
                yield Conversation(
                    offset, turns, system=completion.get("custom_system_prompt") or None,
                    meta={**about, **rest_of(completion, "response"), "scores": scores},
                )  # fmt: skip
        else:
            for completion, _ in rated:
                if "overall" in completion.get("broken_ratings", {}):
                    said = f"{completion['broken_ratings']['overall']!r}"[:40]
                    problem = f"broken rating: overall_score {said} is no number from 0 to 10"
                    yield reject(problem, completion, offset)
            yield from _pairs(record["instruction"], rated, about, offset)


def _pairs(
    instruction: str,
    rated: list[tuple[dict[str, Any], dict[str, float]]],
    about: dict[str, Any],
    offset: int,
) -> Iterator[Preference]:
    for one, other in combinations(rated, 2):
        scores = [each[1].get("overall") for each in (one, other)]
        if None in scores or scores[0] == scores[1]:
            continue
        better, worse = (one, other) if scores[0] > scores[1] else (other, one)  # type: ignore[operator]
        yield Preference(
            offset,
            [Turn("user", instruction)],
            [Turn("assistant", better[0]["response"])],
            [Turn("assistant", worse[0]["response"])],
            scores={"chosen": better[1], "rejected": worse[1]},
            meta={**about, "models": [better[0].get("model"), worse[0].get("model")]},
        )


def _answered(completion: Any) -> bool:
    return isinstance(completion, dict) and isinstance(completion.get("response"), str)


def _rated(completion: dict[str, Any]) -> tuple[dict[str, Any], dict[str, float]]:
    """The completion and its scores by aspect; those that are no number are left out."""
    annotations = completion.get("annotations")
    given = {"overall": completion.get("overall_score")}
    for aspect in _ASPECTS:
        rating = annotations.get(aspect) if isinstance(annotations, dict) else None
        given[aspect] = rating.get("Rating") if isinstance(rating, dict) else None
    scores = {name: number for name, said in given.items() if (number := _number(said)) is not None}
    broken = {name: said for name, said in given.items() if name not in scores}
    broken = {name: said for name, said in broken.items() if said not in (None, "N/A")}
    if broken:
        completion = {**completion, "broken_ratings": broken}
    aspects = [scores[aspect] for aspect in _ASPECTS if aspect in scores]
    mean = sum(aspects) / len(aspects) if aspects else None
    if _is_mistaken(scores.get("overall"), mean):
        scores["overall"] = 1.0
        completion = {**completion, "corrected_score": True}
    return completion, scores


def _is_mistaken(overall: float | None, mean: float | None) -> bool:
    return overall == 10 and mean is not None and mean <= _LOW


def _number(value: Any) -> float | None:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number <= 10 else None


def _about(
    record: dict[str, Any], rated: list[tuple[dict[str, Any], dict[str, float]]]
) -> dict[str, Any]:
    about = rest_of(record, "instruction", "completions")
    for name in ("correct_answers", "incorrect_answers"):
        if about.get(name) == ["None"]:
            about[name] = []
    corrected = sum(bool(completion.get("corrected_score")) for completion, _ in rated)
    return {**about, "corrected_scores": corrected} if corrected else about
