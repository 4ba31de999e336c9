"""Readers beside their peers: same files, same run, CPU-seconds of one core.

    python benchmarks/sources.py WARC [--dump WIKI.xml.bz2] [--text FOLDER] [--megabytes 160]

WARC is a Common Crawl archive (gzip by record), DUMP a MediaWiki dump. JSON lines are made from the
text files below FOLDER (this interpreter's standard library, if none is named), repeated to the
size asked for. Peers, from PyPI: datatrove with trafilatura (and faust-cchardet, python-magic,
warcio, lxml_html_clean, which it needs), fastwarc and resiliparse alone, polars, mwparserfromhell.
"""

import argparse
import bz2
import json
import sys
import sysconfig
import tempfile
from importlib.metadata import version
from pathlib import Path
from xml.etree.ElementTree import iterparse

import polars as pl
import zstandard
from fastwarc.warc import ArchiveIterator, WarcRecordType
from measure import best, machine, timed
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.encoding import detect_encoding
from resiliparse.parse.html import HTMLTree

from llm_data_assets.sources.document import Document
from llm_data_assets.sources.files import list_files
from llm_data_assets.sources.formats import read_documents


def main() -> None:
    options = _options()
    print(machine("fastwarc", "resiliparse", "polars"))
    with tempfile.TemporaryDirectory() as folder:
        _web(options.warc)
        _json_lines(Path(folder), options.text, options.megabytes)
        if options.dump:
            _wiki(options.dump)


def _web(path: Path) -> None:
    ours, seconds = best(lambda: _documents("warc", path))
    alone, alone_seconds = best(lambda: _fastwarc_alone(path))
    print(f"\nWARC to text: {path.name}, {path.stat().st_size / 1e6:.1f} MB, {ours} pages")
    _row("llm_data_assets", seconds)
    _row(f"fastwarc {version('fastwarc')} + resiliparse alone ({alone})", alone_seconds, seconds)
    theirs, peer_seconds = timed(lambda: _datatrove(path))
    name = f"datatrove {version('datatrove')} + trafilatura {version('trafilatura')} ({theirs})"
    _row(name, peer_seconds, seconds)


def _fastwarc_alone(path: Path) -> int:
    """The shortest loop over the same two libraries: no digests, no checks, no origin."""
    pages = 0
    with path.open("rb") as stream:
        kinds = WarcRecordType.response
        for record in ArchiveIterator(stream, record_types=kinds, parse_http=True):
            if "html" in (record.http_content_type or "") and record.http_headers:
                body = record.reader.read()
                tree = HTMLTree.parse_from_bytes(body, detect_encoding(body))
                extract_plain_text(tree, main_content=True, alt_texts=False, links=False)
                pages += 1
    return pages


def _datatrove(path: Path) -> int:
    from datatrove.pipeline.extractors import Trafilatura
    from datatrove.pipeline.readers import WarcReader

    # `extract` in this process: datatrove calls it in another one, whose time would not be seen.
    reader, extractor = WarcReader(str(path.parent), glob_pattern=path.name), Trafilatura()
    return sum(bool(extractor.extract(document.text)) for document in reader.run())


def _json_lines(folder: Path, texts: Path, megabytes: int) -> None:
    for size in (None, 6_000, 500):  # whole files; the Pile's mean; short comments
        path, n_bytes = _make_lines(folder, texts, megabytes, size)
        ours, seconds = best(lambda path=path: _documents("pile", path))
        frame, peer_seconds = best(lambda path=path: pl.read_ndjson(path))
        assert ours == frame.height
        what = "whole files" if size is None else f"{size} characters each"
        print(f"\nJSON lines, zstd: {n_bytes / 1e6:.0f} MB, {ours} documents, {what}")
        _row("llm_data_assets (pile)", seconds)
        _row(f"polars {version('polars')} read_ndjson", peer_seconds, seconds)


def _make_lines(folder: Path, texts: Path, megabytes: int, size: int | None) -> tuple[Path, int]:
    path = folder / f"lines-{size}.jsonl.zst"
    sources = [file.read_text("utf-8", "replace") for file in sorted(texts.rglob("*.py"))]
    sources = [source for source in sources if source]
    n_bytes = 0
    with path.open("wb") as file, zstandard.ZstdCompressor().stream_writer(file) as stream:
        while n_bytes < megabytes * 1e6:
            for source in sources:
                for start in range(0, len(source), size or len(source)):
                    text = source[start : start + (size or len(source))]
                    row = {"text": text, "meta": {"pile_set_name": "Github"}}
                    n_bytes += stream.write(json.dumps(row).encode() + b"\n")
    return path, n_bytes


def _wiki(path: Path) -> None:
    ours, seconds = best(lambda: _documents("wikipedia", path))
    theirs, peer_seconds = timed(lambda: _mwparserfromhell(path))
    print(f"\nMediaWiki dump to text: {path.name}, {ours} articles")
    _row("llm_data_assets", seconds)
    name = f"mwparserfromhell {version('mwparserfromhell')}, every page ({theirs})"
    _row(name, peer_seconds, seconds)


def _mwparserfromhell(path: Path) -> int:
    """The plain loop: every page's wikitext parsed and stripped."""
    import mwparserfromhell

    pages = 0
    with bz2.open(path) as stream:
        for _, element in iterparse(stream):
            if element.tag.endswith("}text") and element.text:
                mwparserfromhell.parse(element.text).strip_code()
                pages += 1
    return pages


def _documents(name: str, path: Path) -> int:
    (file,) = list_files([path.name], base=path.parent)
    return sum(isinstance(each, Document) for each in read_documents(name, file, {}))


def _row(name: str, seconds: float, ours: float | None = None) -> None:
    ratio = "" if ours is None else f"{seconds / ours:8.2f} x ours"
    print(f"  {name:64}{seconds:9.3f} CPU-s{ratio}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("warc", type=Path)
    parser.add_argument("--dump", type=Path)
    parser.add_argument("--text", type=Path, default=Path(sysconfig.get_path("stdlib")))
    parser.add_argument("--megabytes", type=int, default=160)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
