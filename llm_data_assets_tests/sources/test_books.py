"""Books: the text of the author, without what the publisher put around it."""

import io
import zipfile
from pathlib import Path

import pytest

from llm_data_assets.sources import epub
from llm_data_assets_tests.sources.reading import read_bytes, reasons

CONTAINER = (
    '<?xml version="1.0"?><container xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
    '<rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>'
)
RIGHTS = "Dedicated via https://creativecommons.org/publicdomain/zero/1.0/."


def package(items: dict[str, str], order: list[str]) -> str:
    manifest = "".join(
        f'<item id="{name}" href="{href}" media-type="application/xhtml+xml"/>'
        for name, href in items.items()
    )
    spine = "".join(f'<itemref idref="{name}"/>' for name in order)
    return (
        '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<metadata><dc:identifier>url:book</dc:identifier><dc:title>Harbour Tales</dc:title>"
        "<dc:language>en-GB</dc:language><dc:creator>A. Writer</dc:creator>"
        f"<dc:date>1890-01-01</dc:date><dc:rights>{RIGHTS}</dc:rights></metadata>"
        f"<manifest>{manifest}</manifest><spine>{spine}</spine></package>"
    )


def chapter(body: str, head: str = "<title/>") -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml">'
        f"<head>{head}</head><body>{body}</body></html>"
    )


def packed(entries: dict[str, str | bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        for name, content in entries.items():
            archive.writestr(name, content)
    return made.getvalue()


def book(chapters: dict[str, str | bytes], **more: str | bytes) -> bytes:
    items = {f"i{number}": name for number, name in enumerate(chapters)}
    return packed(
        {
            "META-INF/container.xml": CONTAINER,
            "OPS/book.opf": package(items, list(items)),
            **{f"OPS/{name}": content for name, content in chapters.items()},
            **more,
        }
    )


def test_chapters_are_read_in_the_order_of_the_spine(tmp_path: Path) -> None:
    data = packed(
        {
            "META-INF/container.xml": CONTAINER,
            "OPS/book.opf": package(
                {"a": "text/one.xhtml", "b": "text/two%20b.xhtml", "n": "text/nav.xhtml",
                 "c": "text/colophon.xhtml", "x": "navy.xhtml"},
                ["n", "b", "a", "x", "missing", "c", "a"],
            ),
            "OPS/text/one.xhtml": chapter("<h2>I</h2><p>First para.</p><p>Second<br/>line.</p>"),
            "OPS/text/two b.xhtml": chapter("<p>Prologue, <i>größer</i>.</p>"),
            "OPS/text/nav.xhtml": chapter("<p>Contents</p>"),
            "OPS/text/colophon.xhtml": chapter("<p>Typeset by</p>"),
            "OPS/navy.xhtml": chapter("<p>The navy.</p>"),
        }
    )  # fmt: skip
    (document,), rejects = read_bytes(tmp_path, data, "epub")
    assert rejects == []
    assert document.text == ("Prologue, größer.\n\nI\n\nFirst para.\n\nSecond\nline.\n\nThe navy.")
    assert (document.native_id, document.title) == ("url:book", "Harbour Tales")
    assert (document.language, document.license) == ("en", "CC0-1.0")
    assert document.created_at == "1890-01-01"
    assert document.meta == {"author": "A. Writer", "chapters": 3}


@pytest.mark.parametrize(
    ("page", "text"),
    [
        (chapter("<p>After an empty title.</p>", "<title/><script src='x'/>"),
         "After an empty title."),
        (chapter('<p><a id="p1"/>After an <span class="x"/>anchor.</p>'), "After an anchor."),
        (chapter("<p>One<img src='a.png'/> two</p><hr/><p>three</p>"), "One two\n\nthree"),
        (chapter("<p>größer</p>").replace("utf-8", "utf-16").encode("utf-16"), "größer"),
        (chapter("<p>a &amp; b&#160;c</p>"), "a & b\xa0c"),
    ],
    ids=["self-closed title", "self-closed anchor", "void elements", "utf-16", "references"],
)  # fmt: skip
def test_xhtml_is_not_html(tmp_path: Path, page: str | bytes, text: str) -> None:
    (document,), _ = read_bytes(tmp_path, book({"c.xhtml": page}), "epub")
    assert document.text == text


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"no zip", "not an epub"),
        (packed({}), "not an epub"),
        (packed({"META-INF/container.xml": CONTAINER}), "not an epub"),
        (packed({"META-INF/container.xml": "<container>"}), "not an epub"),
        (packed({"META-INF/container.xml": CONTAINER.replace("OPS/", "../../")}),
         "path leaves the archive"),
        (book({"../../etc/passwd": "x"}), "path leaves the archive"),
        (packed({"META-INF/container.xml": '<!DOCTYPE c [<!ENTITY a "b">]><c>&a;</c>'}),
         "document type"),
        (book({"c.xhtml": chapter("<p>x</p>")}, **{"META-INF/rights.xml": "<rights/>"}),
         "encrypted"),
        (book({"c.xhtml": chapter("<p>x</p>")})[:-60], "not an epub"),
    ],
)  # fmt: skip
def test_a_book_that_cannot_be_read_says_why(tmp_path: Path, data: bytes, reason: str) -> None:
    documents, rejects = read_bytes(tmp_path, data, "epub")
    assert (documents, reasons(rejects)) == ([], [reason])


