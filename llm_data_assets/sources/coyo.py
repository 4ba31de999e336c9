"""COYO-700M: Parquet of addresses, captions, sizes, eight scores. Offset: the row."""

from collections.abc import Iterator
from typing import Any

from llm_data_assets.sources import parquet
from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.media_pair import MediaPair, Paired, documents, numbers, whole
from llm_data_assets.sources.options import NoOptions as Options
from llm_data_assets.sources.parquet import split as split

_FIELDS = parquet.Options(text="text", url="url", id="id", title=None, created_at=None)
_SCORES = (
    "clip_similarity_vitb32", "clip_similarity_vitl14", "nsfw_score_opennsfw2",
    "nsfw_score_gantman", "watermark_score", "aesthetic_score_laion_v2",
)  # fmt: skip


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield the caption of every row as one document."""
    return documents(read_records(file, options))


def read_records(file: SourceFile, options: Options) -> Iterator[Paired]:
    """Yield every row with a caption and an address."""
    for row in parquet.read(file, _FIELDS):
        yield row if isinstance(row, Reject) else _pair(row)


def _pair(row: Document) -> Paired:
    about: dict[str, Any] = row.meta
    if not row.url:
        return Reject(row.offset, "no address: url is missing", row.text.encode()[:80])
    scores = numbers(about, _SCORES)
    return MediaPair(
        row.offset,
        "image",
        row.text,
        url=row.url,
        width=whole(about.get("width")),
        height=whole(about.get("height")),
        scores=scores,
        native_id=row.native_id,
        meta={
            name: value for name, value in about.items() if name not in (*scores, "width", "height")
        },
    )
