"""Code and packages: what a file is written in, and under which licence."""

import sysconfig
from pathlib import Path

import pytest

from llm_data_assets.sources.document import Document
from llm_data_assets.sources.files import list_files
from llm_data_assets.sources.formats import read_documents
from llm_data_assets_tests.sources.reading import read, reasons


def written(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("line", "license"),
    [
        ("# SPDX-License-Identifier: MIT", "MIT"),
        ("/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */",
         "GPL-2.0-only WITH Linux-syscall-note"),
        ("<!-- SPDX-License-Identifier: CC-BY-4.0 -->", "CC-BY-4.0"),
        ("// SPDX-License-Identifier: (MIT OR Apache-2.0)\r", "(MIT OR Apache-2.0)"),
        ("# SPDX-License-Identifier:", None),
        ("# Licensed under the MIT licence", None),
    ],
)  # fmt: skip
def test_the_licence_a_file_states(tmp_path: Path, line: str, license: str | None) -> None:
    path = written(tmp_path / "a.c", f"first\n{line}\nint main;\n".encode())
    assert read(path, "source_tree")[0][0].license == license


@pytest.mark.parametrize(
    ("name", "language"),
    [("a.py", "Python"), ("B.H", "C"), ("x.tsx", "TSX"), ("Makefile", "Makefile"),
     ("CMakeLists.txt", "CMake"), ("notes.txt", "Text"), ("LICENSE", None)],
)  # fmt: skip
def test_the_language_a_file_is_written_in(tmp_path: Path, name: str, language: str | None) -> None:
    path = written(tmp_path / name, b"x")
    assert read(path, "source_tree")[0][0].meta["programming_language"] == language


def test_python_says_its_own_encoding(tmp_path: Path) -> None:
    source = "# -*- coding: koi8-r -*-\nприветствие = 'привет'\n"
    path = written(tmp_path / "a.py", source.encode("koi8-r"))
    (document,), _ = read(path, "source_tree")
    assert document.text == source
    assert document.meta["encoding"] == "koi8-r"


def test_a_wide_file_is_text(tmp_path: Path) -> None:
    (document,), _ = read(written(tmp_path / "a.sql", "SELECT 'é'".encode("utf-16")), "source_tree")
    assert document.text == "SELECT 'é'"


def test_a_large_file_is_a_reject(tmp_path: Path) -> None:
    path = written(tmp_path / "a.js", b"x" * 101)
    assert reasons(read(path, "source_tree", max_bytes=100)[1]) == ["too large"]
    assert len(read(path, "source_tree", max_bytes=101)[0]) == 1


@pytest.mark.parametrize(
    ("uri", "identifier"),
    [
        ("${TREE}/pkg/a.py", "pkg/a.py"),
        ("tree/pkg/a.py", "tree/pkg/a.py"),
        ("../{name}/tree/pkg/a.py", "{name}/tree/pkg/a.py"),
    ],
)
def test_a_file_is_named_by_its_place_in_the_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uri: str, identifier: str
) -> None:
    written(tmp_path / "tree/pkg/a.py", b"x = 1\n")
    monkeypatch.setenv("TREE", str(tmp_path / "tree"))
    (file,) = list_files([uri.replace("{name}", tmp_path.name)], base=tmp_path)
    (document,) = read_documents("source_tree", file, {})
    assert isinstance(document, Document)
    assert document.native_id == identifier.replace("{name}", tmp_path.name)


METADATA = (
    "Metadata-Version: 2.4\nName: some-package\nVersion: 1.2\nSummary: Does things.\n"
    "Home-page: https://example.org\n{more}\n\nIts description, größer.\n"
)


@pytest.mark.parametrize(
    ("more", "license"),
    [
        ("License-Expression: MIT AND BSD-3-Clause", "MIT AND BSD-3-Clause"),
        ("License: Apache 2.0", "Apache-2.0"),
        ("License: BSD-2-Clause", "BSD-2-Clause"),
        ("License: see file\nClassifier: License :: OSI Approved :: MIT License", "MIT"),
        ("Classifier: License :: Other/Proprietary License", None),
        ("Classifier: License :: OSI Approved\nClassifier: Topic :: MIT License", None),
        ("Author: x", None),
    ],
)
def test_a_package_names_its_licence_in_three_ways(
    tmp_path: Path, more: str, license: str | None
) -> None:
    path = tmp_path / "some_package-1.2.dist-info/METADATA"
    written(path, METADATA.format(more=more).encode())
    (document,), _ = read(path, "python_packages")
    assert document.license == license
    assert document.text == "Its description, größer."
    assert (document.native_id, document.title) == ("some-package/METADATA", "some-package 1.2")
    assert document.url == "https://example.org"
    assert document.meta["summary"] == "Does things."


def test_a_licence_text_belongs_to_its_package(tmp_path: Path) -> None:
    folder = tmp_path / "some_package-1.2.dist-info"
    written(folder / "METADATA", METADATA.format(more="License-Expression: MIT").encode())
    path = written(folder / "licenses/vendor/LICENSE", b"Permission is hereby granted")
    (document,), _ = read(path, "python_packages")
    assert document.text == "Permission is hereby granted"
    assert document.native_id == "some-package/licenses/vendor/LICENSE"
    assert document.license == "MIT"


def test_a_description_may_stand_in_a_header(tmp_path: Path) -> None:
    path = tmp_path / "p-1.dist-info/METADATA"
    written(path, b"Name: p\nVersion: 1\nDescription: One.\n        Two.\n       |Three.\n")
    assert read(path, "python_packages")[0][0].text == "One.\nTwo.\nThree."
    written(path, b"Name: p\nVersion: 1\nDescription: UNKNOWN\n")
    assert read(path, "python_packages")[0][0].text == ""


def test_a_file_outside_any_package_is_a_reject(tmp_path: Path) -> None:
    path = written(tmp_path / "LICENSE", b"text")
    assert reasons(read(path, "python_packages")[1]) == ["no metadata"]


def test_the_packages_of_this_interpreter_can_be_read() -> None:
    files = list_files(["${PYTHON_PACKAGES}/pytest-*.dist-info/METADATA"], base=Path("/nowhere"))
    (document,) = read_documents("python_packages", files[0], {})
    assert isinstance(document, Document)
    assert document.license == "MIT"
    assert sysconfig.get_path("purelib") not in repr(document)
