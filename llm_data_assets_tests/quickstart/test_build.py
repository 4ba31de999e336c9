"""The embedded files are what their builder makes, in the layouts of their publishers."""

import bz2
import gzip
import json
import re
import zipfile
from pathlib import Path

import pytest
import yaml

from llm_data_assets.config.workspace import quickstart_folder
from llm_data_assets_tests.conftest import PROJECT
from llm_data_assets_tests.quickstart.build import build
from llm_data_assets_tests.quickstart.prose import article

FILES = quickstart_folder() / "files"


def plain(path: Path) -> bytes:
    """Content without compression: compressed bytes depend on the version of zlib."""
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    if path.suffix == ".bz2":
        return bz2.decompress(path.read_bytes())
    if path.suffix == ".epub":
        with zipfile.ZipFile(path) as archive:
            return b"".join(name.encode() + archive.read(name) for name in archive.namelist())
    return path.read_bytes()


def test_building_again_gives_the_same_content(tmp_path: Path) -> None:
    build(tmp_path)
    built = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()}
    there = {path.relative_to(FILES) for path in FILES.rglob("*") if path.is_file()}
    assert built == there
    for name in built:
        mine, theirs = plain(tmp_path / name), plain(FILES / name)
        if name.name == "web.warc.gz":  # holds a compressed payload
            mine, theirs = mine[: mine.rindex(b"WARC/1.0")], theirs[: theirs.rindex(b"WARC/1.0")]
        assert mine == theirs, name


def test_the_corpus_is_small() -> None:
    assert sum(path.stat().st_size for path in FILES.rglob("*") if path.is_file()) < 1_000_000


def test_articles_are_no_near_duplicates_of_one_another() -> None:
    texts = [article(number)[1].split() for number in range(0, 110)]
    shingles = [{tuple(words[i : i + 5]) for i in range(len(words) - 4)} for words in texts]
    for place, left in enumerate(shingles):
        for right in shingles[:place]:
            assert len(left & right) / len(left | right) < 0.6


def test_personal_data_is_reserved_for_examples() -> None:
    text = "".join(plain(path).decode("utf-8", "replace") for path in FILES.rglob("web*"))
    domains = set(re.findall(r"@([a-z.]+\.[a-z]+)", text))
    assert all(domain.endswith(("example.org", "example.net")) for domain in domains)
    assert json.loads((FILES / "chat.json").read_text(encoding="utf-8"))


def test_the_docs_list_every_planted_defect() -> None:
    planted = yaml.safe_load((quickstart_folder() / "planted.yaml").read_text(encoding="utf-8"))
    page = (PROJECT / "docs" / "planted_defects.md").read_text(encoding="utf-8")
    missing = [each["id"] for each in planted if f"`{each['id']}`" not in page]
    assert missing == []


@pytest.mark.parametrize("name", ["web.warc.gz", "web.warc.wet.gz"])
def test_each_record_is_a_gzip_member_of_its_own(name: str) -> None:
    assert (FILES / name).read_bytes().count(b"\x1f\x8b\x08") >= 30
