"""Siva archives and the git objects inside: read as dulwich reads them, and damage stays local."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from dulwich.object_format import SHA1
from dulwich.objects import Blob as DulwichBlob
from dulwich.pack import Pack as DulwichPack
from dulwich.pack import (
    PackData,
    load_pack_index_file,
    write_pack_index_v2,
    write_pack_objects,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_data_assets.sources.document import Document
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.formats import read_documents
from llm_data_assets.sources.git_objects import GitError, Pack, tree_entries
from llm_data_assets_tests.sources.fixtures_code import git_object, siva, siva_archive
from llm_data_assets_tests.sources.reading import read, read_bytes, reasons

# Commits, of all branches and pull requests.
GOOD = {
    "aac052c42c501abf6aa8c3509424e837bb27e188.siva": 44,
    "05893125684f2d3943cd84a7ab2b75e53668fba1.siva": 606,
}


KINDS = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}


class Held:
    """A file's bytes in memory."""

    def __init__(self, data: bytes) -> None:
        self._data, self.size = data, len(data)

    def at(self, start: int, length: int) -> bytes:
        return self._data[start : start + length]


def packed(archive: bytes) -> tuple[bytes, bytes]:
    """(index, pack) of a real archive of one block."""
    found = {}
    count, size, _, _ = struct.unpack(">IQQI", archive[-24:])
    index, at = archive[-24 - size : -24], 4
    for _ in range(count):
        (length,) = struct.unpack_from(">I", index, at)
        name = index[at + 4 : at + 4 + length].decode()
        offset, n_bytes = struct.unpack_from(">QQ", index, at + 4 + length + 12)
        found[name.rpartition(".")[2]] = archive[offset : offset + n_bytes]
        at += 4 + length + 36
    return found["idx"], found["pack"]


@pytest.mark.parametrize("name", GOOD)
def test_every_object_of_a_real_pack_is_what_dulwich_reads(shared_data: Path, name: str) -> None:
    index, pack = packed((shared_data / "public-git-archive" / name).read_bytes())
    ours = Pack(index, Held(pack))
    kinds = []
    with DulwichPack.from_objects(
        PackData.from_file(io.BytesIO(pack), object_format=SHA1),
        load_pack_index_file("a.idx", io.BytesIO(index), SHA1),
    ) as theirs:
        for sha in theirs.index:
            offset = ours.offset(bytes.fromhex(sha.decode()))
            assert offset is not None
            kind, content = ours.read(offset, 1 << 30)
            number, expected = theirs.get_raw(sha)
            assert (KINDS[number], expected) == (kind, content)
            kinds.append(kind)
    assert kinds.count("commit") == GOOD[name]
    assert ours.offset(b"\0" * 20) is None


def test_a_file_is_found_again_by_its_offset(shared_data: Path) -> None:
    path = shared_data / "public-git-archive" / next(iter(GOOD))
    archive = path.read_bytes()
    index, pack = packed(archive)
    start = archive.index(pack)
    ours = Pack(index, Held(pack))
    for document in read(path, "siva")[0]:
        _, content = ours.read(document.offset - start, 1 << 20)
        assert content.decode() == document.text


def test_what_a_document_says_of_its_place(shared_data: Path) -> None:
    documents, _ = read(shared_data / "public-git-archive" / next(iter(GOOD)), "siva")
    found = {each.native_id: each for each in documents}
    document = found["github.com/mingrammer/funmath/prime/next_prime.py"]
    assert document.url == "https://github.com/mingrammer/funmath"
    assert (document.license, document.meta["license_from"]) == ("MIT", "license file")
    assert document.created_at == "2017-08-09T01:37:40Z"
    assert document.meta["commit"] == "290440b64a73f5c7ebc5aa4cfedee0a77884e29a"
    assert document.meta["programming_language"] == "Python"
    assert document.text.startswith("def next_prime(n: int) -> int:")


def test_a_fork_adds_only_what_it_changed(tmp_path: Path) -> None:
    documents, rejects = read(siva(tmp_path), "siva")
    assert [(each.native_id, each.license, each.meta["is_fork"]) for each in documents] == [
        ("github.com/o/p/LICENSE", "MIT", False),
        ("github.com/o/p/f.py", "MIT", False),
        ("github.com/q/p/g.py", "MIT", True),
    ]
    assert sorted(reasons(rejects)) == ["path leaves the archive", "too large"]
    assert {each.created_at for each in documents} == {"2020-01-01T00:00:00Z"}


