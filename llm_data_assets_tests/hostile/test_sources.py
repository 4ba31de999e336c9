"""Sources meant to break out, through the stage that reads them: none reads, writes or runs a thing
outside, none explodes, and the honest documents beside them come in.

What each reader says of each trick is tested with the reader (`sources/`); here all of them lie in
one folder, and what is looked at is the machine afterwards.
"""

import io
import json
import os
import pickle
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest
import yaml
import zstandard

from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.lake.catalog import connect
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import materialise
from llm_data_assets.stages.stage import Partition
from llm_data_assets_tests.conftest import sentence
from llm_data_assets_tests.sources.fixtures_code import siva
from llm_data_assets_tests.sources.test_archive import tar, zipped
from llm_data_assets_tests.sources.test_books import CONTAINER, book, chapter, packed

SECRET = "the-canary-that-lies-outside"
HONEST = "x = 'an honest neighbour'\n"
_BOMB_BYTES = 1_100 << 20  # past the gibibyte from which the ratio is looked at


class Runs:
    """Unpickled, it runs a command."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (os.system, (self.command,))


def climbing_tar(secret: Path) -> bytes:
    """Members and links that lead to the secret by every way there is, and an honest file."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for name in (f"../{secret.name}", str(secret), f"a/../../{secret.name}"):
            member = tarfile.TarInfo(name)
            member.size = 4
            archive.addfile(member, io.BytesIO(b"over"))
        for kind, name in ((tarfile.SYMTYPE, "soft.py"), (tarfile.LNKTYPE, "hard.py")):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, str(secret)
            archive.addfile(member)
        member = tarfile.TarInfo("honest.py")
        member.size = len(HONEST)
        archive.addfile(member, io.BytesIO(HONEST.encode()))
    return data.getvalue()


def climbing_zip(secret: Path) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in (f"../{secret.name}", str(secret), f"..\\{secret.name}"):
            archive.writestr(zipfile.ZipInfo(name), "over")
        link = zipfile.ZipInfo("soft.py")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, str(secret))
        archive.writestr("honest.py", HONEST)
    return data.getvalue()


