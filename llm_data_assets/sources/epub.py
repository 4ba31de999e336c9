"""EPUB: one document a book, chapters in reading order. Offset: 0."""

import posixpath
import zipfile
from collections.abc import Iterator
from urllib.parse import unquote
from xml.etree.ElementTree import Element, ParseError, fromstring

from pydantic import BaseModel, ConfigDict
from resiliparse.extract.html2text import extract_plain_text

from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile, UnreadableFileError, open_raw

_CONTAINER = "META-INF/container.xml"
_MAX_ENTRY_BYTES = 64 << 20  # a chapter; more is a bomb
# Pages about the edition, not of the book.
_FRONT_MATTER = ("toc", "nav", "imprint", "colophon", "uncopyright", "titlepage", "copyright")


class Options(BaseModel):
    """EPUBs need none."""

    model_config = ConfigDict(extra="forbid")


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield the book."""
    with open_raw(file) as stream:
        try:
            archive = zipfile.ZipFile(stream)
            package_path = _package_path(archive)
            package = _xml(_entry(archive, package_path))
        except (zipfile.BadZipFile, KeyError, ParseError) as error:
            raise UnreadableFileError(f"not an epub: {file.uri}: {error}") from error
        folder = posixpath.dirname(package_path)
        chapters = [
            _chapter(_entry(archive, posixpath.normpath(posixpath.join(folder, name))))
            for name in _spine(package)
            if not posixpath.basename(name).startswith(_FRONT_MATTER)
        ]
    yield Document(
        "\n\n".join(chapter for chapter in chapters if chapter),
        0,
        native_id=_metadata(package, "identifier"),
        title=_metadata(package, "title"),
        language=(_metadata(package, "language") or "").split("-")[0] or None,
        license=_license(_metadata(package, "rights")),
        created_at=_metadata(package, "date"),
        meta={"author": _metadata(package, "creator"), "chapters": len(chapters)},
    )


def _entry(archive: zipfile.ZipFile, name: str) -> bytes:
    """One entry's bytes; nothing is ever unpacked to disk, so no name can climb out."""
    if name.startswith(("../", "/")):
        raise UnreadableFileError(f"path leaves the archive: {name}")
    with archive.open(name) as entry:
        data = entry.read(_MAX_ENTRY_BYTES + 1)
    if len(data) > _MAX_ENTRY_BYTES:
        raise UnreadableFileError(f"decompression bomb: {name} is over {_MAX_ENTRY_BYTES} bytes")
    return data


def _xml(data: bytes) -> Element:
    if b"<!ENTITY" in data:
        raise UnreadableFileError("document type: the package declares entities")
    return fromstring(data)


def _package_path(archive: zipfile.ZipFile) -> str:
    container = _xml(_entry(archive, _CONTAINER))
    for element in container.iter():
        if element.tag.endswith("rootfile"):
            return element.attrib["full-path"]
    raise KeyError(f"{_CONTAINER} names no package")


def _spine(package: Element) -> list[str]:
    manifest = {
        element.attrib["id"]: unquote(element.attrib["href"])
        for element in package.iter()
        if element.tag.endswith("}item")
    }
    order = [each.attrib["idref"] for each in package.iter() if each.tag.endswith("}itemref")]
    return [manifest[name] for name in order if name in manifest]


def _chapter(data: bytes) -> str:
    return extract_plain_text(data.decode("utf-8", "replace"), main_content=False).strip()


def _metadata(package: Element, name: str) -> str | None:
    for element in package.iter():
        if element.tag == f"{{http://purl.org/dc/elements/1.1/}}{name}" and element.text:
            return element.text.strip()
    return None


def _license(rights: str | None) -> str | None:
    """The SPDX expression that a rights statement names."""
    for name in ("CC0-1.0", "CC-BY-SA-4.0", "CC-BY-4.0"):
        if rights and name in rights:
            return name
    return "CC0-1.0" if rights and "CC0" in rights else None
