"""Project Gutenberg books without the licence around them. Offset: 0."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile, read_whole
from llm_data_assets.sources.options import NoOptions as Options
from llm_data_assets.sources.text import looks_binary
from llm_data_assets.text.decode import decode

_START = re.compile(
    r"^\*\*\* ?START OF (?:THE|THIS) PROJECT GUTENBERG.{0,300}?\*\*\*[^\n]*\n", re.M | re.S
)
_END = re.compile(
    r"^(?:\*\*\* ?END OF (?:THE|THIS) PROJECT GUTENBERG"
    r"|End of (?:the |this )?Project Gutenberg)",
    re.M,
)
# Editions before 2003 have a "small print" header, and the oldest no end marker.
_OLD_START = re.compile(r"^\*END[ *]*THE SMALL PRINT![^\n]*\n", re.M)
_CREDIT = re.compile(r"\A\s*(?:Produced|E-text prepared) by [^\n]+(?:\n[^\n]+)*\n")
_TITLE = re.compile(r"^Title:\s*(.+)$", re.M)
_AUTHOR = re.compile(r"^Author:\s*(.+)$", re.M)
_LANGUAGE = re.compile(r"^Language:\s*(\w+)", re.M)
_NUMBER = re.compile(r"\[E(?:text|Book) ?#(\d+)\]", re.I)
_CHARSET = re.compile(rb"^Character set encoding:\s*([\w-]+)", re.M)
_HEADER = 32_768  # where an old edition without any marker may still say its title
# The languages of Project Gutenberg with more than 500 books (its browse-by-language page).
_LANGUAGES = {
    "Chinese": "zh", "Dutch": "nl", "English": "en", "Finnish": "fi", "French": "fr",
    "German": "de", "Hungarian": "hu", "Italian": "it", "Portuguese": "pt", "Spanish": "es",
}  # fmt: skip


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield the book as one document, its header, credit and footer removed."""
    data = read_whole(file)
    if looks_binary(data):
        yield Reject(0, f"binary: {file.uri} has NUL bytes", data[:80])
        return
    charset = _CHARSET.search(data[:_HEADER])
    # "CP-1252" is Gutenberg's own spelling.
    declared = charset.group(1).decode("ascii").lower().replace("cp-", "cp") if charset else None
    text, encoding = decode(data, declared)
    text = text.replace("\r\n", "\n")
    start = _START.search(text) or _OLD_START.search(text)
    header = text[: start.end()] if start else text[:_HEADER]
    body = text[start.end() :] if start else text
    end = _END.search(body)
    body = body[: end.start()] if end else body
    language = _first(_LANGUAGE, header)
    author, number = _first(_AUTHOR, header), _first(_NUMBER, header)
    yield Document(
        _CREDIT.sub("", body).strip(),
        0,
        title=_first(_TITLE, header) or PurePosixPath(file.uri).stem,
        language=_LANGUAGES.get(language or ""),
        meta={"author": author, "ebook": number, "encoding": encoding},
    )


def _first(pattern: re.Pattern[str], header: str) -> str | None:
    found = pattern.search(header)
    return found.group(1).strip() if found else None
