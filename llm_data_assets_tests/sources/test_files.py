"""Which files a uri names, what they are called, and what their compression may hide."""

import bz2
import gzip
import io
import lzma
import os
import sysconfig
from collections.abc import Callable
from pathlib import Path

import fsspec
import pytest
import xxhash
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_data_assets.sources import compression
from llm_data_assets.sources.document import UnreadableFileError
from llm_data_assets.sources.files import list_files, open_decompressed, open_raw, read_whole

COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
    "xz": lzma.compress,
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("web/a.txt", "web/deep/b.txt", "web/deep/c.md", "web/.git/d.txt", "top.txt"):
        path = tmp_path / "catalog" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / "catalog/web/__pycache__").mkdir()
    (tmp_path / "catalog/web/__pycache__/m.pyc").write_bytes(b"x")
    (tmp_path / "catalog/web/m.pyc").write_bytes(b"x")
    return tmp_path / "catalog"


@pytest.mark.parametrize(
    ("uris", "names"),
    [
        (["top.txt"], ["top.txt"]),
        (["./top.txt"], ["top.txt"]),
        (["web"], ["web/a.txt", "web/deep/b.txt", "web/deep/c.md"]),
        (["web/"], ["web/a.txt", "web/deep/b.txt", "web/deep/c.md"]),
        (["web/**"], ["web/a.txt", "web/deep/b.txt", "web/deep/c.md"]),
        (["web/**/*.txt"], ["web/a.txt", "web/deep/b.txt"]),
        (["*.txt"], ["top.txt"]),
        (["w?b/*.txt"], ["web/a.txt"]),
        (["web/*.txt", "web/**", "web/a.txt", "./web/a.txt"],
         ["web/a.txt", "web/deep/b.txt", "web/deep/c.md"]),
    ],
)  # fmt: skip
def test_a_uri_is_a_file_a_folder_or_a_glob(tree: Path, uris: list[str], names: list[str]) -> None:
    assert [file.uri for file in list_files(uris, base=tree)] == names


def test_a_file_is_known_by_its_bytes(tree: Path) -> None:
    (file,) = list_files(["top.txt"], base=tree)
    assert file.path == str(tree / "top.txt")
    assert file.size == 7
    assert file.checksum == xxhash.xxh3_128_hexdigest(b"top.txt")


