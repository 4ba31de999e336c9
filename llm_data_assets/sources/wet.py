"""Common Crawl WET: the text that was extracted from each page. Offset: byte of the record."""

from collections.abc import Iterator

from fastwarc.warc import WarcRecordType
from pydantic import BaseModel, ConfigDict

from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.warc import about, records


class Options(BaseModel):
    """WET has one layout."""

    model_config = ConfigDict(extra="forbid")


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield every conversion record; its first line is the page's title."""
    for record in records(file, WarcRecordType.conversion):
        text = record.reader.read().decode("utf-8", "replace")
        declared = record.headers.get("WARC-Identified-Content-Language")
        yield Document(
            text,
            title=text.split("\n", 1)[0].strip() or None,
            meta={"declared_languages": declared} if declared else {},
            **about(record),
        )
