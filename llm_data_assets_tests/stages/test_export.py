"""Exports: sharded, resumed, the same bytes, and never half an export under a manifest."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.explain_position import documents_at, place_in_file
from llm_data_assets.lake.catalog import connect
from llm_data_assets.lake.schemas import DOCUMENT_SIGNATURES, TRAINING_EXPORT
from llm_data_assets.lake.temporaries import beside, where
from llm_data_assets.stages import export_files
from llm_data_assets.stages.export_out import export_to
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import lake_of, materialise
from llm_data_assets.stages.stage import Partition
from llm_data_assets.tokens import megatron
from llm_data_assets_tests.conftest import write_small_workspace
from llm_data_assets_tests.stages.test_whole_flow import copied, materialise_all
from llm_data_assets_tests.test_cli import call

RECIPE = Partition(recipe="small")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Everything up to the order of the run, exported in small shards; copied for each test."""
    workspace = write_small_workspace(tmp_path_factory.mktemp("made"))
    text = workspace.pipeline.path.read_text()
    text = text.replace("formats: [megatron, parquet]", "export_shard_mb: 0.002, formats: FORMATS")
    text = text.replace("FORMATS", "[megatron, mds, parquet, jsonl, webdataset]")
    workspace.pipeline.path.write_text(text)
    workspace = reopened(workspace)
    materialise_all(workspace)
    return workspace


@pytest.fixture
def mixed(made: Workspace, tmp_path: Path) -> Workspace:
    """A copy of one's own."""
    return copied(made, tmp_path / "own")


