"""Data sets of Hugging Face and Kaggle: what their cards say, which files are wanted or missing."""

import json
import sys
import types
from pathlib import Path

import fsspec
import pytest

from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import list_files
from llm_data_assets.sources.formats import companions, read_documents
from llm_data_assets_tests.sources import fixtures_code


def read(folder: Path, name: str, **options: object) -> tuple[list[Document], list[str]]:
    """The documents and the rejects' errors of a whole folder."""
    documents, errors = [], []
    for file in list_files([folder.name], base=folder.parent):
        for record in read_documents(name, file, options):
            if isinstance(record, Document):
                documents.append(record)
            else:
                errors.append(record.error)
    return documents, errors


def card(folder: Path, front: str) -> Path:
    """A data set with this card and two files of one row."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(f"---\n{front}\n---\n# Data\n")
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / "train.jsonl").write_text('{"text": "of train"}\n')
    (folder / "data" / "dev.csv").write_text("text\nof dev\n")
    return folder


def test_a_card_says_licence_language_config_and_split(tmp_path: Path) -> None:
    documents, errors = read(fixtures_code.hf_dataset(tmp_path), "hf_dataset")
    assert {(each.license, each.language) for each in documents} == {("CC-BY-4.0", "en")}
    assert [(each.text, each.meta) for each in documents] == [
        ("three", {"config": "small", "split": "of its own"}),  # a column comes before the card
        ("one", {"config": "small", "split": "train"}),
        ("two", {"config": "small", "split": "train"}),
    ]
    assert [error.split(":")[0] for error in errors] == ["missing resource", "git lfs pointer"]
    assert "hub/README.md lists data/small/more.jsonl (small, test), not there" in errors[0]


@pytest.mark.parametrize(
    ("options", "texts", "reasons"),
    [
        ({"config": "small"}, ["three", "one", "two"], ["missing resource"]),
        ({"config": "small", "split": "train"}, ["one", "two"], []),
        ({"split": "test"}, ["three"], ["missing resource"]),
        ({"config": "large"}, [], ["git lfs pointer"]),
        ({"config": "medium"}, [], ["no such config"]),
    ],
)
def test_a_config_and_a_split_can_be_chosen(
    tmp_path: Path, options: dict[str, str], texts: list[str], reasons: list[str]
) -> None:
    documents, errors = read(fixtures_code.hf_dataset(tmp_path), "hf_dataset", **options)
    assert [each.text for each in documents] == texts
    assert [error.split(":")[0] for error in errors] == reasons


def test_without_configs_a_split_follows_from_the_name(tmp_path: Path) -> None:
    documents, errors = read(card(tmp_path / "hub", "license: mit"), "hf_dataset")
    assert errors == []
    assert {each.text: each.meta["split"] for each in documents} == {
        "of train": "train",
        "of dev": "validation",
    }


@pytest.mark.parametrize(
    ("front", "license", "language"),
    [
        ("license: apache-2.0\nlanguage: zh", "Apache-2.0", "zh"),
        ("license: [mit]\nlanguage: [en, zh]", "MIT", None),
        ("license: [cc-by-4.0, odc-by]", "NOASSERTION", None),
        ("license: other\nlicense_name: ours", None, None),
        ("license: 5\nlanguage: {a: b}\nconfigs: [1, {data_files: {a: b}}]", None, None),
        ("- a list", None, None),
    ],
)
def test_what_cards_say_of_licence_and_language(
    tmp_path: Path, front: str, license: str | None, language: str | None
) -> None:
    documents, errors = read(card(tmp_path / "hub", front), "hf_dataset")
    assert errors == []
    assert {(each.license, each.language) for each in documents} == {(license, language)}


@pytest.mark.parametrize("front", ["license: [", "a: !!python/object/apply:os.system [ls]"])
def test_a_broken_card_costs_itself_and_runs_nothing(tmp_path: Path, front: str) -> None:
    documents, errors = read(card(tmp_path / "hub", front), "hf_dataset")
    assert len(documents) == 2
    assert [error.split(":")[0] for error in errors] == ["broken card"]


def test_a_card_of_laughs_takes_no_memory(tmp_path: Path) -> None:
    levels = ["a0: &a0 [x]"] + [
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 20)
    ]
    documents, errors = read(card(tmp_path / "hub", "\n".join(levels)), "hf_dataset")
    assert (len(documents), errors) == (2, [])


def test_a_card_cannot_point_out_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.jsonl").write_text('{"text": "secret"}\n')
    front = "configs: [{config_name: a, data_files: ../secret.jsonl}]"
    documents, errors = read(card(tmp_path / "hub", front), "hf_dataset")
    assert "secret" not in [each.text for each in documents]
    assert [error.split(":")[0] for error in errors] == ["missing resource"]


def test_a_readme_among_the_data_is_no_card(tmp_path: Path) -> None:
    root = card(tmp_path / "hub", "license: mit\nconfigs: [{config_name: a, data_files: data/*}]")
    (root / "data" / "README.md").write_text("# How the data came to be\n")
    documents, errors = read(root, "hf_dataset", config="a")
    assert ({each.license for each in documents}, len(documents), errors) == ({"MIT"}, 2, [])


def test_a_loading_script_and_a_picture_are_named(tmp_path: Path) -> None:
    root = card(tmp_path / "hub", "license: mit")
    (root / "hub.py").write_text("raise SystemExit\n")
    (root / "a.png").write_bytes(b"\x89PNG")
    documents, errors = read(root, "hf_dataset")
    assert len(documents) == 2
    assert sorted(error.split(":")[0] for error in errors) == ["loading script", "no reader"]


def test_a_json_array_and_a_compressed_file(tmp_path: Path) -> None:
    import gzip

    root = card(tmp_path / "hub", "license: mit")
    (root / "data" / "test.json").write_text('\n[{"text": "a"}, {"text": "b"}]')
    (root / "data" / "test2.jsonl.gz").write_bytes(gzip.compress(b'{"text": "c"}\n'))
    documents, errors = read(root, "hf_dataset", split="test")
    assert ([each.text for each in documents], errors) == (["a", "b"], [])
    assert len(read(root, "hf_dataset")[0]) == 5


def test_a_data_set_behind_a_url() -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe(
        {
            "/hub/README.md": b"---\nlicense: mit\nconfigs:\n- data_files: data/*.jsonl\n"
            b"- data_files: gone.csv\n---\n",
            "/hub/data/a.jsonl": b'{"text": "far away"}\n',
        }
    )
    try:
        files = list_files(["memory://hub"], base=Path("/"))
        records = [each for file in files for each in read_documents("hf_dataset", file, {})]
    finally:
        memory.rm("/hub", recursive=True)
    (document,) = [each for each in records if isinstance(each, Document)]
    assert (document.text, document.license) == ("far away", "MIT")
    assert [each.error.split(":")[0] for each in records if isinstance(each, Reject)] == [
        "missing resource"
    ]


def test_a_data_files_companion_is_its_card_and_a_cards_are_its_files(tmp_path: Path) -> None:
    root = fixtures_code.hf_dataset(tmp_path)
    files = {file.uri: file for file in list_files([root.name], base=tmp_path)}
    beside = {
        uri: [each.uri for each in companions("hf_dataset", file)] for uri, file in files.items()
    }
    assert beside["hub/data/small/test.jsonl"] == ["hub/README.md"]
    assert "hub/data/small/test.jsonl" in beside["hub/README.md"]


def test_kaggle_says_licence_address_and_what_is_missing(tmp_path: Path) -> None:
    documents, errors = read(fixtures_code.kaggle(tmp_path), "kaggle", id="id")
    assert [(each.text, each.license, each.native_id) for each in documents] == [
        ("one", "CC0-1.0", "1"),
        ("two", "CC0-1.0", "2"),
    ]
    assert documents[0].url == "https://www.kaggle.com/datasets/owner/a-data-set"
    assert documents[0].meta == {"resource": "data.csv"}
    assert errors == [
        "missing resource: kaggle/dataset-metadata.json lists absent.csv, which is not there"
    ]


def test_kaggles_real_layout(shared_data: Path) -> None:
    documents, errors = read(shared_data / "kaggle", "kaggle", text="question", id="id")
    assert len(documents) == 1_000
    assert {each.license for each in documents} == {"MIT"}
    assert documents[0].native_id == "problem_198"
    assert len(errors) == 1
    assert "sample_eval.jsonl" in errors[0]


@pytest.mark.parametrize(
    ("metadata", "reasons"),
    [
        ("{", ["broken metadata"]),
        ("[]", ["broken metadata"]),
        (json.dumps({"licenses": "MIT", "resources": [5, {"path": 7}, {"name": "x"}]}), []),
        (json.dumps({"resources": [{"path": "../../etc/passwd"}]}), ["missing resource"]),
    ],
)
def test_broken_metadata_costs_itself(tmp_path: Path, metadata: str, reasons: list[str]) -> None:
    root = fixtures_code.kaggle(tmp_path)
    (root / "dataset-metadata.json").write_text(metadata)
    documents, errors = read(root, "kaggle")
    assert [each.text for each in documents] == ["one", "two"]
    assert [error.split(":")[0] for error in errors] == reasons


def test_a_kaggle_address_is_what_its_client_keeps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept"
    (kept / "deep").mkdir(parents=True)
    (kept / "deep" / "a.csv").write_text("text\nhello\n")
    asked: list[str] = []
    client = types.SimpleNamespace(
        dataset_download=lambda handle: asked.append(handle) or str(kept)
    )
    monkeypatch.setitem(sys.modules, "kagglehub", client)
    (file,) = list_files(["kaggle://owner/name"], base=tmp_path)
    assert (file.uri, asked) == ("kaggle://owner/name/deep/a.csv", ["owner/name"])
    assert Path(file.path).read_text() == "text\nhello\n"
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(ValueError, match=r"llm_data_assets\[hubs\]"):
        list_files(["kaggle://owner/name"], base=tmp_path)
