"""Project Gutenberg books without the licence around them. Offset: 0."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from pydantic import BaseModel, ConfigDict

from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile, open_decompressed
from llm_data_assets.text.decode import decode

_START = re.compile(
    r"^\*\*\* ?START OF (?:THE|THIS) PROJECT GUTENBERG.*?\*\*\*[^\n]*\n", re.M | re.S
)
_END = re.compile(
    r"^(?:\*\*\* ?END OF (?:THE|THIS) PROJECT GUTENBERG|End of (?:the )?Project Gutenberg)", re.M
)
# Editions before 2000 have a "small print" header and no end marker.
_OLD_START = re.compile(r"^\*END[ *]*THE SMALL PRINT![^\n]*\n", re.M)
_TITLE = re.compile(r"^Title:\s*(.+)$", re.M)
_LANGUAGE = re.compile(r"^Language:\s*(\w+)", re.M)


class Options(BaseModel):
    """Gutenberg texts need none."""

    model_config = ConfigDict(extra="forbid")


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield the book as one document, header and footer removed."""
    with open_decompressed(file) as stream:
        text, encoding = decode(stream.read())
    text = text.replace("\r\n", "\n")
    start = _START.search(text) or _OLD_START.search(text)
    body = text[start.end() :] if start else text
    end = _END.search(body)
    header = text[: start.end()] if start else text[:2_000]
    title = _TITLE.search(header)
    language = _LANGUAGE.search(header)
    yield Document(
        (body[: end.start()] if end else body).strip(),
        0,
        title=title.group(1).strip() if title else PurePosixPath(file.uri).stem,
        language="en" if language and language.group(1) == "English" else None,
        meta={"encoding": encoding},
    )