def test_a_placeholder_stays_in_the_name(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORPUS", str(tree))
    files = list_files(["${CORPUS}/web/**/*.txt"], base=Path("/nowhere"))
    assert [file.uri for file in files] == ["${CORPUS}/web/a.txt", "${CORPUS}/web/deep/b.txt"]
    assert files[0].path == str(tree / "web/a.txt")


def test_a_glob_character_in_a_folder_from_the_environment_is_no_glob(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a[1]").mkdir()
    (tmp_path / "a[1]/x[2].txt").write_text("x")
    monkeypatch.setenv("CORPUS", str(tmp_path / "a[1]"))
    for uri in ("${CORPUS}/*.txt", "${CORPUS}/x[2].txt", "${CORPUS}"):
        assert [file.uri for file in list_files([uri], base=tmp_path)] == ["${CORPUS}/x[2].txt"]


def test_the_interpreters_folders_are_known() -> None:
    (file,) = list_files(["${PYTHON_STDLIB}/json/decoder.py"], base=Path("/nowhere"))
    assert file.uri == "${PYTHON_STDLIB}/json/decoder.py"
    assert file.path == f"{sysconfig.get_path('stdlib')}/json/decoder.py"
    assert list_files(["${PYTHON_PACKAGES}/pytest-*.dist-info/METADATA"], base=Path("/nowhere"))


def test_a_link_within_the_folder_is_the_file_it_leads_to(tree: Path) -> None:
    (tree / "web/z.txt").symlink_to("a.txt")
    assert [file.uri for file in list_files(["web/*.txt"], base=tree)] == ["web/a.txt"]


def test_links_out_of_the_folder_are_not_followed_and_named_where_nothing_else_is(
    tree: Path,
) -> None:
    outside = tree / "links"
    outside.mkdir()
    (outside / "out.txt").symlink_to(tree / "top.txt")
    with pytest.raises(FileNotFoundError, match=r"symlinks that lead out .* 'out.txt'.*Try: name"):
        list_files(["links/*.txt"], base=tree)
    (outside / "in.txt").write_text("in")
    assert [file.uri for file in list_files(["links"], base=tree)] == ["links/in.txt"]


def test_a_checksum_is_remembered_until_the_file_changes(tree: Path) -> None:
    remembered: dict[str, str] = {}
    (before,) = list_files(["top.txt"], base=tree, checksums=remembered)
    (key,) = remembered
    remembered[key] = "remembered"
    assert list_files(["top.txt"], base=tree, checksums=remembered)[0].checksum == "remembered"
    os.utime(tree / "top.txt", ns=(0, 0))
    assert list_files(["top.txt"], base=tree, checksums=remembered) == [before]


@pytest.mark.parametrize(
    ("uri", "error", "message"),
    [
        ("gone.txt", FileNotFoundError, r"'gone.txt' matches no file \(looked at .*gone.txt\)"),
        ("web/*.parquet", FileNotFoundError, r"matches no file .* Try: correct the path"),
        ("web/**.txt", ValueError, r"'web/\*\*.txt': .* Try: `folder/\*\*/\*.txt`"),
        ("${UNSET_HERE}/x", ValueError, r"names \$\{UNSET_HERE\}, which is not set. Try: export"),
        ("nosuch://bucket/x", ValueError, r"'nosuch://bucket/x' cannot be opened: .*nosuch"),
        ("memory://nothing/*.txt", FileNotFoundError, "'memory://nothing/.*matches no file"),
    ],
)
def test_a_uri_that_leads_nowhere_says_where_it_looked(
    tree: Path, uri: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        list_files([uri], base=tree)


@pytest.mark.parametrize(
    "uri", ["${BUCKET}/*.txt", "${BUCKET}", "${BUCKET}/**/*.txt"], ids=["glob", "folder", "deep"]
)
def test_remote_files_keep_the_placeholder_and_change_with_their_mark(
    uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUCKET", "memory://bucket/corpus")
    memory = fsspec.filesystem("memory")
    memory.pipe({"/bucket/corpus/a.txt": b"alpha", "/bucket/corpus/.hidden.txt": b"x"})
    try:
        (file,) = list_files([uri], base=Path("/nowhere"))
        assert (file.uri, file.size) == ("${BUCKET}/a.txt", 5)
        assert read_whole(file) == b"alpha"
        memory.pipe("/bucket/corpus/a.txt", b"other")
        assert list_files([uri], base=Path("/nowhere"))[0].checksum != file.checksum
    finally:
        memory.rm("/bucket", recursive=True)


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_members_in_a_row_are_one_stream_whatever_the_name(
    tmp_path: Path, compression: str
) -> None:
    compress = COMPRESSIONS[compression]
    (tmp_path / "data.bin").write_bytes(compress(b"one\n") + compress(b"") + compress(b"two\n"))
    (file,) = list_files(["data.bin"], base=tmp_path)
    with open_decompressed(file) as stream:
        assert stream.readlines() == [b"one\n", b"two\n"]


def test_zstd_may_begin_with_a_frame_to_skip(tmp_path: Path) -> None:
    skippable = b"\x50\x2a\x4d\x18" + (3).to_bytes(4, "little") + b"abc"  # RFC 8878, 3.1.2
    (tmp_path / "a").write_bytes(skippable + zstandard.compress(b"text"))
    (file,) = list_files(["a"], base=tmp_path)
    assert read_whole(file) == b"text"


@pytest.mark.parametrize("compression", COMPRESSIONS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_a_torn_stream_gives_a_beginning_of_the_text_and_then_says_so(
    tmp_path_factory: pytest.TempPathFactory, compression: str, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("torn")
    text = b"".join(b"%d lines of text\n" % number for number in range(20_000))
    whole = COMPRESSIONS[compression](text)
    cut = data.draw(st.integers(6, len(whole) - 1))
    (folder / "a").write_bytes(whole[:cut])
    (file,) = list_files(["a"], base=folder)
    read = []
    with (
        open_decompressed(file) as stream,
        pytest.raises(UnreadableFileError, match=r"^truncated stream: a: "),
    ):
        while True:
            read.append(stream.read1(4_096))
            if not read[-1]:
                break
    assert text.startswith(b"".join(read))


def test_a_damaged_stream_says_so(tmp_path: Path) -> None:
    data = bytearray(gzip.compress(os.urandom(0) + b"some text " * 500))
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "a").write_bytes(bytes(data))
    (file,) = list_files(["a"], base=tmp_path)
    with pytest.raises(UnreadableFileError, match=r"^(damaged|truncated) stream: a: "):
        read_whole(file)


@pytest.mark.parametrize("kind", COMPRESSIONS)
def test_a_bomb_is_not_unpacked(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "_MAX_UNCHECKED_BYTES", 1 << 20)
    packed = COMPRESSIONS[kind](bytes(24 << 20))
    if len(packed) * 1_000 > 24 << 20:  # gzip packs 1,032 to 1 at best
        monkeypatch.setattr(compression, "_MAX_RATIO", 100)
    (tmp_path / "a").write_bytes(packed)
    (file,) = list_files(["a"], base=tmp_path)
    with pytest.raises(UnreadableFileError, match=r"^decompression bomb: a grew"):
        read_whole(file)


def test_a_git_lfs_pointer_is_refused_by_every_reading(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    (file,) = list_files(["a.gz"], base=tmp_path)
    for reading in (open_raw, open_decompressed, read_whole):
        with pytest.raises(UnreadableFileError, match=r"^git lfs pointer: a.gz .*git lfs pull"):
            reading(file)


def test_plain_bytes_pass_through(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\x1f plain")
    (file,) = list_files(["a"], base=tmp_path)
    assert read_whole(file) == b"\x1f plain"
    assert compression.decompressed(io.BytesIO(b""), "empty").read() == b""


def test_a_store_that_cannot_be_reached_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise RuntimeError("no route to host")

    monkeypatch.setattr(fsspec.get_filesystem_class("memory"), "isfile", unreachable)
    with pytest.raises(ValueError, match=r"could not be listed \(RuntimeError: no route"):
        list_files(["memory://far"], base=Path("/"))
