"""Builds the embedded corpus: small files in native formats, with planted defects.

    python -m llm_data_assets_tests.quickstart.build llm_data_assets/config/quickstart/files

The defects are listed in `llm_data_assets/config/quickstart/planted.yaml`. Dates and the order of
everything are fixed, so the same code gives the same content.
"""

import bz2
import gzip
import hashlib
import io
import json
import sys
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

from llm_data_assets_tests.quickstart.prose import article, article_zh, chapter

DATE = "2026-01-15T08:00:00Z"
QUESTIONS = [
    "A ferry carries 48 passengers across the bay every forty minutes from seven in the morning "
    "until five in the afternoon; how many passengers can it carry in one day?",
    "If a baker needs 350 grams of rye flour for one loaf and receives four sacks of 25 kilograms "
    "each, how many whole loaves can she bake before the flour is used up?",
    "Which of these would best protect an iron hinge at the seaside from rust during a long wet "
    "winter: chalk, linseed oil, lemon juice or plain water?",
    "A clock loses three minutes every day; after how many days will it show the correct time "
    "again if nobody touches it and it has a dial of twelve hours?",
    "Two surveyors walk towards each other along a straight road of nine kilometres, one at four "
    "and the other at five kilometres an hour; where do they meet?",
    "A reading room has eleven shelves with forty two books on each, and every sixth book is out "
    "on loan; how many books stand on the shelves this evening?",
    "A rope of twelve metres is cut into pieces of eighty centimetres for the sailmakers; how many "
    "pieces are there, and how long is what remains of the rope?",
    "Why does the keeper of a tide mill close the sluice at high water rather than at low water, "
    "when she wants the wheel to turn for as long as possible?",
    "In which order should a gardener do these things in early spring: sow the beans, turn the "
    "compost, sharpen the tools, or water the seedlings?",
    "A train leaves the upper station every twenty five minutes and needs seven minutes to the "
    "valley; how many trains can be on the line at the same time?",
    "If a cheese loses a fiftieth of its weight every week in the cellar, roughly how many weeks "
    "pass before it has lost a fifth of the weight it came with?",
    "A mapmaker draws a pond that is ninety metres long as a line of six millimetres; what is the "
    "scale of the map, and how long would a path of one kilometre be?",
]
ANSWERS = [
    "768", "285", "linseed oil", "240", "after four kilometres from the first", "385",
    "15 pieces and nothing", "the water behind the gate then falls for longest",
    "sharpen, turn, sow, water", "1", "about 11", "1 to 15,000; 67 millimetres",
]  # fmt: skip
COOKIES = "This website uses cookies to improve your visit, see our privacy policy."
SCRIPT = "Please enable javascript in your browser to see this page."
PERSONAL = (
    "For a guided tour write to tours@harbour.example.org or call +1 212-555-0142 before noon. "
    "The booking form asked for the identity number 11010519491231002X and the card "
    "4111 1111 1111 1111, and refunds went to GB82 WEST 1234 5698 7654 32 in the past. "
    "The old booking server answered at 8.8.8.8 until it was switched off."
)
GERMAN = (
    "Der alte Hafen liegt am Ende einer schmalen Straße, die im Winter oft überschwemmt wird. "
    "Die Lotsen treffen sich jeden Morgen in dem kleinen Haus neben dem Leuchtturm und sprechen "
    "über das Wetter. Sie wissen genau, wann die Schiffe kommen und wie tief das Wasser ist. "
    "Wer den Hafen besuchen möchte, sollte feste Schuhe tragen und etwas Zeit mitbringen. "
) * 2
FRENCH = (
    "La boulangerie du village ouvre ses portes avant le lever du soleil, et les habitants "
    "viennent chercher leur pain encore chaud. Le boulanger raconte volontiers comment son père "
    "lui a appris le métier. Il faut de la patience, de la bonne farine et un four bien réglé. "
    "Pendant l'hiver, les clients restent un peu plus longtemps près du four pour se réchauffer. "
)
SPAM = "buy the cheap clocks of the day and save with the best price of all clocks, " * 14
MOJIBAKE = "The cafÃ© beside the harbour sells crÃ¨me brÃ»lÃ©e, and the cafÃ©â€™s owner sings."