def unpickling_arrow(command: str) -> bytes:
    """An Arrow file of the extension type whose metadata pyarrow unpickled before 14.0.1."""
    field = pa.field(
        "text",
        pa.string(),
        metadata={
            "ARROW:extension:name": "arrow.py_extension_type",
            "ARROW:extension:metadata": pickle.dumps(Runs(command), 0).decode("latin-1"),
        },
    )
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, pa.schema([field])) as writer:
        writer.write_table(pa.table({"text": [sentence(1)]}, schema=pa.schema([field])))
    return sink.getvalue()


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder around the sources: a secret that none may read, a place none may write to."""
    folder = tmp_path_factory.mktemp("outside")
    (folder / "secret.py").write_text(f"x = '{SECRET}'\n")
    return folder


@pytest.fixture(scope="module")
def made(outside: Path) -> Workspace:
    """raw_corpus of a source for each kind of attack."""
    secret, command = outside / "secret.py", f"touch {outside / 'owned'}"
    base = outside / "base"
    trees, books, lines, arrows = (base / n for n in ("trees", "books", "lines", "arrows"))
    for folder in (trees, books, lines, arrows):
        folder.mkdir(parents=True)
    (trees / "climb.tar.gz").write_bytes(climbing_tar(secret))
    (trees / "climb.zip").write_bytes(climbing_zip(secret))
    (trees / "bomb.zip").write_bytes(zipped(("bomb.py", bytes(64 << 20))))
    inner = zipped(("a.zip", zipped(("b.py", bytes(8 << 20)))))
    (trees / "nested.zip").write_bytes(zipped(("c.zip", inner)))
    (trees / "links.tar").write_bytes(tar(("link.py", tarfile.SYMTYPE, b"")))
    (trees / "link.py").symlink_to(secret)
    (trees / "folder").symlink_to(outside, target_is_directory=True)
    (trees / "honest.py").write_text(HONEST)
    (books / "climb.epub").write_bytes(book({f"../../../{secret.name}": "x"}))
    (books / "climb2.epub").write_bytes(
        packed({"META-INF/container.xml": CONTAINER.replace("OPS/", "../../../")})
    )
    entity = f'<!DOCTYPE c [<!ENTITY a SYSTEM "file://{secret}">]>'
    (books / "entity.epub").write_bytes(
        book({"c.xhtml": chapter("<p>&a;</p>").replace("<html", f"{entity}<html")})
    )
    (books / "honest.epub").write_bytes(book({"c.xhtml": chapter(f"<p>{sentence(2)}</p>")}))
    honest = json.dumps({"text": sentence(3)}) + "\n"
    packer = zstandard.ZstdCompressor(level=1).compressobj()
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(_BOMB_BYTES >> 20))
    (lines / "bomb.jsonl.zst").write_bytes(bomb + packer.flush())
    (lines / "pickle.jsonl").write_bytes(pickle.dumps(Runs(command)) + b"\n" + honest.encode())
    (lines / "deep.jsonl").write_text("[" * 200_000 + "\n" + '{"a":' * 200_000 + "\n" + honest)
    (arrows / "pickle.arrow").write_bytes(unpickling_arrow(command))
    siva(base)
    catalog = {
        "trees": {"format": "source_tree", "uris": ["trees"]},
        "books": {"format": "epub", "uris": ["books"]},
        "lines": {"format": "jsonl", "uris": ["lines"]},
        "arrows": {"format": "arrow", "uris": ["arrows"]},
        "gits": {"format": "siva", "uris": ["*.siva"]},
    }
    (base / "catalog.yaml").write_text(yaml.safe_dump({"sources": catalog}))
    (base / "pipeline.yaml").write_text("checks: {max_reject_share: 1.0}\n")
    workspace = open_workspace(base / "home", base / "catalog.yaml", base / "pipeline.yaml")
    for source in workspace.sources:
        materialise(STAGES["raw_corpus"], Partition(source=source), workspace)
    return workspace


def test_the_honest_neighbours_come_in(made: Workspace) -> None:
    found = connect(made.home).execute("SELECT source, count(*) FROM raw_corpus GROUP BY 1")
    counted = dict(found.fetchall())
    assert counted["trees"] == 3  # of the tar, of the zip, and the file itself
    assert (counted["books"], counted["lines"]) == (1, 2) and counted["gits"] >= 1


def test_nothing_outside_was_read(made: Workspace) -> None:
    everything = connect(made.home).execute("SELECT text, meta, title FROM raw_corpus").fetchall()
    rejects = connect(made.home).execute("SELECT error, first_bytes FROM rejects").fetchall()
    assert SECRET not in str(everything) and SECRET not in str(rejects)
    assert all(
        SECRET.encode() not in path.read_bytes() for path in made.home.rglob("*") if path.is_file()
    )


def test_nothing_outside_was_written_and_nothing_ran(made: Workspace, outside: Path) -> None:
    assert sorted(path.name for path in outside.iterdir()) == ["base", "secret.py"]
    assert (outside / "secret.py").read_text() == f"x = '{SECRET}'\n"
    names = {path.name for path in outside.rglob("*") if not path.is_relative_to(made.home)}
    assert names.isdisjoint({"outside", "outside.py", "owned", "soft.py", "hard.py"})


def test_every_attack_is_named(made: Workspace) -> None:
    found = connect(made.home).execute(
        "SELECT file, string_agg(error, ' | ' ORDER BY error) FROM rejects GROUP BY file"
    )
    said = dict(found.fetchall())
    for file, reason in {
        "trees/climb.tar.gz": "path leaves the archive",
        "trees/climb.zip": "path leaves the archive",
        "trees/bomb.zip": "too large",
        "books/climb.epub": "path leaves the archive",
        "books/climb2.epub": "path leaves the archive",
        "lines/bomb.jsonl.zst": "decompression bomb",
    }.items():
        assert reason in said.get(file, ""), (file, said.get(file))
    assert {"lines/pickle.jsonl", "lines/deep.jsonl"} <= set(said)


def test_a_bomb_costs_no_memory(made: Workspace) -> None:
    """In a process of its own: the peak of its memory, less what the same process takes without."""
    script = """
import resource, sys
from pathlib import Path
from llm_data_assets.sources.files import list_files
from llm_data_assets.sources.formats import read_documents
base, *names = map(Path, sys.argv[1:])
for name in names:
    (file,) = list_files([name.as_posix()], base=base)
    format = "jsonl" if "jsonl" in name.name else "source_tree"
    for record in read_documents(format, file, {}):
        pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""

    def peak_kb(*names: str) -> int:
        command = [sys.executable, "-c", script, str(made.catalog.path.parent), *names]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    honest = peak_kb("lines/deep.jsonl", "trees/honest.py")
    hostile = peak_kb("lines/deep.jsonl", "lines/bomb.jsonl.zst", "trees/bomb.zip")
    assert hostile - honest < 200_000 < _BOMB_BYTES >> 10
