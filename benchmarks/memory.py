"""Peak memory of reading big files: one file a format, made by repeating a real one.

    python benchmarks/memory.py FOLDER [--megabytes 1000] [--format jsonl ...]

FOLDER is where the big files and a home for each are written (and left, to look at). Each format is
read by the stage `raw_corpus` in a process of its own, with one worker; what is printed is the most
memory that the process ever held (`ru_maxrss`), beside the size of the file and of its text.
"""

import argparse
import bz2
import csv
import gzip
import io
import json
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

READ = """
import resource, sys
from pathlib import Path
from llm_data_assets.config.workspace import open_workspace
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import materialise
from llm_data_assets.stages.stage import Partition
if __name__ == "__main__":
    folder = Path(sys.argv[1])
    workspace = open_workspace(folder / "home", folder / "catalog.yaml", folder / "pipeline.yaml")
    done = materialise(STAGES["raw_corpus"], Partition(source="big"), workspace)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(done.outcome.docs, round(done.outcome.n_bytes / 1e6), round(peak), round(done.seconds))
"""
PAGE = "<html><body><div><div><div><p>{}</p></div></div></div></body></html>"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--format", nargs="*", default=list(MAKERS), choices=list(MAKERS))
    options = parser.parse_args()
    print(f"{'format':20}{'file MB':>9}{'text MB':>9}{'documents':>11}{'peak MiB':>10}{'s':>6}")
    for name in options.format:
        folder = options.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        path = MAKERS[name](folder, options.megabytes * 1_000_000)
        (folder / "catalog.yaml").write_text(
            f"sources:\n  big:\n    format: {name.split('-')[0]}\n    uris: [{path.name}]\n"
        )
        (folder / "pipeline.yaml").write_text("engine: {workers: 1}\n")
        (folder / "read.py").write_text(READ)
        run = subprocess.run(
            [sys.executable, folder / "read.py", folder], capture_output=True, text=True, check=True
        )
        docs, text, peak, seconds = run.stdout.split()
        size = path.stat().st_size / 1e6
        print(f"{name:20}{size:9.0f}{text:>9}{docs:>11}{peak:>10}{seconds:>6}", flush=True)


def texts(n_bytes: int) -> Iterator[str]:
    """Sources of this interpreter's standard library, over and over, to about `n_bytes`."""
    sources = [
        path.read_text("utf-8", "replace")
        for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    ]
    while n_bytes > 0:
        for number, source in enumerate(sources):
            yield f"# {n_bytes} {number}\n{source}"
            n_bytes -= len(source)
            if n_bytes <= 0:
                return


def jsonl(folder: Path, n_bytes: int) -> Path:
    path = folder / "big.jsonl"
    with path.open("wb") as stream:
        for text in texts(n_bytes):
            stream.write(json.dumps({"text": text}).encode() + b"\n")
    return path


def pile(folder: Path, n_bytes: int) -> Path:
    path = folder / "big.jsonl.zst"
    with path.open("wb") as file, zstandard.ZstdCompressor().stream_writer(file) as stream:
        for text in texts(n_bytes):
            stream.write(json.dumps({"text": text, "meta": {}}).encode() + b"\n")
    return path


def parquet(folder: Path, n_bytes: int) -> Path:
    path = folder / "big.parquet"
    schema = pa.schema([("text", pa.string())])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        rows: list[str] = []
        for text in texts(n_bytes):
            rows.append(text)
            if len(rows) == 500:
                writer.write_table(pa.table({"text": rows}, schema=schema))
                rows = []
        writer.write_table(pa.table({"text": rows}, schema=schema))
    return path


def warc(folder: Path, n_bytes: int) -> Path:
    path = folder / "big.warc.gz"
    with path.open("wb") as stream:
        for number, text in enumerate(texts(n_bytes)):
            body = PAGE.format(text.replace("<", "&lt;")).encode()
            block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + body
            header = (
                "WARC/1.0\r\nWARC-Type: response\r\nWARC-Date: 2024-01-01T00:00:00Z\r\n"
                f"WARC-Record-ID: <urn:uuid:{number}>\r\nContent-Length: {len(block)}\r\n\r\n"
            )
            stream.write(gzip.compress(header.encode() + block + b"\r\n\r\n", 1, mtime=0))
    return path


def wikipedia(folder: Path, n_bytes: int) -> Path:
    path = folder / "big.xml.bz2"
    with bz2.open(path, "wb", 1) as stream:
        stream.write(b'<mediawiki xml:lang="en">')
        for number, text in enumerate(texts(n_bytes)):
            plain = "".join(each for each in text if each.isprintable() or each == "\n")
            safe = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            stream.write(
                f"<page><title>T{number}</title><ns>0</ns><id>{number}</id><revision>"
                f"<text>{safe}</text></revision></page>".encode("utf-8", "replace")
            )
        stream.write(b"</mediawiki>")
    return path


def wet(folder: Path, n_bytes: int) -> Path:
    path = folder / "big.wet.gz"
    with path.open("wb") as stream:
        for number, text in enumerate(texts(n_bytes)):
            block = text.encode()
            header = (
                "WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Date: 2024-01-01T00:00:00Z\r\n"
                f"WARC-Record-ID: <urn:uuid:{number}>\r\nContent-Type: text/plain\r\n"
                f"Content-Length: {len(block)}\r\n\r\n"
            )
            stream.write(gzip.compress(header.encode() + block + b"\r\n\r\n", 1, mtime=0))
    return path


def csv_file(folder: Path, n_bytes: int) -> Path:
    path = folder / "big.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["text"])
        rows.writerows([text] for text in texts(n_bytes))
    return path


def arrow(folder: Path, n_bytes: int) -> Path:
    path = folder / "big.arrow"
    schema = pa.schema([("text", pa.string())])
    with pa.OSFile(str(path), "wb") as stream, pa.ipc.new_stream(stream, schema) as writer:
        for text in texts(n_bytes):
            writer.write_batch(pa.record_batch({"text": [text]}, schema=schema))
    return path


def alpaca(folder: Path, n_bytes: int) -> Path:
    """One array of 1 GB."""
    path = folder / "big.json"
    with path.open("w", encoding="utf-8") as stream:
        stream.write("[")
        for number, text in enumerate(texts(n_bytes)):
            record = {"instruction": f"Read {number}.", "input": "", "output": text}
            stream.write(("," if number else "") + json.dumps(record))
        stream.write("]")
    return path


def source_tree(folder: Path, n_bytes: int) -> Path:
    path = folder / "big.tar.gz"
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for number, text in enumerate(texts(n_bytes)):
            data = text.encode()
            about = tarfile.TarInfo(f"project/{number}.py")
            about.size = len(data)
            tar.addfile(about, io.BytesIO(data))
    return path


MAKERS: dict[str, Callable[[Path, int], Path]] = {
    "jsonl": jsonl,
    "pile": pile,
    "parquet": parquet,
    "arrow": arrow,
    "csv": csv_file,
    "alpaca": alpaca,
    "warc": warc,
    "wet": wet,
    "wikipedia": wikipedia,
    "source_tree": source_tree,
}

if __name__ == "__main__":
    main()