def pages() -> list[tuple[str, str, str, str]]:
    """(path, title, language, text) of the web pages."""
    found = []
    for number in range(24):
        title, text = article(number)
        found.append((f"pages/{number:02d}.html", title, "en", text))
    title, text = article(24)
    found.append(("pages/personal.html", title, "en", f"{text}\n\n{PERSONAL}"))
    title, text = article(25)
    found.append(("pages/banner.html", title, "en", f"{text}[12]\n\n{COOKIES}\n\n{SCRIPT}"))
    title, text = article(26)
    found.append(("pages/mojibake.html", title, "en", f"{text}\n\n{MOJIBAKE}"))
    title, text = article(27)
    found.append(("pages/benchmark.html", title, "en", f"{text}\n\n{QUESTIONS[0]}"))
    found.append(("pages/spam.html", "Cheap clocks", "en", SPAM))
    found.append(("pages/hafen.html", "Der Hafen", "de", GERMAN))
    found.append(("pages/pain.html", "La boulangerie", "fr", FRENCH))
    found.append(
        ("pages/short.html", "Soon", "en", "This page will be ready soon, come back later.")
    )
    return found


def page_html(title: str, language: str, text: str) -> bytes:
    """A page as a site would serve it: navigation, article, footer."""
    body = "".join(f"<p>{escape(part)}</p>\n" for part in text.split("\n\n"))
    return (
        f'<!DOCTYPE html>\n<html lang="{language}"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title></head>\n<body>"
        '<nav><ul><li><a href="/">Home</a></li><li><a href="/news">News</a></li></ul></nav>\n'
        f"<main><article><h1>{escape(title)}</h1>\n{body}</article></main>\n"
        "<footer><p>All pages of this site are placed in the public domain.</p></footer>"
        "</body></html>"
    ).encode()


def warc_record(kind: str, uri: str, content: bytes, mime: str, number: int) -> bytes:
    """One WARC/1.0 record."""
    identity = hashlib.sha256(f"{kind} {uri} {number}".encode()).hexdigest()
    uuid = f"{identity[:8]}-{identity[8:12]}-{identity[12:16]}-{identity[16:20]}-{identity[20:32]}"
    headers = [
        "WARC/1.0",
        f"WARC-Type: {kind}",
        f"WARC-Date: {DATE}",
        f"WARC-Record-ID: <urn:uuid:{uuid}>",
        *([f"WARC-Target-URI: {uri}"] if uri else []),
        f"Content-Type: {mime}",
        f"Content-Length: {len(content)}",
    ]
    return "\r\n".join(headers).encode() + b"\r\n\r\n" + content + b"\r\n\r\n"


def member(data: bytes) -> bytes:
    """One gzip member, as Common Crawl writes one a record."""
    return gzip.compress(data, mtime=0)


def build_web(folder: Path) -> None:
    warc = [
        member(
            warc_record(
                "warcinfo", "", b"format: WARC File Format 1.0\r\n", "application/warc-fields", 0
            )
        )
    ]
    wet = [
        member(
            warc_record(
                "warcinfo", "", b"format: WARC File Format 1.0\r\n", "application/warc-fields", 1
            )
        )
    ]
    for number, (path, title, language, text) in enumerate(pages()):
        uri = f"https://www.example.org/{path}"
        request = f"GET /{path} HTTP/1.1\r\nHost: www.example.org\r\n\r\n".encode()
        page = page_html(title, language, text)
        response = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + page
        warc.append(
            member(
                warc_record("request", uri, request, "application/http; msgtype=request", number)
            )
        )
        warc.append(
            member(
                warc_record("response", uri, response, "application/http; msgtype=response", number)
            )
        )
        plain = f"{title}\nHome\nNews\n{title}\n{text}\nAll pages of this site are placed in the public domain."
        wet.append(member(warc_record("conversion", uri, plain.encode(), "text/plain", number)))
    # A response whose payload claims to be gzip and is cut off.
    torn = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
        + gzip.compress(b"<p>torn</p>" * 50, mtime=0)[:20]
    )
    warc.append(
        member(
            warc_record(
                "response",
                "https://www.example.org/pages/torn.html",
                torn,
                "application/http; msgtype=response",
                900,
            )
        )
    )
    (folder / "web.warc.gz").write_bytes(b"".join(warc))
    (folder / "web.warc.wet.gz").write_bytes(b"".join(wet))


