"""Common Crawl WET: the text that was extracted from each page. Offset: byte of the record."""

from collections.abc import Iterator

from fastwarc.warc import WarcRecordType

from llm_data_assets.sources.document import Document, Reject, UnreadableFileError
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.options import NoOptions as Options
from llm_data_assets.sources.warc import MAX_RECORD_BYTES, about, block, records
from llm_data_assets.sources.warc import split as split


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield every conversion record; its first line is the page's title."""
    for record in records(file):
        if isinstance(record, Reject):
            yield record
            continue
        if record.record_type != WarcRecordType.conversion:
            continue
        try:
            text = block(record, MAX_RECORD_BYTES).decode("utf-8", "replace")
        except UnreadableFileError as error:
            yield Reject(int(record.stream_pos), str(error))
            continue
        declared = record.headers.get("WARC-Identified-Content-Language")
        yield Document(
            text,
            title=text.split("\n", 1)[0].strip() or None,
            meta={"declared_languages": declared} if declared else {},
            **about(record),
        )
