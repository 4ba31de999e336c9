"""Exports of whole catalogs, opened by each format's own reader, and followed to the source byte.

Megatron's layout is read here from its definition alone; its package asks for torch.
"""

import gzip
import io
import itertools
import json
import struct
from pathlib import Path

import numpy as np
import polars
import pyarrow.parquet as pq
import pytest
import sentencepiece
import zstandard

from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.explain import explain_document
from llm_data_assets.explain_position import documents_at, place_in_file
from llm_data_assets.lake.catalog import connect
from llm_data_assets_tests.stages.test_whole_flow import materialise_all, quickstart_workspace

pytestmark = pytest.mark.slow  # two whole catalogs
FORMATS = "[megatron, mds, parquet, jsonl, webdataset]"
SHARED = """sources:
  c4: {{format: c4, uris: ['{data}/c4/*.json.gz'], license: ODC-By-1.0, date: 2019-04-25}}
  answers: {{format: jsonl, uris: ['{data}/pile/redpajama-pile-stackexchange-refined.jsonl']}}
  alice: {{format: gutenberg, uris: ['{data}/books/pg11/11-0.txt'], license: PDDL-1.0}}
"""
PIPELINE = f"""rules: [clean]
tokenizer: {{vocab_size: 2000, sample_mb: 1}}
checks: {{max_reject_share: 1.0, max_duplicate_share: 1.0, max_rule_share: 1.0}}
recipes:
  run:
    {{sequence_length: 256, export_shard_mb: 0.2, bounds: [{{before: 2020-01-01, max: 0.8}}],
     formats: {FORMATS}}}
"""


@pytest.fixture(scope="module", params=["demo", "shared"])
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A whole catalog in every format: the embedded one, and one of real files."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "demo":
        workspace = quickstart_workspace(folder / "w", "{workers: 1}")
        pipeline = workspace.pipeline.path
        text = pipeline.read_text().replace("formats: [megatron, parquet]", f"formats: {FORMATS}")
        pipeline.write_text(text.replace("  demo:\n", "  run:\n    export_shard_mb: 0.2\n"))
        workspace = open_workspace(workspace.home, workspace.catalog.path, pipeline)
    else:
        data = request.getfixturevalue("shared_data")
        (folder / "catalog.yaml").write_text(SHARED.format(data=data.resolve()))
        (folder / "pipeline.yaml").write_text(PIPELINE)
        places = (folder / "home", folder / "catalog.yaml", folder / "pipeline.yaml")
        workspace = open_workspace(*places)
    materialise_all(workspace)
    return workspace


def shards(workspace: Workspace, pattern: str) -> list[Path]:
    return sorted((workspace.home / "exports" / "run").glob(pattern))


def megatron_sequences(prefix: Path) -> list[list[int]]:
    """What an IndexedDataset of version 1 holds."""
    index = prefix.with_suffix(".idx").read_bytes()
    magic, version, code, sequences, documents = struct.unpack_from("<9sQBQQ", index)
    assert (magic, version, documents) == (b"MMIDIDX\x00\x00", 1, sequences + 1)
    lengths = np.frombuffer(index, "<i4", sequences, 34)
    pointers = np.frombuffer(index, "<i8", sequences, 34 + 4 * sequences)
    data = prefix.with_suffix(".bin").read_bytes()
    kind = {8: "<u2", 4: "<i4"}[code]
    return [
        np.frombuffer(data, kind, length, start).tolist()
        for length, start in zip(lengths.tolist(), pointers.tolist(), strict=True)
    ]


@pytest.fixture(scope="module")
def run(exported: Workspace) -> list[list[int]]:
    """The sequences of the run in order, as the Megatron files have them."""
    bins = shards(exported, "megatron/*.bin")
    assert len(bins) > 1
    return [each for path in bins for each in megatron_sequences(path)]


def test_parquet_opens_with_arrow_and_polars(exported: Workspace, run: list[list[int]]) -> None:
    paths = shards(exported, "parquet/*.parquet")
    assert pq.read_table(paths)["input_ids"].to_pylist() == run
    assert polars.read_parquet(paths)["input_ids"].to_list() == run


