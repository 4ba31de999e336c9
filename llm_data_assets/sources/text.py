"""Plain text: one document a file. Offset: 0."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from pydantic import BaseModel, ConfigDict, Field

from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile, read_whole
from llm_data_assets.text.decode import decode

_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_HEAD = 8_192


class Options(BaseModel):
    """How plain text is read."""

    model_config = ConfigDict(extra="forbid")

    encoding: str | None = Field(None, description="Declared encoding; found where absent")


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield the file as one document."""
    data = read_whole(file)
    if looks_binary(data) and options.encoding is None:
        yield Reject(0, f"binary: {file.uri} has NUL bytes", data[:80])
        return
    text, encoding = decode(data, options.encoding)
    yield Document(text, 0, title=PurePosixPath(file.uri).name, meta={"encoding": encoding})


def looks_binary(data: bytes) -> bool:
    """Whether there is a NUL in the first 8 KiB, git's own rule; marked UTF-16 is text."""
    return b"\0" in data[:_HEAD] and not data.startswith(_UTF_16_MARKS)
