"""What is measured of a pair: of its caption, its size, its length, its publisher's scores."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

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
_I64, _F64 = pa.int64(), pa.float64()
COLUMNS: tuple[tuple[str, pa.DataType, str], ...] = (
    ("caption_characters", _I64, "Characters of the caption"),
    ("caption_words", _I64, "Its words, Chinese segmented"),
    ("caption_tokens", _I64, "Its tokens under `media.tokenizer`; null without one"),
    ("language", pa.string(), "Detected language of the caption; a short one is a guess"),
    ("language_score", _F64, "How sure the detector is"),
    ("repeated_word_share", _F64, f"1 - distinct / all words; 0 below {_FEWEST_WORDS} words"),
    ("boilerplate_share", _F64, "Share of characters in phrases of stock sites and generators"),
    ("placeholders", _I64, "Names that the publisher replaced, as <PERSON>"),
    ("placeholder_share", _F64, "Of the words"),
    ("file_name", _I64, "1 if the caption is the name of a file"),
    ("address", _I64, "1 if it holds a web or mail address"),
    ("shorter_side", _I64, "Pixels; null where a side is not known or not above 0"),
    ("pixels", _I64, "Width times height"),
    ("aspect_ratio", _F64, "Longer side over shorter, from 1"),
    ("seconds", _F64, "Length of a film or a recording"),
    ("words_per_second", _F64, "Speed of a transcript; null of what is not spoken"),
    ("characters_per_second", _F64, "Likewise"),
    ("silence_share", _F64, "Silent share of a recording; null if nobody listened"),
    ("recording_fault", pa.string(), "none, not_installed (extra `audio`) or broken"),
    ("score_fault", pa.string(), "First score that is no number or out of range; none if none"),
    (
        "scores",
        pa.list_(pa.struct([("name", pa.string()), ("value", _F64)])),
        "Scores of `media.scores`; each is a column to the rules",
    ),
)


def measure(
    rows: Sequence[Mapping[str, Any]],
    metas: Sequence[Mapping[str, Any]],
    scores: Mapping[str, Mapping[str, Any]],
    tokens: Sequence[int] | None = None,
) -> list[dict[str, Any]]:
    """`doc_id` and the columns of `COLUMNS` for pairs.

    Args:
        rows: of raw_pairs.
        metas: the parsed `meta` of each.
        scores: name -> `fields`, `min` and `max`, as `media.scores` has them.
        tokens: of each caption, where a tokenizer counted them.
    """
    captions = pa.array([row["caption"] for row in rows], pa.string())
    counts: Sequence[int | None] = tokens or [None] * len(rows)
    languages, sure = (each.to_pylist() for each in detect(captions))
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
            rows, metas, languages, sure, counts, strict=True
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
    """Speed of transcripts alone: a caption or a title is not spoken."""
    seconds = row["seconds"]
    spoken = row["says"] == "transcript" and seconds is not None and seconds > 0
    return {
        "seconds": seconds,
        "words_per_second": len(words(row["caption"], language)) / seconds if spoken else None,
        "characters_per_second": len(row["caption"]) / seconds if spoken else None,
        "silence_share": row["silence_share"],
        "recording_fault": row["recording_fault"],
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
