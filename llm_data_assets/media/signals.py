"""What is measured of a pair: of its caption, its size, its length, its publisher's scores."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import pyarrow as pa

from llm_data_assets.text.language import detect
from llm_data_assets.text.words import words

# Phrases of stock sites, galleries and alt-text generators; CC3M's paper (Sharma et al. 2018,
# section 3) names the first four as boilerplate it cuts.
_BOILERPLATE = re.compile(
    r"click to enlarge(?: picture)?|stock photos?|embedded image permalink|profile photo"
    r"|image may contain:?|may be an image of|royalty[- ]free|stock (?:vector|images?|illustration)"
    r"|high[- ]res(?:olution)? (?:stock )?(?:photo|image)s?|free download|thumbnail(?: for)?"
    r"|view (?:larger|full size)(?: image)?|no (?:image|photo) available|getty images|shutterstock"
    r"|alamy|点击(?:查看)?大图|图片加载中|暂无图片|高清图片",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(r"<(?:PERSON|NAME|LOC|ORG)>|\[(?:PERSON|NAME)\]")
_FILE_NAME = re.compile(
    r"\S*\.(?:jpe?g|png|gif|webp|bmp|tiff?|mp4|mov|avi|wav|flac|mp3)"
    r"|(?:img|dsc[nf]?|p\d|image|photo|pic|screenshot|mvi)[-_ ]?\d+",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"\b(?:https?://|www\.)\S|\S@\S+\.\w", re.IGNORECASE)
_FEWEST_WORDS = 4


class Tokens(Protocol):
    """What counts tokens."""

    def __call__(self, captions: pa.Array) -> Sequence[int]: ...


def measure(
    rows: Sequence[Mapping[str, Any]],
    metas: Sequence[Mapping[str, Any]],
    scores: Mapping[str, Mapping[str, Any]],
    count_tokens: Tokens | None = None,
) -> list[dict[str, Any]]:
    """The columns of pair_signals for pairs.

    Args:
        rows: of raw_pairs.
        metas: the parsed `meta` of each.
        scores: name -> `fields`, `min` and `max`, as `media.scores` has them.
    """
    captions = pa.array([row["caption"] for row in rows], pa.string())
    languages, sure = (each.to_pylist() for each in detect(captions))
    tokens = count_tokens(captions) if count_tokens else [None] * len(rows)
    return [
        {
            "doc_id": row["doc_id"],
            "caption_tokens": n_tokens,
            "language": language,
            "language_score": float(score),
            **_of_caption(row["caption"], language),
            **_of_size(row["width"], row["height"]),
            **_of_length(row, language),
            **_of_scores(row, meta, scores),
        }
        for row, meta, language, score, n_tokens in zip(
            rows, metas, languages, sure, tokens, strict=True
        )
    ]


def _of_caption(caption: str, language: str) -> dict[str, Any]:
    said = words(caption, language)
    placeholders = len(_PLACEHOLDER.findall(caption))
    covered = sum(found.end() - found.start() for found in _BOILERPLATE.finditer(caption))
    distinct = len({word.lower() for word in said})
    return {
        "caption_characters": len(caption),
        "caption_words": len(said),
        "repeated_word_share": 1 - distinct / len(said) if len(said) >= _FEWEST_WORDS else 0.0,
        "boilerplate_share": covered / max(1, len(caption)),
        "placeholder_share": min(1.0, placeholders / max(1, len(said))),
        "placeholders": placeholders,
        "file_name": int(bool(_FILE_NAME.fullmatch(caption.strip()))),
        "address": int(bool(_ADDRESS.search(caption))),
    }


def _of_size(width: int | None, height: int | None) -> dict[str, Any]:
    """Nulls where a side is unknown or not above 0."""
    if not width or not height or width < 0 or height < 0:
        return {"shorter_side": None, "pixels": None, "aspect_ratio": None}
    shorter, longer = sorted((width, height))
    return {"shorter_side": shorter, "pixels": width * height, "aspect_ratio": longer / shorter}


def _of_length(row: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Speed of what is said, of recordings alone: a film's caption is not spoken."""
    seconds = row["seconds"]
    spoken = row["kind"] == "audio" and seconds is not None and seconds > 0
    return {
        "seconds": seconds,
        "words_per_second": len(words(row["caption"], language)) / seconds if spoken else None,
        "characters_per_second": len(row["caption"]) / seconds if spoken else None,
    }


def _of_scores(
    row: Mapping[str, Any], meta: Mapping[str, Any], wanted: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Each score, and the first field that is no number or out of its range."""
    told = {each["name"]: each["value"] for each in row["scores"]}
    found, fault = [], "none"
    for name, about in wanted.items():
        values = []
        for field in about["fields"]:
            value = told.get(field, meta.get(field))
            if value is None:
                continue
            number = _number(value)
            if number is None or not about["min"] <= number <= about["max"]:
                why = "not_a_number" if number is None else "out_of_range"
                fault = f"{field} {why}" if fault == "none" else fault
            else:
                values.append(number)
        if values:
            found.append({"name": name, "value": max(values)})
    return {"scores": found, "score_fault": fault}


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None
