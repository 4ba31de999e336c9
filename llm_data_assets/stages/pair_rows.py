"""References to media with their captions as rows of raw_pairs."""

from collections.abc import Mapping
from typing import Any

from llm_data_assets.media.repeats import parse_phash
from llm_data_assets.sources.document import Reject
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.media_pair import MediaPair
from llm_data_assets.sources.storable import strict_json, without_surrogates
from llm_data_assets.stages.record_rows import finite, repaired, row_id

_PHASH_FIELDS = ("image_phash", "phash")  # COYO's name, and the plain one
_MOST_PIXELS = 1 << 40  # a side longer than that is a typing error


def pair_row(
    settings: Mapping[str, Any], file: SourceFile, record: MediaPair, ordinal: int
) -> dict[str, Any] | Reject:
    """The row of a pair, or the reject that it is.

    Args:
        ordinal: its number among the records of its offset.
    """
    caption, repairs = repaired(record.caption)
    try:
        meta = strict_json(record.meta)
    except ValueError as error:
        return Reject(record.offset, str(error))
    given = next((record.meta[name] for name in _PHASH_FIELDS if name in record.meta), None)
    phash, phash_fault = parse_phash(given)
    native = record.native_id
    return {
        "doc_id": row_id(settings["source"], file, record.offset, native, ordinal),
        "kind": record.kind,
        "url": _text(record.url),
        "path": _text(record.path),
        "caption": caption,
        "says": record.says,
        "width": _side(record.width),
        "height": _side(record.height),
        "seconds": finite(record.seconds),
        "silence_share": record.silence,
        "recording_fault": record.fault,
        "nsfw": _text(record.nsfw),
        "phash": phash,
        "phash_fault": phash_fault,
        "scores": [
            {"name": without_surrogates(name), "value": value}
            for name, value in sorted(record.scores.items())
        ],
        "origin": {"file": file.uri, "offset": record.offset, "native_id": _text(native)},
        "language": _text(record.language) or settings["language"],
        "license": _text(record.license) or settings["license"],
        "n_bytes": len(caption.encode()),
        "n_repairs": repairs,
        "meta": meta,
    }


def _text(value: Any) -> str | None:
    """The text, of whatever a publisher's column holds in its place."""
    return None if value is None else without_surrogates(str(value))


def _side(value: int | None) -> int | None:
    return value if value is not None and abs(value) < _MOST_PIXELS else None