def wiki_xml(language: str, base: str, articles: list[tuple[str, str]], redirect: str) -> bytes:
    site = (
        f"<siteinfo><sitename>Pages</sitename><dbname>{language}pages</dbname><base>{base}</base>"
        "<generator>MediaWiki 1.43</generator><case>first-letter</case><namespaces>"
        '<namespace key="0" case="first-letter" /><namespace key="1" case="first-letter">Talk'
        "</namespace></namespaces></siteinfo>"
    )
    rows = []
    for number, (title, wikitext) in enumerate(articles, start=1):
        rows.append(_page(title, 0, number, wikitext))
    rows.append(_page(redirect, 0, 900, f"#REDIRECT [[{articles[0][0]}]]", articles[0][0]))
    rows.append(_page(f"Talk:{articles[0][0]}", 1, 901, "Is this page complete? I think so."))
    return (
        '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" '
        f'xml:lang="{language}">{site}{"".join(rows)}</mediawiki>'
    ).encode()


def _page(title: str, namespace: int, number: int, text: str, redirect: str | None = None) -> str:
    mark = f'<redirect title="{escape(redirect)}" />' if redirect else ""
    return (
        f"<page><title>{escape(title)}</title><ns>{namespace}</ns><id>{number}</id>{mark}"
        f"<revision><id>{number + 5000}</id><timestamp>{DATE}</timestamp><model>wikitext</model>"
        f'<format>text/x-wiki</format><text xml:space="preserve">{escape(text)}</text></revision></page>'
    )


def build_wikis(folder: Path) -> None:
    english = []
    for number in range(22):
        title, text = article(number + 30)
        parts = text.split("\n\n")
        english.append(
            (
                title,
                "{{Infobox place|name="
                + title
                + "|country=nowhere}}\n"
                + parts[0]
                + "<ref>{{cite book|title=Local notes|year=1931}}</ref>\n\n== Work ==\n"
                + parts[1]
                + '\n\n{| class="wikitable"\n! year !! visitors\n|-\n| 1990 || 412\n|}\n\n== Today ==\n'
                + "''"
                + parts[2]
                + "''\n\n[[Category:Places]]",
            )
        )
    (folder / "wiki_en.xml.bz2").write_bytes(
        bz2.compress(
            wiki_xml("en", "https://en.example.org/wiki/Main_Page", english, "Old harbour")
        )
    )
    chinese = []
    for number in range(18):
        title, text = article_zh(number)
        mark = "-{zh-hans:软件; zh-hant:軟體}-"
        extra = f"他们还用{mark}记录每天的情况。" if number == 0 else ""
        chinese.append(
            (
                title,
                f"'''{title}'''的故事。{text}{extra}\n\n== 参考 ==\n<ref>村志</ref>\n[[Category:地方]]",
            )
        )
    (folder / "wiki_zh.xml.bz2").write_bytes(
        bz2.compress(wiki_xml("zh", "https://zh.example.org/wiki/首页", chinese, "老灯塔"))
    )


def build_c4(folder: Path) -> None:
    records: list[dict[str, str] | str] = []
    for number in range(60, 92):
        _, text = article(number)
        records.append(
            {"text": text, "timestamp": DATE, "url": f"https://blog.example.net/{number}"}
        )
    # Near-duplicates of wiki articles, and an exact copy of a page of this very file.
    for number in (30, 31):
        _, text = article(number)
        records.append(
            {
                "text": text.replace(".", " .", 1) + " It was copied here with a new last line.",
                "timestamp": "2026-01-15 09:00:00",
                "url": f"https://copy.example.net/{number}",
            }
        )
    records.append(dict(records[3], url="https://copy.example.net/exact"))  # type: ignore[arg-type]
    records.append(
        {
            "text": "Lorem ipsum dolor sit amet. " + article(92)[1],
            "timestamp": DATE,
            "url": "https://blog.example.net/lorem",
        }
    )
    records.append(
        {
            "text": article(93)[1] + " Use {braces} here.",
            "timestamp": DATE,
            "url": "https://blog.example.net/braces",
        }
    )
    records.append(
        {
            "text": "Bell\x07 " + article(94)[1],
            "timestamp": DATE,
            "url": "https://blog.example.net/control",
        }
    )
    records.append('{"text": "This record breaks off in the mid')
    lines = [each if isinstance(each, str) else json.dumps(each) for each in records]
    (folder / "c4.json.gz").write_bytes(gzip.compress(("\n".join(lines) + "\n").encode(), mtime=0))