def test_a_missing_chapter_is_no_shorter_book(tmp_path: Path) -> None:
    whole = packed(
        {
            "META-INF/container.xml": CONTAINER,
            "OPS/book.opf": package({"a": "a.xhtml"}, ["a"]),
        }
    )
    _, rejects = read_bytes(tmp_path, whole, "epub")
    assert reasons(rejects) == ["not an epub"]
    assert "OPS/a.xhtml" in rejects[0].error


def test_many_small_bombs_are_one_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epub, "_MAX_BOOK_BYTES", 1 << 20)
    page = chapter("<p>" + "a" * (300 << 10) + "</p>")
    assert len(read_bytes(tmp_path, book({"1": page, "2": page}), "epub")[0]) == 1
    _, rejects = read_bytes(tmp_path, book({"1": page, "2": page, "3": page, "4": page}), "epub")
    assert reasons(rejects) == ["decompression bomb"]


MODERN = (
    "The Project Gutenberg EBook of A Book, by A. Writer\n\nTitle: A Book\n\nAuthor: A. Writer\n\n"
    "Release Date: June, 1998 [EBook #1342]\n\nLanguage: French\n\n"
    "Character set encoding: {charset}\n\n"
    "*** START OF {this} PROJECT GUTENBERG EBOOK A BOOK ***\n\n\n"
    "Produced by Volunteers at\nsome place\n\n\nLe café.\n\n*** Fin ***\n\n\n"
    "{footer}*** END OF {this} PROJECT GUTENBERG EBOOK A BOOK ***\n\nlicence\n"
)
OLD = (
    "Project Gutenberg's Etext of A Book\n\nJune, 1998  [Etext #1342]\n\n***The small print\n\n"
    "*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*\n\n\n"
    "Le café.\n\n*** Fin ***\n\nEnd of Project Gutenberg's Etext of A Book\n"
)


@pytest.mark.parametrize(
    ("charset", "encoding", "used"),
    [
        ("UTF-8", "utf-8-sig", "utf-8"),
        ("ISO-8859-1", "latin-1", "windows-1252"),
        ("CP-1252", "cp1252", "cp1252"),
    ],
)
@pytest.mark.parametrize("this", ["THE", "THIS"])
@pytest.mark.parametrize("footer", ["", "End of the Project Gutenberg EBook of A Book\n\n"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_the_frame_of_a_modern_gutenberg_text(
    tmp_path: Path, charset: str, encoding: str, used: str, this: str, footer: str, newline: str
) -> None:
    text = MODERN.format(this=this, charset=charset, footer=footer).replace("\n", newline)
    (document,), _ = read_bytes(tmp_path, text.encode(encoding), "gutenberg")
    assert document.text == "Le café.\n\n*** Fin ***"
    assert (document.title, document.language) == ("A Book", "fr")
    assert document.meta == {"author": "A. Writer", "ebook": "1342", "encoding": used}


def test_the_frame_of_a_gutenberg_text_of_1998(tmp_path: Path) -> None:
    (document,), _ = read_bytes(tmp_path, OLD.replace("\n", "\r\n").encode(), "gutenberg")
    assert document.text == "Le café.\n\n*** Fin ***"
    assert (document.title, document.language) == ("data", None)
    assert document.meta == {"author": None, "ebook": "1342", "encoding": "utf-8"}


def test_a_gutenberg_text_without_any_frame_is_kept_whole(tmp_path: Path) -> None:
    (document,), _ = read_bytes(tmp_path, b"Just a story.\n\nIts end.", "gutenberg")
    assert (document.text, document.title) == ("Just a story.\n\nIts end.", "data")
