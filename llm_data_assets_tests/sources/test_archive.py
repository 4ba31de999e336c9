"""Archives are read member by member; what is hostile is refused by name, its neighbours stand."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from llm_data_assets.sources.archive import leaves
from llm_data_assets_tests.sources.fixtures_code import MIT
from llm_data_assets_tests.sources.reading import read, reasons

CODE = b"x = 1\n"


def tar(*members: tuple[str, bytes, bytes], format: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar of (name, type, content); links lead to /etc/passwd."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=format) as archive:
        for name, kind, content in members:
            member = tarfile.TarInfo(name)
            member.type, member.size, member.linkname = kind, len(content), "/etc/passwd"
            archive.addfile(member, io.BytesIO(content))
    return data.getvalue()


def zipped(*members: tuple[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return data.getvalue()


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("name", "compress"),
    [
        ("a.tar", bytes),
        ("a.tar.gz", gzip.compress),
        ("a.tgz", gzip.compress),
        ("a.tar.bz2", bz2.compress),
        ("a.tar.xz", lzma.compress),
        ("a.tar.zst", zstandard.ZstdCompressor().compress),
    ],
)
def test_a_tar_in_any_compression(
    tmp_path: Path, name: str, compress: Callable[[bytes], bytes]
) -> None:
    data = tar(("p/LICENSE", tarfile.REGTYPE, MIT.encode()), ("p/a.py", tarfile.REGTYPE, CODE))
    documents, rejects = read(written(tmp_path / name, compress(data)), "source_tree")
    assert rejects == []
    assert [(each.native_id, each.license) for each in documents] == [
        (f"{name}/p/LICENSE", "MIT"),
        (f"{name}/p/a.py", "MIT"),
    ]
    first = data[documents[1].offset :]
    assert tarfile.TarInfo.frombuf(first[:512], "utf-8", "strict").name == "p/a.py"


@pytest.mark.parametrize(
    "path",
    ["../a", "a/../../b", "/etc/passwd", "a/..", "..\\a", "C:\\a", "\\a", "a\0b"],
)
def test_paths_that_climb_out(path: str) -> None:
    assert leaves(path)


@pytest.mark.parametrize("path", ["a", "a/b..c", "...", "a/.hidden", "./a"])
def test_paths_that_stay(path: str) -> None:
    assert not leaves(path)


def test_a_tars_links_and_devices_are_passed_over(tmp_path: Path) -> None:
    kinds = (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE)
    data = tar(*((f"{number}.py", kind, b"") for number, kind in enumerate(kinds)),
               ("a.py", tarfile.REGTYPE, CODE))  # fmt: skip
    documents, rejects = read(written(tmp_path / "a.tar", data), "source_tree")
    assert ([each.title for each in documents], rejects) == (["a.py"], [])


def test_a_zips_symlink_is_passed_over(tmp_path: Path) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        link = zipfile.ZipInfo("link.py")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("a.py", CODE)
    documents, rejects = read(written(tmp_path / "a.zip", data.getvalue()), "source_tree")
    assert ([each.title for each in documents], rejects) == (["a.py"], [])


@pytest.mark.parametrize("name", ["a.tar", "a.zip"])
def test_a_large_member_costs_itself(tmp_path: Path, name: str) -> None:
    contents = [("big.py", b"x" * 101), ("a.py", CODE)]
    data = (
        zipped(*contents)
        if name == "a.zip"
        else tar(*((path, tarfile.REGTYPE, content) for path, content in contents))
    )
    documents, rejects = read(written(tmp_path / name, data), "source_tree", max_bytes=100)
    assert ([each.title for each in documents], reasons(rejects)) == (["a.py"], ["too large"])


def test_a_bomb_in_a_zip_costs_itself(tmp_path: Path) -> None:
    data = zipped(("bomb.py", b"\n" * (40 << 20)), ("a.py", CODE))
    assert len(data) < 1 << 16
    documents, rejects = read(written(tmp_path / "a.zip", data), "source_tree", max_bytes=1 << 30)
    assert [each.title for each in documents] == ["a.py"]
    assert reasons(rejects) == ["decompression bomb"]


def test_a_zip_of_many_bombs_is_refused_whole(tmp_path: Path) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.py", b"abc\n" * (1 << 18))
        archive.filelist *= 80  # as Fifield's zbsm.zip does: many entries, one content
    documents, rejects = read(written(tmp_path / "a.zip", data.getvalue()), "source_tree")
    assert (documents, reasons(rejects)) == ([], ["decompression bomb"])


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_as_large_as_a_bomb_is_never_read(tmp_path: Path, kind: bytes) -> None:
    header = tarfile.TarInfo("header")
    header.type, header.size = kind, 1 << 33
    data = tar(("a.py", tarfile.REGTYPE, CODE))[:1024] + header.tobuf(tarfile.GNU_FORMAT)
    documents, rejects = read(written(tmp_path / "a.tar", data), "source_tree")
    assert [each.title for each in documents] == ["a.py"]
    assert reasons(rejects) == ["damaged archive"]


def test_a_tar_cut_short_keeps_what_was_read(tmp_path: Path) -> None:
    data = tar(("a.py", tarfile.REGTYPE, CODE), ("b.py", tarfile.REGTYPE, b"y" * 5_000))
    for name, clipped in (
        ("a.tar", data[:3_000]),
        ("a.tar.gz", gzip.compress(data, 0, mtime=0)[:3_000]),
    ):
        documents, rejects = read(written(tmp_path / name, clipped), "source_tree")
        assert [each.title for each in documents] == ["a.py"]
        assert len(rejects) == 1


def test_a_damaged_member_of_a_zip_costs_itself(tmp_path: Path) -> None:
    data = bytearray(zipped(("a.py", b"z = 'abcdef'\n" * 30), ("b.py", CODE)))
    data[40] ^= 0xFF
    documents, rejects = read(written(tmp_path / "a.zip", bytes(data)), "source_tree")
    assert ([each.title for each in documents], reasons(rejects)) == (["b.py"], ["damaged member"])


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz"])
@pytest.mark.parametrize("data", [b"no archive at all", b"PK\x03\x04" + b"\0" * 600])
def test_what_is_no_archive_is_one_reject(tmp_path: Path, name: str, data: bytes) -> None:
    documents, rejects = read(written(tmp_path / name, data), "source_tree")
    assert (documents, reasons(rejects)) == ([], ["damaged archive"])


def test_an_encrypted_member_is_named(tmp_path: Path) -> None:
    data = bytearray(zipped(("a.py", CODE)))
    central = data.index(b"PK\x01\x02")
    data[6] |= 1
    data[central + 8] |= 1
    (reject,) = read(written(tmp_path / "a.zip", bytes(data)), "source_tree")[1]
    assert reject.error == "encrypted: a.py in a.zip needs a password"
