"""MediaWiki XML dumps: articles without markup. Offset: the page's number in the dump."""

import codecs
import re
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, ParseError, XMLPullParser

import mwparserfromhell
from pydantic import BaseModel, ConfigDict, Field

from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile, UnreadableFileError, open_decompressed

_DROPPED_TAGS = frozenset(
    {"ref", "table", "gallery", "math", "timeline", "score", "syntaxhighlight"}
)
_DROPPED_LINKS = re.compile(r"^\s*:?(file|image|category|文件|图像|分类|檔案|圖像|分類)\s*:", re.I)
_VARIANT = re.compile(r"-\{(?:[A-Za-z]\|)?([^{}]*)\}-")
_MAGIC = re.compile(r"__[A-Z]+__")
_BLANK_LINES = re.compile(r"\n{3,}")
_EMPTY_BRACKETS = re.compile(r"[（(]\s*[,;，；、]*\s*[)）]")


class Options(BaseModel):
    """Which pages are read, and how Chinese variant marks are resolved."""

    model_config = ConfigDict(extra="forbid")

    namespaces: list[int] = Field(default_factory=lambda: [0], description="0 is articles")
    variant: str = Field("zh-hans", description="Variant chosen from -{zh-hans:..;zh-hant:..}-")


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield every page of the wanted namespaces that is no redirect.

    Wikitext of other pages is never parsed. A DTD is refused: a dump has none, and an entity
    bomb needs one.
    """
    base, language = "", None
    for number, element in enumerate(_elements(file)):
        tag = _name(element)
        if tag == "siteinfo":
            base = _text(element, "base") or ""
        elif tag == "mediawiki-lang":
            language = element.text
        elif tag == "page":
            namespace = _text(element, "ns") or "0"
            if int(namespace) in options.namespaces and _child(element, "redirect") is None:
                yield _article(element, number, base, language, options)


def _elements(file: SourceFile) -> Iterator[Element]:
    """The dump's siteinfo and pages, each whole, while it is read."""
    parser: Any = XMLPullParser(["start", "end"])
    with open_decompressed(file) as stream:
        first = stream.read(1 << 16)
        if b"<!DOCTYPE" in first or b"<!ENTITY" in first:
            raise UnreadableFileError(f"document type: {file.uri} declares entities")
        blocks = iter(lambda: stream.read(1 << 20), b"")
        root: Element | None = None
        try:
            for block in _chain(first, blocks):
                parser.feed(block)
                for event, element in parser.read_events():
                    if event == "start":
                        if root is None:
                            root = element
                            yield _language_of(element)
                    elif _name(element) in ("siteinfo", "page"):
                        yield element
                        element.clear()
                        if root is not None:
                            root.clear()  # pages that were read do not pile up
        except (ParseError, EOFError, OSError, ValueError) as error:
            raise UnreadableFileError(f"broken dump: {file.uri}: {error}") from error


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes | str]:
    """The blocks of a dump; UTF-16 ones as text, since expat is told no encoding."""
    wide = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
    encoding = wide.get(first[:2])
    if encoding is None:
        yield first
        yield from rest
        return
    decoder = codecs.getincrementaldecoder(encoding)()
    text = decoder.decode(first[2:])
    yield re.sub(r"^<\?xml[^>]*\?>", "", text)  # it would declare UTF-16 again
    for block in rest:
        yield decoder.decode(block)


def _language_of(root: Element) -> Element:
    carrier = Element("mediawiki-lang")
    carrier.text = root.get("{http://www.w3.org/XML/1998/namespace}lang")
    return carrier


def _article(
    page: Element, number: int, base: str, language: str | None, options: Options
) -> Document | Reject:
    title = _text(page, "title") or ""
    revision = _child(page, "revision")
    wikitext = _text(revision, "text") if revision is not None else None
    if not wikitext:
        return Reject(number, f"no text: page {title!r} is empty", title.encode()[:80])
    address = f"{base.rsplit('/', 1)[0]}/{title.replace(' ', '_')}" if base else None
    return Document(
        plain_text(wikitext, options.variant),
        number,
        native_id=_text(page, "id"),
        url=address,
        title=title,
        language=language,
        created_at=_text(revision, "timestamp") if revision is not None else None,
    )


def plain_text(wikitext: str, variant: str = "zh-hans") -> str:
    """Article text: templates, tables, references, files and categories gone, headings kept."""
    resolved = _VARIANT.sub(lambda found: _resolve(found.group(1), variant), wikitext)
    code = mwparserfromhell.parse(resolved, skip_style_tags=True)
    for tag in code.filter_tags(recursive=False):
        if str(tag.tag).lower() in _DROPPED_TAGS:
            _remove(code, tag)
    for link in code.filter_wikilinks(recursive=False):
        if _DROPPED_LINKS.match(str(link.title)):
            _remove(code, link)
    text = code.strip_code(normalize=True, collapse=True)
    text = text.replace("'''", "").replace("''", "")
    text = _EMPTY_BRACKETS.sub("", _MAGIC.sub("", text))
    return _BLANK_LINES.sub("\n\n", text).strip()


def _remove(code: Any, node: Any) -> None:
    try:
        code.remove(node)
    except ValueError:  # it stood inside a node that is gone already
        return


def _resolve(inside: str, variant: str) -> str:
    """The text of one variant mark: the chosen variant, else the first given."""
    choices = dict(
        part.split(":", 1) for part in inside.replace("；", ";").split(";") if ":" in part
    )
    if not choices:
        return inside
    trimmed = {name.strip(): text.strip() for name, text in choices.items()}
    return trimmed.get(variant) or next(iter(trimmed.values()))


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _child(element: Element, name: str) -> Element | None:
    return next((each for each in element if _name(each) == name), None)


def _text(element: Element, name: str) -> str | None:
    child = _child(element, name)
    return None if child is None else child.text
