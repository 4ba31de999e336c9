"""Real text for the benchmarks, from registries alone: one Parquet file of documents.

    mkdir debs && cd debs
    apt-get download linux-doc-6.1 debian-handbook cppreference-doc-en-html python3.11-doc \\
        anarchism installation-guide-amd64 \\
        debian-reference-{en,de,fr,ja,zh-cn} libreoffice-help-{en-us,de,fr,ja,ru,zh-cn}
    for each in *.deb; do dpkg-deb -x $each files; done
    python benchmarks/text_corpus.py files corpus.parquet

A gigabyte of manuals, nearly all in English: `apt-get download $(cat benchmarks/manuals.txt)`.

Nothing is installed by this. Any other folder of .html, .txt, .rst, .md or .py files (gzip too)
serves as well, the site-packages of a Python for one.
"""

import gzip
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from resiliparse.extract.html2text import extract_plain_text

PATTERNS = (".html", ".txt", ".rst", ".md", ".py")


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit("Try: python benchmarks/text_corpus.py FOLDER OUT.parquet")
    folder, out = map(Path, sys.argv[1:])
    names, texts = [], []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            text = text_of(path)
            if text:
                names.append(path.relative_to(folder).as_posix())
                texts.append(text)
    if not texts:
        sys.exit(f"no text in {folder}. Try: a folder with {', '.join(PATTERNS)} files")
    pq.write_table(pa.table({"name": names, "text": texts}), out, compression="zstd")
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    print(f"{out}: {len(texts)} documents, {megabytes:.1f} MB of text")


def text_of(path: Path) -> str:
    """The text of one file; empty where it is none of the known kinds."""
    suffixes = path.suffixes
    compressed = suffixes[-1:] == [".gz"]
    kind = suffixes[-2:-1] if compressed else suffixes[-1:]
    if not kind or kind[0] not in PATTERNS:
        return ""
    data = path.read_bytes()
    text = (gzip.decompress(data) if compressed else data).decode("utf-8", errors="ignore")
    return extract_plain_text(text) if kind[0] == ".html" else text


if __name__ == "__main__":
    main()