def build_book(folder: Path) -> None:
    chapters = [chapter(number) for number in range(3)]
    manifest = "".join(
        f'<item id="c{i}" href="text/c{i}.xhtml" media-type="application/xhtml+xml"/>'
        for i in range(len(chapters))
    )
    spine = "".join(f'<itemref idref="c{i}"/>' for i in range(len(chapters)))
    package = (
        '<?xml version="1.0" encoding="utf-8"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0" '
        'unique-identifier="id"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        '<dc:identifier id="id">the-long-evening</dc:identifier><dc:title>The Long Evening</dc:title>'
        "<dc:language>en</dc:language><dc:creator>The contributors</dc:creator>"
        "<dc:rights>CC0-1.0</dc:rights><dc:date>2026-01-15</dc:date></metadata>"
        f"<manifest>{manifest}</manifest><spine>{spine}</spine></package>"
    )
    container = (
        '<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
        '<rootfiles><rootfile full-path="EPUB/content.opf" media-type="application/oebps-package+xml"/>'
        "</rootfiles></container>"
    )
    entries = [
        ("mimetype", "application/epub+zip"),
        ("META-INF/container.xml", container),
        ("EPUB/content.opf", package),
    ]
    for i, (title, text) in enumerate(chapters):
        body = "".join(f"<p>{escape(part)}</p>" for part in text.split("\n\n"))
        entries.append(
            (
                f"EPUB/text/c{i}.xhtml",
                f'<html xmlns="http://www.w3.org/1999/xhtml"><head><title>{title}</title></head><body><h2>{title}</h2>{body}</body></html>',
            )
        )
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in entries:
            # The media type comes first and is stored, so that a file tool finds it by offset.
            info = zipfile.ZipInfo(name, (2026, 1, 15, 8, 0, 0))
            info.compress_type = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            archive.writestr(info, text)
    (folder / "book.epub").write_bytes(data.getvalue())


def build_chat(folder: Path) -> None:
    dialogues = []
    for number in range(110, 128):
        title, text = article(number, 10)
        first, second, third = text.split("\n\n")
        dialogues.append(
            {
                "id": f"chat-{number}",
                "conversations": [
                    {
                        "from": "human",
                        "value": f"Could you tell me about the subject '{title}', and how it began?",
                    },
                    {"from": "gpt", "value": f"{first} {second}"},
                    {"from": "human", "value": "Thank you. What should I know before I go there?"},
                    {"from": "gpt", "value": third},
                ],
            }
        )
    dialogues.append({"id": "chat-empty", "conversations": []})
    (folder / "chat.json").write_text(json.dumps(dialogues, indent=1) + "\n", encoding="utf-8")


def build_notes(folder: Path) -> None:
    (folder / "notes").mkdir(exist_ok=True)
    for number in range(130, 133):
        title, text = article(number)
        (folder / "notes" / f"{number}.txt").write_text(f"{title}\n\n{text}\n", encoding="utf-8")


def build(folder: Path) -> None:
    """Write every file of the embedded corpus into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    build_web(folder)
    build_wikis(folder)
    build_c4(folder)
    build_book(folder)
    build_chat(folder)
    build_notes(folder)
    lines = [
        json.dumps({"id": f"q{i}", "question": question, "answer": answer})
        for i, (question, answer) in enumerate(zip(QUESTIONS, ANSWERS, strict=True))
    ]
    (folder / "evaluation.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    build(Path(sys.argv[1]))
