"""LAION 400M and 2B: Parquet of addresses, captions, sizes, scores. Offset: the row."""

from collections.abc import Iterator
from typing import Any

from llm_data_assets.sources import parquet
from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.media_pair import MediaPair, Paired, documents, numbers, whole
from llm_data_assets.sources.options import NoOptions as Options
from llm_data_assets.sources.parquet import split as split

_FIELDS = parquet.Options(text="TEXT", url="URL", title=None, created_at=None)
_USED = ("SAMPLE_ID", "HEIGHT", "WIDTH", "LICENSE", "LANGUAGE", "NSFW")


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
        return Reject(row.offset, "no address: URL is missing", row.text.encode()[:80])
    identifier = about.get("SAMPLE_ID")
    scores = numbers(about, ["similarity"])
    return MediaPair(
        row.offset,
        "image",
        row.text,
        url=row.url,
        width=whole(about.get("WIDTH")),
        height=whole(about.get("HEIGHT")),
        nsfw=about.get("NSFW"),
        scores=scores,
        native_id=None if identifier is None else str(identifier),
        language=about.get("LANGUAGE"),
        license=about.get("LICENSE"),
        meta={
            name: value
            for name, value in about.items()
            if name not in (*_USED, *scores) and not name.startswith("__index")
        },
    )
