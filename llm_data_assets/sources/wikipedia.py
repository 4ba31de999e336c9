"""MediaWiki XML dumps: articles without markup. Offset: the page's number in the dump."""

import codecs
import re
from collections.abc import Collection, Iterator
from typing import Any
from urllib.parse import quote
from xml.etree.ElementTree import Element, ParseError, XMLPullParser

from pydantic import BaseModel, ConfigDict, Field

from llm_data_assets.sources.document import Document, Reject, UnreadableFileError
from llm_data_assets.sources.files import SourceFile, open_decompressed
from llm_data_assets.sources.wikitext import plain_text

# What may stand before the first element of a dump. A document type may not: a dump has none,
# and an entity bomb needs one.
_PROLOGUE = re.compile(r"\ufeff?(?:\s++|<\?.*?\?>|<!--.*?-->)*+<[A-Za-z_]", re.S)
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_FILE_NAMESPACES = ("-2", "6", "14")  # Media, File, Category
_REDIRECT = re.compile(r"\s*#(?:redirect|重定向|пренасочване|виж)\b", re.I)
# Characters that MediaWiki leaves in addresses (wfUrlencode).
_ADDRESS_SAFE = ";@$!*(),/~:"


class Options(BaseModel):
    """Which pages are read, and how Chinese variant marks are resolved."""

    model_config = ConfigDict(extra="forbid")

    namespaces: list[int] = Field(default_factory=lambda: [0], description="0 is articles")
    variant: str = Field("zh-hans", description="Variant chosen from -{zh-hans:..;zh-hant:..}-")


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield every page of the wanted namespaces that is no redirect, and others as skipped.

    Wikitext of other pages is never parsed.

    Raises:
        UnreadableFileError: `document type` or `broken dump`, after the pages before it.
    """
    wanted = {str(number) for number in options.namespaces}
    base, language, files = "", None, frozenset[str]()
    pages = 0
    for element in _elements(file):
        tag = _name(element)
        if tag == "mediawiki":
            language = element.get(_LANG)
        elif tag == "siteinfo":
            base, files = _text(element, "base") or "", _file_namespaces(element)
        else:
            page, pages = pages, pages + 1
            namespace = _text(element, "ns") or "0"
            if namespace not in wanted:
                yield Reject(page, f"skipped namespace: {namespace}")
            elif (redirect := _child(element, "redirect")) is not None:
                yield Reject(page, f"skipped redirect: to {redirect.get('title')}")
            else:
                yield _article(element, page, base, language, options.variant, files)


def _elements(file: SourceFile) -> Iterator[Element]:
    """The dump's root as soon as it opens, then its siteinfo and pages, each when it is whole."""
    parser: Any = XMLPullParser(["start", "end"])
    root: Element | None = None
    with open_decompressed(file) as stream:
        try:
            for block in _blocks(iter(lambda: stream.read(1 << 20), b""), file.uri):
                parser.feed(block)
                for event, element in parser.read_events():
                    if event == "start" and root is None:
                        root = element
                        yield element
                    elif event == "end" and _name(element) in ("siteinfo", "page"):
                        yield element
                        if root is not None:
                            root.clear()  # pages that were read do not pile up
            parser.close()
        except ParseError as error:
            raise UnreadableFileError(f"broken dump: {file.uri}: {error}") from error


def _blocks(blocks: Iterator[bytes], uri: str) -> Iterator[bytes | str]:
    """The blocks of a dump, once its prologue is known to be harmless; UTF-16 ones as text."""
    first = next(blocks, b"")
    wide = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}.get(first[:2])
    decoder = codecs.getincrementaldecoder(wide or "utf-8")("replace")
    text = decoder.decode(first)
    if not _PROLOGUE.match(text):
        reason = "document type" if "<!DOCTYPE" in text else "broken dump"
        raise UnreadableFileError(f"{reason}: {uri} does not start with an element of a dump")
    if wide is None:
        yield first
        yield from blocks
        return
    # The declaration names the encoding that the text no longer has.
    yield re.sub(r"^\ufeff?\s*<\?xml.*?\?>", "", text, flags=re.S)
    for block in blocks:
        yield decoder.decode(block)


def _article(
    page: Element,
    number: int,
    base: str,
    language: str | None,
    variant: str,
    files: Collection[str],
) -> Document | Reject:
    title = _text(page, "title") or ""
    revisions = [each for each in page if _name(each) == "revision"]
    wikitext = _text(revisions[-1], "text") if revisions else None
    if not wikitext or not wikitext.strip():
        return Reject(number, f"no text: page {title!r} is empty", title.encode()[:80])
    if _REDIRECT.match(wikitext):  # dumps before export-0.4 have no <redirect>
        return Reject(number, f"skipped redirect: {wikitext.strip()[:80]}")
    address = quote(title.replace(" ", "_"), safe=_ADDRESS_SAFE)
    return Document(
        plain_text(wikitext, variant, files),
        number,
        native_id=_text(page, "id"),
        url=f"{base.rpartition('/')[0]}/{address}" if base else None,
        title=title,
        language=language,
        created_at=_text(revisions[-1], "timestamp"),
    )


def _file_namespaces(siteinfo: Element) -> frozenset[str]:
    """Lower-case names of the namespaces whose links show no text."""
    return frozenset(
        each.text.lower()
        for each in siteinfo.iter()
        if each.text and each.get("key") in _FILE_NAMESPACES
    )


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _child(element: Element, name: str) -> Element | None:
    return next((each for each in element if _name(each) == name), None)


def _text(element: Element, name: str) -> str | None:
    child = _child(element, name)
    return None if child is None else child.text