def test_reading_goes_on_from_any_offset(tmp_path: Path) -> None:
    path = siva(tmp_path)
    whole = [*read_documents("siva", SourceFile("a", str(path), 0, ""), {})]
    assert [each.offset for each in whole] == sorted(each.offset for each in whole)
    for start in {each.offset for each in whole}:
        part = [*read_documents("siva", SourceFile("a", str(path), 0, "", start=start), {})]
        assert part == [each for each in whole if each.offset >= start]


def entry(mode: bytes, name: bytes, child: bytes) -> bytes:
    return mode + b" " + name + b"\0" + child


def repository(tree: bytes, objects: dict[str, bytes]) -> bytes:
    content = b"tree %s\ncommitter A <a> 1 +0000\n\nx" % tree.hex().encode()
    commit = git_object(objects, "commit", content).hex().encode()
    return siva_archive([{"HEAD": b"ref: refs/heads/main", "refs/heads/main": commit, **objects}])


def test_links_and_submodules_are_no_files(tmp_path: Path) -> None:
    objects: dict[str, bytes] = {}
    blob = git_object(objects, "blob", b"x = 1\n")
    link = git_object(objects, "blob", b"/etc/passwd")
    tree = git_object(
        objects,
        "tree",
        entry(b"100755", b"a.py", blob) + entry(b"120000", b"l", link)
        + entry(b"160000", b"s", b"\1" * 20),
    )  # fmt: skip
    documents, rejects = read_bytes(tmp_path, repository(tree, objects), "siva")
    assert ([each.title for each in documents], rejects) == (["a.py"], [])


def test_a_path_of_a_tree_cannot_climb_out(tmp_path: Path) -> None:
    objects: dict[str, bytes] = {}
    blob, other = git_object(objects, "blob", b"x"), git_object(objects, "blob", b"y")
    tree = git_object(
        objects, "tree", entry(b"100644", b"..", blob) + entry(b"100644", b"ok", other)
    )
    documents, rejects = read_bytes(tmp_path, repository(tree, objects), "siva")
    assert [each.title for each in documents] == ["ok"]
    assert reasons(rejects) == ["path leaves the repository"]


def test_a_git_bomb_is_a_few_objects(tmp_path: Path) -> None:
    objects: dict[str, bytes] = {}
    child = git_object(objects, "blob", b"one million laughs")
    mode = b"100644"
    for _ in range(10):  # ten levels of ten: 10 to the 10th paths to one file
        names = (b"%d" % number for number in range(10))
        child = git_object(objects, "tree", b"".join(entry(mode, name, child) for name in names))
        mode = b"40000"
    documents, rejects = read_bytes(tmp_path, repository(child, objects), "siva")
    assert ([each.text for each in documents], rejects) == (["one million laughs"], [])


def test_folders_without_end_are_a_reject(tmp_path: Path) -> None:
    objects: dict[str, bytes] = {}
    child = git_object(objects, "tree", entry(b"100644", b"f", git_object(objects, "blob", b"x")))
    for _ in range(300):
        child = git_object(objects, "tree", entry(b"40000", b"d", child))
    documents, rejects = read_bytes(tmp_path, repository(child, objects), "siva")
    assert (documents, reasons(rejects)) == ([], ["nested too deeply"])


def test_an_object_that_lies_about_its_size_costs_itself(tmp_path: Path) -> None:
    objects: dict[str, bytes] = {}
    blob, good = git_object(objects, "blob", b"x" * 99), git_object(objects, "blob", b"good")
    bad = f"objects/{blob.hex()[:2]}/{blob.hex()[2:]}"
    tree = git_object(
        objects, "tree", entry(b"100644", b"bad", blob) + entry(b"100644", b"good", good)
    )
    for stored in (
        zlib.compress(b"blob 9\0" + b"x" * 99),
        zlib.compress(b"blob 999\0" + b"x" * 99),
        zlib.compress(b"blob 99\0" + b"y" * 99),
        zlib.compress(b"tree 99\0" + b"x" * 99),
        zlib.compress(b"blob 99\0" + b"x" * 99)[:-9],
        b"no zlib",
    ):
        damaged = {**objects, bad: stored}
        documents, rejects = read_bytes(tmp_path, repository(tree, damaged), "siva")
        assert [each.text for each in documents] == ["good"]
        assert reasons(rejects) == ["damaged object"]