def test_json_lines_open_with_polars(exported: Workspace, run: list[list[int]]) -> None:
    opened = [
        polars.read_ndjson(io.BytesIO(zstandard.ZstdDecompressor().stream_reader(file).read()))
        for file in (path.read_bytes() for path in shards(exported, "jsonl/*.zst"))
    ]
    assert polars.concat(opened)["input_ids"].to_list() == run


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it closes late
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_tar_shards_open_with_webdataset(exported: Workspace, run: list[list[int]]) -> None:
    package = pytest.importorskip("webdataset", reason="webdataset is not installed")
    paths = [str(path) for path in shards(exported, "webdataset/*.tar")]
    samples = list(package.WebDataset(paths, shardshuffle=False).decode())
    assert [sample["tokens.npy"].tolist() for sample in samples] == run
    assert [sample["json"]["position"] for sample in samples] == list(range(len(run)))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it closes late
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_mds_opens_with_streaming(exported: Workspace, run: list[list[int]]) -> None:
    streaming = pytest.importorskip(
        "streaming", reason="mosaicml-streaming is not installed (it needs torch)"
    )
    opened = streaming.LocalDataset(str(exported.home / "exports" / "run" / "mds"))
    assert [opened[number]["tokens"].tolist() for number in range(len(opened))] == run


def test_every_file_has_the_checksum_of_its_manifest(exported: Workspace) -> None:
    folder = exported.home / "exports" / "run"
    manifest = json.loads((folder / "manifest.json").read_text())
    listed = {exported.home / row["file"] for row in manifest["files"]}
    beside = {folder / "manifest.json", folder / "mds" / "index.json"}
    assert listed == {path for path in folder.rglob("*") if path.is_file()} - beside
    assert manifest["sources"].keys() == set(exported.sources)


def test_tokens_lead_to_the_text_and_its_bytes_and_back(
    exported: Workspace, run: list[list[int]]
) -> None:
    """Tokens of every shard are the document's own, whose text lies where its origin says."""
    connection = connect(exported.home)
    model = connection.execute("SELECT model FROM tokenizer").fetchone()
    assert model
    tokenizer = sentencepiece.SentencePieceProcessor(model_proto=model[0])
    told = set()
    for file, part in itertools.product(shards(exported, "megatron/*.bin"), range(5)):
        offset = file.stat().st_size * part // 5
        recipe, position, token = place_in_file(file, offset)
        (place,) = documents_at(connection, recipe, position, token)
        ids = run[position][place["at"] : place["at"] + place["tokens"]]
        row = connection.execute(
            "SELECT text, tokens FROM filtered_corpus JOIN tokenized_corpus USING (doc_id) "
            "WHERE doc_id = ?",
            [place["doc_id"]],
        ).fetchone()
        assert row
        text, tokens = row
        assert tokens[place["first_token"] :][: len(ids)] == ids
        assert tokenizer.decode(tokens[:-1]) == text
        passport = explain_document(connection, place["doc_id"])
        assert passport
        assert position in passport["positions"][0]["positions"]
        if place["source"] == "c4":
            assert text_at(exported, passport["document"]["origin"]) == raw_text(
                connection, place["doc_id"]
            )
        told.add(place["source"])
    assert "c4" in told


def text_at(workspace: Workspace, origin: dict[str, object]) -> str:
    """The text of the JSON line at a document's origin."""
    named = Path(str(origin["file"]))
    path = named if named.is_absolute() else workspace.catalog.path.parent / named
    with gzip.open(path) as stream:
        stream.seek(int(str(origin["offset"])))
        return str(json.loads(stream.readline())["text"])


def raw_text(connection: object, doc_id: str) -> str:
    sql = "SELECT text FROM raw_corpus WHERE doc_id = ?"
    return str(connection.execute(sql, [doc_id]).fetchone()[0])  # type: ignore[attr-defined]