def reopened(workspace: Workspace, home: Path | None = None) -> Workspace:
    return open_workspace(home or workspace.home, workspace.catalog.path, workspace.pipeline.path)


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_all_formats_hold_the_same_run_in_shards(mixed: Workspace) -> None:
    folder = mixed.home / "exports" / "small"
    shards = sorted(folder.glob("megatron/*.bin"))
    assert len(shards) > 2
    tokens = [
        sequence.tolist()
        for shard in shards
        for read in [megatron.read(shard.with_suffix(""))]
        for sequence in (
            read.tokens[start : start + length]
            for start, length in zip(read.pointers // 2, read.lengths, strict=True)
        )
    ]
    table = pq.read_table(sorted(folder.glob("parquet/*.parquet")))
    assert table["input_ids"].to_pylist() == tokens
    assert table["position"].to_pylist() == list(range(len(tokens)))
    manifest = json.loads((folder / "manifest.json").read_text())
    assert {row["file"] for row in manifest["files"]} == {
        f"exports/small/{name}"
        for name in files(folder)
        if not name.endswith(("index.json", "manifest.json"))
    }
    assert manifest["sources"]["first"]["license"] == "CC0-1.0"


def test_what_is_held_out_stands_apart(mixed: Workspace) -> None:
    text = mixed.pipeline.path.read_text()
    mixed.pipeline.path.write_text(text.replace("small: {", "small: {validation_share: 0.4, "))
    workspace = reopened(mixed)
    materialise_all(workspace)
    connection = connect(workspace.home)
    folder = workspace.home / "exports" / "small" / "megatron"
    sides = []
    for place in ("", "validation"):
        found: set[str] = set()
        for file in sorted((folder / place).glob("*.bin")):
            for offset in range(0, file.stat().st_size, 32):  # every sixteenth token
                recipe, position, token = place_in_file(file, offset)
                (row,) = documents_at(connection, recipe, position, token)
                found.add(row["doc_id"])
        sides.append(found)
    train, validation = sides
    assert train and validation and not train & validation
    assert train | validation == {
        row[0] for row in connection.execute("SELECT doc_id FROM tokenized_corpus").fetchall()
    }
    (apart,) = (each for each in STAGES["mixture_plan"].checks if each.name == "splits_apart")
    assert apart.evaluate(_context(workspace)).passed
    make_alike(workspace, min(train), min(validation))
    answer = apart.evaluate(_context(workspace))
    assert not answer.passed
    assert {min(train), min(validation)} == {*answer.samples[0].values()}


def make_alike(workspace: Workspace, *doc_ids: str) -> None:
    """Sign documents as if their texts were one."""
    lake = lake_of(workspace)
    for source in workspace.sources:
        rows = lake.read(DOCUMENT_SIGNATURES, {"source": source}).to_pylist()
        for row in rows:
            if row["doc_id"] in doc_ids:
                row["text_hash"] = bytes(16)
        table = pa.Table.from_pylist(rows, DOCUMENT_SIGNATURES.full_schema)
        file = lake.write_shard(DOCUMENT_SIGNATURES, {"source": source}, "all", "other", [table])
        lake.replace_partition(DOCUMENT_SIGNATURES, {"source": source}, [file])


def test_a_damaged_file_alone_is_written_again(
    mixed: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = mixed.home / "exports" / "small"
    before = files(folder)
    victim = folder / "megatron" / "corpus-00001.bin"
    victim.write_bytes(victim.read_bytes()[::-1])
    assert not STAGES["training_export"].checks[1].evaluate(_context(mixed)).passed
    written: list[str] = []
    original = export_files._write_shard
    monkeypatch.setattr(
        export_files, "_write_shard", lambda task: written.append(task.shard) or original(task)
    )
    materialise(STAGES["training_export"], RECIPE, mixed)
    (shard,) = written
    assert shard.startswith("megatron") and not shard.endswith("000")
    assert files(folder) == before


def test_an_interrupted_export_has_no_manifest_and_goes_on(
    mixed: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = tmp_path / "undisturbed"
    export_to(mixed, "small", "megatron", str(undisturbed))
    original, written = export_files._write_shard, []

    def die_late(task: export_files.Task) -> object:
        if len(written) == 2:
            raise OSError(28, "No space left on device")
        written.append(task.shard)
        return original(task)

    monkeypatch.setattr(export_files, "_write_shard", die_late)
    out = tmp_path / "out"
    with pytest.raises(OSError, match="No space"):
        export_to(mixed, "small", "megatron", str(out))
    assert not (out / "manifest.json").exists()
    monkeypatch.setattr(
        export_files, "_write_shard", lambda task: written.append(task.shard) or original(task)
    )
    export_to(mixed, "small", "megatron", str(out))
    assert written == sorted(set(written))
    assert files(out) == files(undisturbed)


def test_other_weights_and_back_give_the_first_bytes(mixed: Workspace) -> None:
    folder = mixed.home / "exports" / "small"
    before = files(folder)
    text = mixed.pipeline.path.read_text()
    mixed.pipeline.path.write_text(
        text.replace("small: {", "small: {weights: {first: 0.5, second: 0.5}, ")
    )
    materialise_all(reopened(mixed))
    assert files(folder) != before
    mixed.pipeline.path.write_text(text)
    materialise_all(reopened(mixed))
    assert files(folder) == before
    shards = [name for name in before if name.endswith(".bin")]
    assert len(lake_of(mixed).files(TRAINING_EXPORT)) == 5 * len(shards)


def test_the_command_exports_beside_files_of_others_and_leaves_them(
    mixed: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("LLM_DATA_HOME", str(mixed.home))
    monkeypatch.setenv("LLM_DATA_CATALOG", str(mixed.catalog.path))
    monkeypatch.setenv("LLM_DATA_PIPELINE", str(mixed.pipeline.path))
    out = tmp_path / "out"
    others = [out / "thesis.txt", out / "mds" / "notes.txt", out / "own" / "corpus-00000.bin"]
    # What a run beside this one is writing, and what one left that was killed.
    others.append(out / "mds" / f"{beside(Path('corpus-00000')).name}.mds")
    left = out / "mds" / f".corpus-00000-{where()}-{2**22 + 1}-0.tmp.mds"
    ours = [out / "mds" / "corpus-00999.mds", out / "jsonl" / "corpus-00000.jsonl.zst", left]
    for path in others + ours:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("here before")
    code, text = call(capsys, "export", "small", "--format", "mds", "--out", str(out))
    assert code == 0 and text.split()[-1].endswith("manifest.json")
    assert all(path.read_text() == "here before" for path in others)
    assert not any(path.exists() for path in [*ours, out / "jsonl"])
    shards = sorted((out / "mds").glob("corpus-*.mds"))
    assert len(shards) == len(json.loads((out / "mds" / "index.json").read_text())["shards"])
    code, text = call(capsys, "export", "small", "--format", "tfrecord", "--out", str(out))
    assert code == 2 and "Try: one of" in " ".join(text.split())


def test_an_export_to_a_url_ends_with_its_manifest(mixed: Workspace) -> None:
    import fsspec

    sent = export_to(mixed, "small", "jsonl", "memory://bucket/run")
    assert sent[-1] == "memory://bucket/run/manifest.json"
    assert fsspec.filesystem("memory").size("/bucket/run/jsonl/corpus-00000.jsonl.zst") > 0
    assert not (mixed.home / "cache" / "export").exists() or not any(
        (mixed.home / "cache" / "export").iterdir()
    )


@pytest.mark.parametrize(
    ("recipe", "form", "message"),
    [("tiny", "mds", "is no recipe"), ("small", "tfrecord", "is not written. Try: one of")],
)
def test_a_wrong_name_lists_the_right_ones(
    small_workspace: Workspace, recipe: str, form: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        export_to(small_workspace, recipe, form, "out")


def test_without_a_run_the_way_to_one_is_named(small_workspace: Workspace) -> None:
    with pytest.raises(ConfigError, match="llm-data run --to mixed_corpus"):
        export_to(small_workspace, "small", "mds", "out")


def _context(workspace: Workspace) -> export_files.Context:
    return export_files.Context(workspace, lake_of(workspace), RECIPE)
