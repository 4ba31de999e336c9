"""Small files of web archives, encyclopedias, books and text sets, from the published layouts."""

import bz2
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lz4.frame
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from llm_data_assets_tests.sources.test_arc import DESCRIPTION, ENVELOPE
from llm_data_assets_tests.sources.test_arc import record as arc_record
from llm_data_assets_tests.sources.test_books import book, chapter
from llm_data_assets_tests.sources.test_text_sets import OSCAR_2201, OSCAR_2301
from llm_data_assets_tests.sources.test_warc import HTML, PAGE, record, response
from llm_data_assets_tests.sources.test_wikipedia import dump, page

WARC = [
    record(b"format: WARC", "warcinfo"),
    record(HTML, number=1),
    record(b"GET / HTTP/1.1\r\n\r\n", "request", number=2),
    record(b"HTTP/1.1 304 Not Modified\r\n\r\n", "revisit", number=3),
    record(response(b"\x89PNG", "image/png"), number=4),
    record(HTML, number=5),
]


def warc(folder: Path) -> Path:
    """Common Crawl: a gzip member a record, a revisit, a picture."""
    return _written(folder / "a.warc.gz", b"".join(gzip.compress(each, mtime=0) for each in WARC))


def warc_in_one_member(folder: Path) -> Path:
    """The same archive compressed as a whole."""
    return _written(folder / "a.warc.gz", gzip.compress(b"".join(WARC), mtime=0))


def warc_lz4(folder: Path) -> Path:
    """The same archive, an LZ4 frame a record."""
    return _written(folder / "a.warc.lz4", b"".join(map(lz4.frame.compress, WARC)))


def warc_zstd(folder: Path) -> Path:
    """The same archive, a zstd frame a record."""
    return _written(folder / "a.warc.zst", b"".join(map(zstandard.compress, WARC)))


def wet(folder: Path) -> Path:
    """Common Crawl's own text, with the languages it found."""
    records = [
        record("港口很安静。".encode(), "conversion", number=1,
               WARC_Identified_Content_Language="zho"),
        record(b"The quay.", "conversion", number=2, WARC_Identified_Content_Language="eng,fra"),
    ]  # fmt: skip
    return _written(folder / "a.warc.wet.gz", b"".join(map(gzip.compress, records)))


def wat(folder: Path) -> Path:
    """Metadata of one page and of one request."""
    blocks = [json.dumps(ENVELOPE).encode(), b'{"Envelope": {}}']
    return _written(folder / "a.wat", b"".join(record(each, "metadata") for each in blocks))


def arc(folder: Path) -> Path:
    """An archive of version 1 with a bad header line and a URL with spaces."""
    records = [
        arc_record(b"http://a.org/", PAGE.encode()),
        arc_record(b"http://b.org/", b"<p>Lost.", length=b"-1"),
        arc_record(b"http://c.org/a b c", PAGE.encode()),
    ]
    return _written(folder / "a.arc.gz", gzip.compress(DESCRIPTION + b"".join(records), mtime=0))


def c4(folder: Path) -> Path:
    """mC4: named tfrecord, and JSON lines inside; both spellings of a date."""
    rows = [
        {"text": "一", "timestamp": "2019-04-25T12:57:54Z", "url": "https://example.org/1"},
        {"text": "二", "timestamp": "2019-04-25 12:57:54", "url": "https:\\/\\/example.org"},
    ]
    return _lines(folder / "c4-zh.tfrecord-00000-of-01024.json.gz", rows)


def pile(folder: Path) -> Path:
    """Two sets and a line without text."""
    rows: list[dict[str, Any]] = [
        {"text": "A patent.", "meta": {"pile_set_name": "USPTO Backgrounds"}},
        {"text": "def f(): pass", "meta": {"pile_set_name": "Github"}},
        {"meta": {"pile_set_name": "Github"}},
    ]
    return _lines(folder / "00.jsonl.zst", rows)


