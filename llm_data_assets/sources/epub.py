"""EPUB: one document a book, chapters in reading order. Offset: 0."""

import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from urllib.parse import unquote
from xml.etree.ElementTree import Element, ParseError, fromstring

from resiliparse.extract.html2text import extract_plain_text

from llm_data_assets.sources.document import Document, Reject, UnreadableFileError
from llm_data_assets.sources.files import SourceFile, open_raw
from llm_data_assets.sources.options import NoOptions as Options
from llm_data_assets.text.decode import decode

_CONTAINER = "META-INF/container.xml"
_DRM = ("META-INF/rights.xml", "META-INF/sinf.xml")  # Adobe's and Apple's
_MAX_BOOK_BYTES = 256 << 20  # of markup; the longest novels have 10 MB
# Pages about the edition, not of the book, as Standard Ebooks and common tools name them.
_FRONT_MATTER = frozenset(
    {
        "toc", "nav", "imprint", "colophon", "uncopyright", "titlepage", "halftitlepage",
        "halftitle", "copyright", "cover", "loi",
    }
)  # fmt: skip
_SELF_CLOSED = re.compile(r"<([A-Za-z][\w:-]*)((?:\s[^<>]*)?)/>")
# Elements that HTML never closes (HTML standard, 13.1.2).
_VOID = frozenset(
    {
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source",
        "track", "wbr",
    }
)  # fmt: skip
_LICENSE_URLS = (
    ("creativecommons.org/publicdomain/zero/1.0", "CC0-1.0"),
    ("creativecommons.org/licenses/by-sa/4.0", "CC-BY-SA-4.0"),
    ("creativecommons.org/licenses/by/4.0", "CC-BY-4.0"),
)


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield the book.

    Raises:
        UnreadableFileError: the file is no EPUB, is encrypted, lacks a chapter, or is hostile:
            an entry outside of it, more than 256 MiB of markup, entities.
    """
    with open_raw(file) as stream:
        try:
            yield _book(zipfile.ZipFile(stream))
        except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ParseError) as error:
            raise UnreadableFileError(f"not an epub: {file.uri}: {error}") from error


def _book(archive: zipfile.ZipFile) -> Document:
    if protected := set(_DRM) & set(archive.namelist()):
        raise UnreadableFileError(f"encrypted: the book has {min(protected)}")
    entries = _Entries(archive)
    package_path = _package_path(entries.read(_CONTAINER))
    package = _xml(entries.read(package_path))
    folder = posixpath.dirname(package_path)
    chapters = [
        _chapter(entries.read(posixpath.normpath(posixpath.join(folder, name))))
        for name in _spine(package)
    ]
    return Document(
        "\n\n".join(chapter for chapter in chapters if chapter),
        0,
        native_id=_metadata(package, "identifier"),
        title=_metadata(package, "title"),
        language=(_metadata(package, "language") or "").split("-")[0].lower() or None,
        license=_license(_metadata(package, "rights")),
        created_at=_metadata(package, "date"),
        meta={"author": _metadata(package, "creator"), "chapters": len(chapters)},
    )


class _Entries:
    """Reads entries, and counts what it has read; nothing is ever unpacked to disk."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive, self._left = archive, _MAX_BOOK_BYTES

    def read(self, name: str) -> bytes:
        if name.startswith(("../", "/")):
            raise UnreadableFileError(f"path leaves the archive: {name}")
        if self._archive.getinfo(name).flag_bits & 1:
            raise UnreadableFileError(f"encrypted: {name} needs a password")
        with self._archive.open(name) as entry:
            data = entry.read(self._left + 1)
        self._left -= len(data)
        if self._left < 0:
            raise UnreadableFileError(
                f"decompression bomb: over {_MAX_BOOK_BYTES >> 20} MiB of markup at {name}"
            )
        return data


def _xml(data: bytes) -> Element:
    text, _ = decode(data)
    if "<!ENTITY" in text:
        raise UnreadableFileError("document type: the package declares entities")
    return fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text))


def _package_path(container: bytes) -> str:
    for element in _xml(container).iter():
        if element.tag.endswith("rootfile"):
            return posixpath.normpath(element.attrib["full-path"])
    raise KeyError(f"{_CONTAINER} names no package")


def _spine(package: Element) -> list[str]:
    """Paths of the book's own pages, in reading order."""
    items = {
        element.attrib["id"]: element
        for element in package.iter()
        if element.tag.rpartition("}")[2] == "item"
    }
    order = [
        each.attrib["idref"] for each in package.iter() if each.tag.rpartition("}")[2] == "itemref"
    ]
    paths = []
    for item in (items[name] for name in dict.fromkeys(order) if name in items):
        path = unquote(item.attrib["href"])
        about_edition = posixpath.splitext(posixpath.basename(path))[0].lower() in _FRONT_MATTER
        if not about_edition and "nav" not in item.get("properties", "").split():
            paths.append(path)
    return paths


def _chapter(data: bytes) -> str:
    text, _ = decode(data)
    # To an HTML parser a self-closed `<title/>` or `<a/>` is one that never ends.
    html = _SELF_CLOSED.sub(
        lambda tag: (
            tag[0] if tag[1].lower() in _VOID else f"<{tag[1]}{tag[2].rstrip()}></{tag[1]}>"
        ),
        text,
    )
    return extract_plain_text(html, main_content=False).strip()


def _metadata(package: Element, name: str) -> str | None:
    for element in package.iter(f"{{http://purl.org/dc/elements/1.1/}}{name}"):
        if element.text and element.text.strip():
            return element.text.strip()
    return None


def _license(rights: str | None) -> str | None:
    """The SPDX expression that a rights statement names, by name or by address."""
    if not rights:
        return None
    for address, name in _LICENSE_URLS:
        if name in rights or address in rights:
            return name
    return "CC0-1.0" if "CC0" in rights else None
