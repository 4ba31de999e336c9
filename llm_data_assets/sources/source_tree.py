"""A folder of source code: one document a file. Offset: 0."""

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import PurePosixPath

from pydantic import BaseModel, ConfigDict, Field

from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile, open_raw
from llm_data_assets.sources.text import looks_binary
from llm_data_assets.text.decode import decode

_SPDX = re.compile(r"SPDX-License-Identifier:[ \t]*+([\w.+()-]++(?: [\w.+()-]++)*+)")
_HEAD = 4_096
# Names as github-linguist writes them, which The Stack uses.
_LANGUAGES = {
    ".asm": "Assembly", ".bash": "Shell", ".bat": "Batchfile", ".c": "C", ".cc": "C++",
    ".clj": "Clojure", ".cmake": "CMake", ".cpp": "C++", ".cs": "C#", ".css": "CSS",
    ".cu": "Cuda", ".cxx": "C++", ".dart": "Dart", ".el": "Emacs Lisp", ".erl": "Erlang",
    ".ex": "Elixir", ".exs": "Elixir", ".f90": "Fortran", ".fs": "F#", ".go": "Go",
    ".groovy": "Groovy", ".h": "C", ".hpp": "C++", ".hs": "Haskell", ".htm": "HTML",
    ".html": "HTML", ".ini": "INI", ".java": "Java", ".jl": "Julia", ".js": "JavaScript",
    ".json": "JSON", ".jsx": "JavaScript", ".kt": "Kotlin", ".lean": "Lean", ".lisp": "Common Lisp",
    ".lua": "Lua", ".m": "MATLAB", ".md": "Markdown", ".mjs": "JavaScript", ".ml": "OCaml",
    ".nim": "Nim", ".pas": "Pascal", ".php": "PHP", ".pl": "Perl", ".pm": "Perl",
    ".proto": "Protocol Buffer", ".ps1": "PowerShell", ".py": "Python", ".pyi": "Python",
    ".pyx": "Cython", ".r": "R", ".rb": "Ruby", ".rs": "Rust", ".rst": "reStructuredText",
    ".scala": "Scala", ".scss": "SCSS", ".sh": "Shell", ".sol": "Solidity", ".sql": "SQL",
    ".swift": "Swift", ".tcl": "Tcl", ".tex": "TeX", ".toml": "TOML", ".ts": "TypeScript",
    ".tsx": "TSX", ".txt": "Text", ".v": "Verilog", ".vhd": "VHDL", ".vue": "Vue",
    ".xml": "XML", ".yaml": "YAML", ".yml": "YAML", ".zig": "Zig",
}  # fmt: skip
_NAMED = {"Dockerfile": "Dockerfile", "Makefile": "Makefile", "CMakeLists.txt": "CMake"}


class Options(BaseModel):
    """Bounds on a file."""

    model_config = ConfigDict(extra="forbid")

    max_bytes: int = Field(
        1 << 20, gt=0, description="Larger files are rejected, as The Stack does"
    )


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield the file as one document; its identifier is its path within the tree."""
    if file.size > options.max_bytes:
        yield Reject(0, f"too large: {file.uri} has {file.size} bytes")
        return
    with open_raw(file) as stream:
        data = stream.read()
    if looks_binary(data):
        yield Reject(0, f"binary: {file.uri} has NUL bytes", data[:80])
        return
    path = PurePosixPath(file.uri)
    language = _NAMED.get(path.name) or _LANGUAGES.get(path.suffix.lower())
    text, encoding = decode(data, _declared(data) if language == "Python" else None)
    licensed = _SPDX.search(text[:_HEAD])
    yield Document(
        text,
        0,
        native_id=_tree_path(file.uri),
        title=path.name,
        license=licensed.group(1).removesuffix(" --") if licensed else None,
        meta={"programming_language": language, "encoding": encoding},
    )


def _tree_path(uri: str) -> str:
    """The uri without its placeholder or protocol: the path within the tree."""
    return re.sub(r"^(?:\$\{\w+\}|\w+://)/?|^(?:\.\./)+|^/", "", uri)


def _declared(data: bytes) -> str | None:
    """The encoding of a PEP 263 cookie."""
    try:
        return tokenize.detect_encoding(io.BytesIO(data).readline)[0]
    except SyntaxError:
        return None