def oscar(folder: Path) -> Path:
    """A document of 22.01 and one of 23.01."""
    return _lines(folder / "de_meta_part_1.jsonl.zst", [OSCAR_2201, OSCAR_2301])


def roots(folder: Path) -> Path:
    """Metadata as a dict's repr, and as something that would run."""
    marks = ["{'url': 'https://example.org', 'title': None}", "__import__('os').getcwd()"]
    path = folder / "train-00000-of-00001.parquet"
    pq.write_table(pa.table({"text": ["one", "two"], "meta": marks}), path)
    return path


def redpajama(folder: Path) -> Path:
    """Dates as ISO 8601 and as milliseconds."""
    rows: list[dict[str, Any]] = [
        {"text": "one", "meta": {"timestamp": "2022-08-31T02:04:46", "language": "en"}},
        {"text": "two", "meta": {"timestamp": 1664582400000}, "red_pajama_subset": "arxiv"},
    ]
    return _lines(folder / "arxiv.jsonl.zst", rows)


def mathpile(folder: Path) -> Path:
    """A subset spelt as its publisher spells it."""
    return _lines(folder / "a.jsonl.gz", [{"text": "x", "SubSet": "CommomCrawl", "meta": {}}])


def wikipedia(folder: Path) -> Path:
    """A dump of several bzip2 streams: articles, a redirect, a module, an empty page."""
    whole = dump(
        page("A", "#REDIRECT [[B]]", 1, more='<redirect title="B" />'),
        page("B", "'''Texte''' du [[port]].<ref>Une note.</ref> {{modèle|x}}", 2),
        page("Module:B", "return {}", 3, namespace=828),
        page("Vide", " ", 4),
        page("C", "{|\n! Quai !! Longueur\n|-\n| Nord || 120\n|}\nFin.", 5),
    ).encode()
    cut = whole.index(b"<page><title>Module:B")
    streams = bz2.compress(whole[:cut]) + bz2.compress(whole[cut:])
    return _written(folder / "frwiki-pages-articles-multistream.xml.bz2", streams)


def zhwiki(folder: Path) -> Path:
    """Chinese: marks of conversion and a NoteTA, in UTF-16, without siteinfo."""
    text = "{{NoteTA|zh-hans:软件;zh-hant:軟體}}-{zh-hans:软件;zh-hant:軟體}-在港口。"
    data = dump(page("港口", text), site="").replace('xml:lang="fr"', 'xml:lang="zh"')
    return _written(folder / "zhwiki.xml.bz2", bz2.compress(data.encode("utf-16")))


def gutenberg(folder: Path) -> Path:
    """A modern file: byte-order mark, CR LF, START and END."""
    text = (
        "Title: A Book\r\nLanguage: English\r\n\r\n"
        "*** START OF THE PROJECT GUTENBERG EBOOK A ***\r\n"
        "\r\nThe story.\r\n\r\n*** END OF THE PROJECT GUTENBERG EBOOK A ***\r\nlicence\r\n"
    )
    return _written(folder / "1-0.txt", b"\xef\xbb\xbf" + text.encode())


def epub(folder: Path) -> Path:
    """A packed book of two chapters."""
    chapters = {"1.xhtml": chapter("<p>First.</p>"), "2.xhtml": chapter("<p>Second.</p>")}
    return _written(folder / "tales.epub", book({**chapters}))


TEXT_FIXTURES: dict[str, Callable[[Path], Path]] = {
    "warc": warc,
    "wet": wet,
    "wat": wat,
    "arc": arc,
    "c4": c4,
    "pile": pile,
    "oscar": oscar,
    "roots": roots,
    "redpajama": redpajama,
    "mathpile": mathpile,
    "wikipedia": wikipedia,
    "gutenberg": gutenberg,
    "epub": epub,
}


def _lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    packed = zstandard.compress(data) if path.suffix == ".zst" else gzip.compress(data, mtime=0)
    return _written(path, packed)


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path
