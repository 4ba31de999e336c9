"""WebVid: CSV read by the names of its columns, which copies order differently. Offset: byte."""

import re
from collections.abc import Iterator

from llm_data_assets.sources.conversation import rest_of
from llm_data_assets.sources.delimited import Dialect, rows
from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.media_pair import MediaPair, Paired, documents
from llm_data_assets.sources.options import NoOptions as Options

_DIALECT = Dialect(",", '"', None, None)
_DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?")  # ISO 8601


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield the caption of every row as one document."""
    return documents(read_records(file, options))


def read_records(file: SourceFile, options: Options) -> Iterator[Paired]:
    """Yield every film with a name and an address."""
    for offset, row in rows(file, _DIALECT, ["name"]):
        if isinstance(row, Reject):
            yield row
        elif not row.get("name") or not row.get("contentUrl"):
            missing = "address" if row.get("name") else "caption"
            yield Reject(offset, f"no {missing}: the cell is empty")
        else:
            yield MediaPair(
                offset,
                "video",
                row["name"],
                url=row["contentUrl"],
                seconds=seconds(row.get("duration", "")),
                native_id=row.get("videoid") or None,
                meta=rest_of(row, "name", "contentUrl", "duration", "videoid"),
            )


def seconds(duration: str) -> float | None:
    """`PT00H00M17S` as 17.0; None where it is no ISO 8601 duration."""
    found = _DURATION.fullmatch(duration.strip())
    if found is None or not any(found.groups()):
        return None
    hours, minutes, rest = (float(part or 0) for part in found.groups())
    return 3600 * hours + 60 * minutes + rest
