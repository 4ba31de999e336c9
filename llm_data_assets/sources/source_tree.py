"""A folder of source code: one document a file. Offset: 0."""

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import PurePosixPath

from pydantic import BaseModel, ConfigDict, Field

from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile, open_raw
from llm_data_assets.text.decode import decode

_SPDX = re.compile(r"SPDX-License-Identifier:\s*([\w.+() -]+?)\s*(?:\*/|-->)?\s*$", re.M)
_HEAD = 4_096
_LANGUAGES = {
    ".py": "Python", ".pyi": "Python", ".c": "C", ".h": "C", ".cpp": "C++", ".hpp": "C++",
    ".js": "JavaScript", ".ts": "TypeScript", ".java": "Java", ".go": "Go", ".rs": "Rust",
    ".rb": "Ruby", ".sh": "Shell", ".sql": "SQL", ".html": "HTML", ".css": "CSS",
    ".md": "Markdown", ".rst": "reStructuredText", ".yaml": "YAML", ".yml": "YAML",
    ".toml": "TOML", ".json": "JSON", ".xml": "XML", ".txt": "Text",
}  # fmt: skip


class Options(BaseModel):
    """Bounds on a file."""

    model_config = ConfigDict(extra="forbid")

    max_bytes: int = Field(
        1 << 20, gt=0, description="Larger files are rejected, as The Stack does"
    )


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield the file as one document; its identifier is its uri."""
    if file.size > options.max_bytes:
        yield Reject(0, f"too large: {file.uri} has {file.size} bytes")
        return
    with open_raw(file) as stream:
        data = stream.read()
    if b"\0" in data[:8192]:
        yield Reject(0, f"binary: {file.uri} has NUL bytes", data[:80])
        return
    path = PurePosixPath(file.uri)
    text, encoding = decode(data, _declared(data) if path.suffix in (".py", ".pyi") else None)
    licensed = _SPDX.search(text[:_HEAD])
    yield Document(
        text,
        0,
        native_id=_tree_path(file.uri),
        title=path.name,
        license=licensed.group(1) if licensed else None,
        meta={"programming_language": _LANGUAGES.get(path.suffix), "encoding": encoding},
    )


def _tree_path(uri: str) -> str:
    """The uri without its placeholder: the path within the tree."""
    return re.sub(r"^\$\{\w+\}/", "", uri).split("://")[-1].lstrip("/.")


def _declared(data: bytes) -> str | None:
    """The encoding of a PEP 263 cookie."""
    try:
        return tokenize.detect_encoding(io.BytesIO(data).readline)[0]
    except SyntaxError:
        return None
