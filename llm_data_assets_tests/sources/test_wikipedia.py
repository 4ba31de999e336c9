"""MediaWiki dumps: which pages are read, and what a dump may not do."""

import bz2
import gzip
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from llm_data_assets_tests.sources.reading import read_bytes, reasons

SITE = (
    "<siteinfo><dbname>frwiki</dbname><base>https://fr.example.org/wiki/Accueil</base><namespaces>"
    '<namespace key="0"/><namespace key="6">Fichier</namespace>'
    '<namespace key="14">Catégorie</namespace></namespaces></siteinfo>'
)


def page(title: str, text: str, number: int = 1, namespace: int = 0, more: str = "") -> str:
    return (
        f"<page><title>{escape(title)}</title><ns>{namespace}</ns><id>{number}</id>{more}"
        f"<revision><id>9</id><timestamp>2024-01-02T03:04:05Z</timestamp>"
        f'<text xml:space="preserve">{escape(text)}</text></revision></page>'
    )


def dump(*pages: str, site: str = SITE) -> str:
    return (
        '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" '
        f'xml:lang="fr">{site}{"".join(pages)}</mediawiki>'
    )


def test_an_article_keeps_where_it_came_from(tmp_path: Path) -> None:
    text = "[[Fichier:a.png]]Le '''port'''.[[Catégorie:Ports]]"
    (document,), rejects = read_bytes(
        tmp_path, dump(page("Vieux port ?", text, 42)).encode(), "wikipedia"
    )
    assert rejects == []
    assert document.text == "Le port."
    assert document.native_id == "42"
    assert document.title == "Vieux port ?"
    assert document.url == "https://fr.example.org/wiki/Vieux_port_%3F"
    assert (document.language, document.created_at) == ("fr", "2024-01-02T03:04:05Z")


def test_redirects_and_other_namespaces_are_counted(tmp_path: Path) -> None:
    data = dump(
        page("A", "#REDIRECT [[B]]", 1, more='<redirect title="B" />'),
        page("B", "Texte.", 2),
        page("Old", "#redirect [[B]]", 3),  # dumps before export-0.4 have no <redirect>
        page("Discussion:B", "Bavardage.", 4, namespace=1),
        page("Module:B", "return {}", 5, namespace=828),
        page("Vide", " ", 6),
        page("C", "Fin.", 7),
    ).encode()
    documents, rejects = read_bytes(tmp_path, data, "wikipedia")
    assert [(each.native_id, each.offset) for each in documents] == [("2", 1), ("7", 6)]
    assert [(each.error, each.offset) for each in rejects] == [
        ("skipped redirect: to B", 0),
        ("skipped redirect: #redirect [[B]]", 2),
        ("skipped namespace: 1", 3),
        ("skipped namespace: 828", 4),
        ("no text: page 'Vide' is empty", 5),
    ]
    talk, _ = read_bytes(tmp_path, data, "wikipedia", namespaces=[1])
    assert [each.title for each in talk] == ["Discussion:B"]


DUMP = dump(*(page(f"T{number}", f"Texte {number}. 港", number) for number in range(1, 4)))


@pytest.mark.parametrize(
    "data",
    [
        DUMP.encode(),
        ("\ufeff" + DUMP).encode(),
        ('<?xml version="1.0" encoding="utf-8"?>\n<!-- made --> ' + DUMP).encode(),
        ('<?xml version="1.0" encoding="utf-16"?>' + DUMP).encode("utf-16"),
        b"\xfe\xff" + DUMP.encode("utf-16-be"),
        gzip.compress(DUMP.encode()),
        bz2.compress(DUMP[:300].encode()) + bz2.compress(DUMP[300:].encode()),
        bz2.compress(DUMP.encode("utf-16")),
    ],
    ids=["plain", "bom", "declared", "utf-16-le", "utf-16-be", "gzip", "multistream", "bz2 utf-16"],
)
def test_every_layout_of_a_dump(tmp_path: Path, data: bytes) -> None:
    documents, rejects = read_bytes(tmp_path, data, "wikipedia")
    assert [each.text for each in documents] == ["Texte 1. 港", "Texte 2. 港", "Texte 3. 港"]
    assert rejects == []


def test_a_dump_without_siteinfo_has_no_addresses(tmp_path: Path) -> None:
    (document,), _ = read_bytes(tmp_path, dump(page("A", "Texte."), site="").encode(), "wikipedia")
    assert (document.text, document.url) == ("Texte.", None)


def test_the_last_of_several_revisions_is_read(tmp_path: Path) -> None:
    old = "<revision><timestamp>2001-01-01T00:00:00Z</timestamp><text>Vieux.</text></revision>"
    (document,), _ = read_bytes(tmp_path, dump(page("A", "Neuf.", more=old)).encode(), "wikipedia")
    assert (document.text, document.created_at) == ("Neuf.", "2024-01-02T03:04:05Z")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("before", ["", "<?xml version='1.0'?>", "<!-- x -->", " " * 200_000])
def test_a_dump_that_could_hold_an_entity_bomb_is_refused(
    tmp_path: Path, before: str, encoding: str
) -> None:
    bomb = f'{before}<!DOCTYPE x [<!ENTITY a "aaaa">]>{dump(page("A", "&a;"))}'
    documents, rejects = read_bytes(tmp_path, bomb.encode(encoding), "wikipedia")
    assert documents == []
    assert reasons(rejects) == ["document type"]


@pytest.mark.parametrize(
    ("data", "count", "reason"),
    [
        (DUMP[:-40].encode(), 2, "broken dump"),
        (DUMP.replace("<title>T3", "<title>&gone;").encode(), 2, "broken dump"),
        (bz2.compress(DUMP.encode())[:-30], 0, "truncated stream"),
        (b"no dump at all", 0, "broken dump"),
        (b"", 0, "broken dump"),
    ],
    ids=["cut short", "unknown entity", "cut bzip2", "no xml", "empty"],
)
def test_what_was_read_before_a_fault_stands(
    tmp_path: Path, data: bytes, count: int, reason: str
) -> None:
    documents, rejects = read_bytes(tmp_path, data, "wikipedia")
    assert len(documents) == count
    assert reasons(rejects) == [reason]
