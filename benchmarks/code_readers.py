"""Readers of code sets and tables beside plain loops of their libraries: same input, same run.

    python benchmarks/code_readers.py [FOLDER] [--megabytes 60] [--siva FILE]

FOLDER is searched for `*.py`; without it, the packages of this interpreter. The peers do the least
that gives the same texts: pyarrow's `to_pylist`, the `csv` and `tarfile` modules, `read_text`, and
dulwich (which must be installed) for a siva archive of one's own choice. Ours also find language,
licence, generated files and every fault. CPU-seconds on one core, peer and ours in turn, best of
three.
"""

import argparse
import csv
import io
import struct
import sysconfig
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from measure import machine, timed

from llm_data_assets.sources.document import Document
from llm_data_assets.sources.files import list_files
from llm_data_assets.sources.formats import read_documents

REPEATS = 3


def main() -> None:
    options = _options()
    print(machine())
    print(f"{'format':14}{'MB':>8}{'ours MB/s':>12}{'peer MB/s':>12}{'ours/peer':>11}  peer")
    with tempfile.TemporaryDirectory() as folder:
        inputs = _inputs(Path(folder), _sources(options.folder, options.megabytes))
        for name, (path, peer, said) in inputs.items():
            _compare(name, path, peer, said)
    if options.siva:
        _compare("siva", options.siva, _dulwich, "dulwich")


def _compare(name: str, path: Path, peer: Callable[[Path], int], said: str) -> None:
    ours_best = peer_best = float("inf")
    for _ in range(REPEATS):
        peer_bytes, seconds = timed(lambda: peer(path))
        peer_best = min(peer_best, seconds)
        our_bytes, seconds = timed(lambda: _ours(name, path))
        ours_best = min(ours_best, seconds)
    assert our_bytes == peer_bytes, (name, our_bytes, peer_bytes)
    megabytes = our_bytes / 1e6
    ours, theirs = megabytes / ours_best, megabytes / peer_best
    print(f"{name:14}{megabytes:8.1f}{ours:12.1f}{theirs:12.1f}{ours / theirs:11.2f}  {said}")


def _ours(name: str, path: Path) -> int:
    return sum(
        len(record.text)
        for file in list_files([path.name], base=path.parent)
        for record in read_documents(name, file, {"max_bytes": 1 << 30} if name in _BOUNDED else {})
        if isinstance(record, Document)
    )


_BOUNDED = ("source_tree", "siva")


# -- inputs and peers ------------------------------------------------------------------------------


def _inputs(folder: Path, texts: list[str]) -> dict[str, tuple[Path, Callable[[Path], int], str]]:
    table = pa.table({"content": texts, "max_stars_repo_licenses": [["MIT"]] * len(texts)})
    pq.write_table(table, folder / "a.parquet", compression="zstd")
    with (folder / "a.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["text"], *([text] for text in texts)])
    with pa.ipc.new_file(str(folder / "a.arrow"), pa.schema([("text", pa.string())])) as writer:
        writer.write_table(pa.table({"text": texts}), max_chunksize=1_000)
    with tarfile.open(folder / "a.tar", "w") as archive:
        for number, text in enumerate(texts):
            member = tarfile.TarInfo(f"p/{number}.py")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return {
        "the_stack": (folder / "a.parquet", _to_pylist, "pyarrow to_pylist"),
        "arrow": (folder / "a.arrow", _arrow, "pyarrow to_pylist"),
        "csv": (folder / "a.csv", _csv, "csv.reader"),
        "source_tree": (folder / "a.tar", _tar, "tarfile, decode"),
    }


def _to_pylist(path: Path) -> int:
    batches = pq.ParquetFile(path).iter_batches(1_000)
    return sum(len(row["content"]) for batch in batches for row in batch.to_pylist())


def _arrow(path: Path) -> int:
    with pa.memory_map(str(path)) as source:
        reader = pa.ipc.open_file(source)
        batches = (reader.get_batch(number) for number in range(reader.num_record_batches))
        return sum(len(row["text"]) for batch in batches for row in batch.to_pylist())


def _csv(path: Path) -> int:
    csv.field_size_limit(1 << 30)
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        next(rows)
        return sum(len(row[0]) for row in rows)


def _tar(path: Path) -> int:
    with tarfile.open(path) as archive:
        contents = (archive.extractfile(member) for member in archive)
        return sum(len(content.read().decode()) for content in contents if content)


def _dulwich(path: Path) -> int:
    """The files of the HEADs of a siva archive of one block, each content once, text only."""
    from dulwich.object_format import SHA1
    from dulwich.pack import Pack, PackData, load_pack_index_file

    data = path.read_bytes()
    count, size, _, _ = struct.unpack(">IQQI", data[-24:])
    index, at, found = data[-24 - size : -24], 4, {}
    for _ in range(count):
        (length,) = struct.unpack_from(">I", index, at)
        name = index[at + 4 : at + 4 + length].decode()
        offset, n_bytes = struct.unpack_from(">QQ", index, at + 4 + length + 12)
        found[name] = data[offset : offset + n_bytes]
        at += 4 + length + 36
    (pack,) = (each for each in found if each.endswith(".pack"))
    heads = [found[each].strip() for each in found if each.startswith("refs/heads/")]
    total, seen = 0, set()
    with Pack.from_objects(
        PackData.from_file(io.BytesIO(found[pack]), object_format=SHA1),
        load_pack_index_file("a", io.BytesIO(found[f"{pack[:-5]}.idx"]), SHA1),
    ) as objects:
        waiting = [objects[head].tree for head in heads]
        while waiting:
            for _, mode, sha in objects[waiting.pop()].items():
                if sha in seen:
                    continue
                seen.add(sha)
                if mode == 0o40000:
                    waiting.append(sha)
                elif mode >> 12 == 0o10 and b"\0" not in (content := objects[sha].data)[:8192]:
                    total += len(content.decode("utf-8", "replace"))
    return total


def _sources(folder: Path, megabytes: float) -> list[str]:
    texts, held = [], 0
    for path in sorted(folder.rglob("*.py")):
        text = path.read_bytes().decode("utf-8", "replace")
        if text and "\0" not in text and "\r" not in text and not text.startswith("\ufeff"):
            texts.append(text)
            held += len(text)
        if held > megabytes * 1e6:
            break
    return texts


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    packages = Path(sysconfig.get_path("purelib"))
    parser.add_argument("folder", type=Path, nargs="?", default=packages)
    parser.add_argument("--megabytes", type=float, default=60)
    parser.add_argument("--siva", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
