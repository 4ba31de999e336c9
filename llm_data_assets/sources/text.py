"""Plain text: one document a file. Offset: 0."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from pydantic import BaseModel, ConfigDict, Field

from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile, open_decompressed
from llm_data_assets.text.decode import decode


class Options(BaseModel):
    """How plain text is read."""

    model_config = ConfigDict(extra="forbid")

    encoding: str | None = Field(None, description="Declared encoding; found where absent")


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield the file as one document."""
    with open_decompressed(file) as stream:
        data = stream.read()
    if b"\0" in data[:8192] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        yield Reject(0, f"binary: {file.uri} has NUL bytes", data[:80])
        return
    text, encoding = decode(data, options.encoding)
    yield Document(text, 0, title=PurePosixPath(file.uri).name, meta={"encoding": encoding})
