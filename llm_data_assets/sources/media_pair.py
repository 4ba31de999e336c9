"""Pictures, films and recordings by reference, with what is said of them; nothing is fetched."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from llm_data_assets.sources.document import Document, Reject


@dataclass(slots=True)
class MediaPair:
    """One reference and its caption or transcript; `scores` are the publisher's, by name.

    `url` is the publisher's address; `path` is a file beside the manifest, or a member of an
    archive. Sizes are in pixels and seconds. `says` is what the caption is: written about the
    picture, spoken in the recording, or its title. `silence` is the silent share of a recording
    that was listened to, and `fault` why it could not be.
    """

    offset: int
    kind: Literal["image", "video", "audio"]
    caption: str
    url: str | None = None
    path: str | None = None
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    says: Literal["caption", "transcript", "title"] = "caption"
    silence: float | None = None
    fault: str = "none"
    nsfw: str | None = None
    scores: dict[str, float] = field(default_factory=dict)
    native_id: str | None = None
    language: str | None = None
    license: str | None = None
    meta: dict[str, Any] = field(default_factory=dict)


Paired = MediaPair | Reject


def documents(records: Iterable[Paired]) -> Iterator[Document | Reject]:
    """The captions as documents; what they are captions of stands in `meta`."""
    for record in records:
        if isinstance(record, Reject):
            yield record
            continue
        about = {
            "kind": record.kind, "path": record.path, "width": record.width,
            "height": record.height, "seconds": record.seconds, "nsfw": record.nsfw,
        }  # fmt: skip
        yield Document(
            record.caption, record.offset, native_id=record.native_id, url=record.url,
            language=record.language, license=record.license,
            meta={
                **record.meta,
                **{name: value for name, value in about.items() if value is not None},
                **({"scores": record.scores} if record.scores else {}),
            },
        )  # fmt: skip


def number(value: Any) -> float | None:
    """A number from a number or its text; None where it is neither, or not finite."""
    if value is None or isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if found - found == 0 else None


def whole(value: Any) -> int | None:
    """As `number`, rounded: sizes come as int32 or as float64."""
    found = number(value)
    return None if found is None else round(found)


def numbers(record: Mapping[str, Any], names: Iterable[str]) -> dict[str, float]:
    """The fields that are numbers, by name."""
    found = {name: number(record.get(name)) for name in names}
    return {name: value for name, value in found.items() if value is not None}