def test_a_missing_object_costs_itself(tmp_path: Path) -> None:
    objects: dict[str, bytes] = {}
    good = git_object(objects, "blob", b"good")
    tree = git_object(
        objects, "tree",
        entry(b"100644", b"gone", b"\1" * 20) + entry(b"40000", b"lost", b"\2" * 20)
        + entry(b"100644", b"good", good),
    )  # fmt: skip
    documents, rejects = read_bytes(tmp_path, repository(tree, objects), "siva")
    assert [each.text for each in documents] == ["good"]
    assert reasons(rejects) == ["missing object", "missing object"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: data[:-1], "damaged siva"),
        (lambda data: data[:-30] + b"\1" + data[-29:], "damaged siva"),
        (lambda data: data[: len(data) // 2], "damaged siva"),
        (lambda data: b"\0" * 100 + data, "damaged siva"),
        (lambda data: b"no siva", "damaged siva"),
        (lambda data: siva_archive([{"a.txt": b"x"}]), "no repository"),
        (lambda data: siva_archive([{"HEAD": b"ref: refs/heads/none"}]), "no commit"),
        (lambda data: siva_archive([{"HEAD": b"ref: HEAD"}]), "no commit"),
    ],
)
def test_a_damaged_archive_says_so(tmp_path: Path, change, reason: str) -> None:
    good = siva(tmp_path).read_bytes()
    assert reasons(read_bytes(tmp_path, change(good), "siva")[1]) == [reason]


def test_an_entry_with_a_checksum_is_held_to_it(tmp_path: Path) -> None:
    good = siva_archive([{"HEAD": b"ref: refs/heads/main", "config": b""}])
    index = good[:-24].rindex(b"IBA\x01")
    entry_crc = index + 4 + 4 + 4 + 28
    changed = good[:entry_crc] + b"\0\0\0\1" + good[entry_crc + 4 : -4]
    changed += struct.pack(">I", zlib.crc32(changed[index:-20]))
    assert "CRC-32" in read_bytes(tmp_path, changed, "siva")[1][0].error


@settings(max_examples=60)
@given(data=st.data())
def test_deltas_as_dulwich_writes_them(data: st.DataObject) -> None:
    base = data.draw(st.binary(min_size=50, max_size=400)) * data.draw(st.integers(1, 200))
    cut = data.draw(st.integers(0, len(base)))
    texts = {base, base[:cut] + data.draw(st.binary(max_size=60)) + base[cut:], base[cut:]}
    blobs = [DulwichBlob.from_string(text) for text in sorted(texts)]
    stored = io.BytesIO()
    write_pack_objects(
        stored.write, [(each, None) for each in blobs], object_format=SHA1, deltify=True
    )
    pack = stored.getvalue()
    index = io.BytesIO()
    with PackData.from_file(io.BytesIO(pack), object_format=SHA1) as theirs:
        write_pack_index_v2(index, sorted(theirs.iterentries()), theirs.get_stored_checksum())
    ours = Pack(index.getvalue(), Held(pack))
    for blob in blobs:
        offset = ours.offset(bytes.fromhex(blob.id.decode()))
        assert offset is not None
        assert ours.read(offset, 1 << 20) == ("blob", blob.data)


@settings(max_examples=80)
@given(place=st.integers(0, 20_000), value=st.integers(0, 255))
def test_a_changed_byte_costs_at_most_what_it_is_part_of(
    tmp_path_factory: pytest.TempPathFactory, place: int, value: int
) -> None:
    folder = tmp_path_factory.mktemp("siva")
    good = siva(folder).read_bytes()
    place %= len(good)
    whole = {each.text for each in read_bytes(folder, good, "siva")[0]}
    changed = good[:place] + bytes([value]) + good[place + 1 :]
    documents, rejects = read_bytes(folder, changed, "siva")
    assert {each.text for each in documents} <= whole
    assert not any(reason == "reader failed" for reason in reasons(rejects))


def test_a_tree_that_is_cut_short() -> None:
    with pytest.raises(GitError, match="cut short"):
        list(tree_entries(b"100644 name\0too short"))


def test_the_order_of_documents_is_that_of_the_archive(shared_data: Path) -> None:
    for name in GOOD:
        path = shared_data / "public-git-archive" / name
        records = list(read_documents("siva", SourceFile(name, str(path), 0, ""), {}))
        assert all(isinstance(each, Document) for each in records)
        offsets = [each.offset for each in records]
        assert offsets == sorted(offsets)
