"""A licence or a card is looked for in the file's folder and above it, within what a uri names."""

from pathlib import Path

import pytest

from llm_data_assets.sources.code_file import is_license_file
from llm_data_assets.sources.files import list_files
from llm_data_assets.sources.nearby import below, nearest
from llm_data_assets_tests.sources.fixtures_code import MIT
from llm_data_assets_tests.sources.reading import read


def tree(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(MIT if is_license_file(name) else "x = 1\n")
    return folder


def found(base: Path, uri: str) -> list[str]:
    (file,) = list_files([uri], base=base)
    return [each.uri for each in nearest(file, is_license_file)]


@pytest.mark.parametrize(
    ("uri", "licenses"),
    [
        ("top/a/b/m.py", ["top/a/COPYING", "top/a/LICENSE"]),
        ("top/c/m.py", ["top/LICENSE"]),
        ("top/c/vendor/x/m.py", []),
        ("top/c/vendor/y/m.py", ["top/c/vendor/y/LICENSE"]),
        ("out/m.py", []),
        ("m.py", ["LICENSE"]),
        ("../{name}/out/m.py", []),
    ],
)
def test_the_nearest_one_within_the_uri(tmp_path: Path, uri: str, licenses: list[str]) -> None:
    tree(
        tmp_path, "LICENSE", "top/LICENSE", "top/a/LICENSE", "top/a/COPYING", "top/a/b/m.py",
        "top/c/m.py", "top/c/vendor/x/m.py", "top/c/vendor/y/m.py", "top/c/vendor/y/LICENSE",
        "out/m.py", "m.py",
    )  # fmt: skip
    if "{name}" in uri:
        # The uri names the folder of the catalog itself, and so its licence.
        licenses = [f"../{tmp_path.name}/LICENSE"]
    assert found(tmp_path, uri.replace("{name}", tmp_path.name)) == licenses


def test_a_placeholder_is_the_top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path, "LICENSE", "tree/a/m.py")
    monkeypatch.setenv("TREE", str(tmp_path / "tree"))
    assert found(tmp_path, "${TREE}/a/m.py") == []


def test_a_licence_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    tree(tmp_path, "secret/LICENSE", "tree/m.py")
    (tmp_path / "tree" / "LICENSE").symlink_to(tmp_path / "secret" / "LICENSE")
    assert found(tmp_path, "tree/m.py") == []


def test_a_licence_file_decides_for_the_files_below_it(tmp_path: Path) -> None:
    path = tree(tmp_path, "LICENSE", "m.py") / "m.py"
    (document,), _ = read(path, "source_tree")
    assert (document.license, document.meta["license_from"]) == ("MIT", "license file")
    (tmp_path / "LICENSE").write_text("Licensed under the Apache License, Version 2.0\n")
    (document,), _ = read(path, "source_tree")
    assert document.license == "Apache-2.0"


@pytest.mark.parametrize(
    ("glob", "names"),
    [
        ("data/a-*.txt", ["top/data/a-1.txt", "top/data/a-2.txt"]),
        ("data", ["top/data/a-1.txt", "top/data/a-2.txt", "top/data/b/c.txt"]),
        ("data/**/c.txt", ["top/data/b/c.txt"]),
        ("nothing", []),
        ("../secret.txt", []),
        ("/etc/passwd", []),
        ("data/link.txt", []),
    ],
)
def test_what_a_card_names_lies_below_it(tmp_path: Path, glob: str, names: list[str]) -> None:
    tree(tmp_path, "top/card", "top/data/a-1.txt", "top/data/a-2.txt", "top/data/b/c.txt",
         "secret.txt")  # fmt: skip
    (tmp_path / "top/data/link.txt").symlink_to(tmp_path / "secret.txt")
    (file,) = list_files(["top/card"], base=tmp_path)
    assert [each.uri for each in below(file, glob)] == names
