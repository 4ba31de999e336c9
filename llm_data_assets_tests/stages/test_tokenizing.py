"""The tokenizer, its report and the checks of token ids, in a workspace."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from llm_data_assets.config.digest import digest
from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace, open_workspace
from llm_data_assets.lake.schemas import (
    SEQUENCES,
    TOKENIZED_CORPUS,
    TOKENIZER,
    TOKENIZER_REPORT,
)
from llm_data_assets.lake.shard_files import ShardFile
from llm_data_assets.planning.vocabulary import vocabulary_range
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import Materialised, lake_of, materialise
from llm_data_assets.stages.run_checks import IDS_IN_VOCABULARY, SEQUENCE_LENGTHS
from llm_data_assets.stages.stage import Context, Partition
from llm_data_assets.tokens.tokenizer import train
from llm_data_assets_tests.conftest import sentence
from llm_data_assets_tests.stages.test_whole_flow import materialise_all
from llm_data_assets_tests.tokens.test_given import PATTERN, ranks, tokenizer_json


def changed(workspace: Workspace, old: str, new: str) -> Workspace:
    """The workspace with another line in its pipeline."""
    path = workspace.pipeline.path
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    return open_workspace(workspace.home, workspace.catalog.path, path)


TRAINED = "tokenizer: {vocab_size: 400, sample_mb: 1}"


def through(last: str, workspace: Workspace) -> Materialised:
    """Every stage up to this one; returns what the last did."""
    for name in list(STAGES)[: list(STAGES).index(last) + 1]:
        for partition in STAGES[name].partitions(workspace):
            done = materialise(STAGES[name], partition, workspace)
    return done


def tokenize(workspace: Workspace) -> dict[str, Materialised]:
    return {
        name: materialise(STAGES[name], partition, workspace)
        for name in ("tokenizer", "tokenized_corpus", "tokenizer_report")
        for partition in STAGES[name].partitions(workspace)
    }


def test_the_report_adds_up_and_compares_sizes(small_workspace: Workspace) -> None:
    workspace = changed(
        small_workspace,
        "sample_mb: 1}",
        "sample_mb: 1, compare_vocab_sizes: [350, 500]}\nplan: {params: 2.87B}",
    )
    through("tokenizer_report", workspace)
    lake = lake_of(workspace)
    rows = lake.read(TOKENIZER_REPORT).to_pylist()
    tokens = {row["source"] or row["scope"]: row["value"] for row in rows
              if row["metric"] == "tokens" and row["scope"] in ("corpus", "source")}  # fmt: skip
    stored = lake.read(TOKENIZED_CORPUS, None, ["source", "n_tokens"]).group_by("source")
    by_source = {
        row["source"]: row["n_tokens_sum"]
        for row in stored.aggregate([("n_tokens", "sum")]).to_pylist()
    }
    assert tokens == by_source | {"corpus": sum(by_source.values())}
    compared = {
        row["vocab_size"]: row["value"]
        for row in rows
        if row["scope"] == "held_out" and row["metric"] == "bytes_per_token"
    }
    assert sorted(compared) == [350, 400, 500]
    assert compared[350] < compared[400] < compared[500]
    assert {row["metric"] for row in rows if row["scope"] == "piece"} >= {"longest"}
    advised = {row["metric"]: row["value"] for row in rows if row["scope"] == "advice"}
    law = vocabulary_range(2.87e9)
    assert advised == {
        "advised_by_isoflop": law.isoflop,
        "advised_by_derivative": law.derivative,
        "advised_by_parametric": law.parametric,
        "for_parameters": 2.87e9,
    }


@pytest.mark.parametrize(
    ("name", "settings", "format"),
    [
        ("given.model", "", "sentencepiece"),
        ("tokenizer.json", ", end_token: '<|end|>'", "tokenizers"),
        ("given.tiktoken", f", pattern: '{PATTERN}'", "tiktoken"),
    ],
)
def test_a_given_tokenizer_of_each_kind(
    small_workspace: Workspace, name: str, settings: str, format: str
) -> None:
    pytest.importorskip("tiktoken", reason="the extra `tokenizers` is not installed")
    made = {
        "given.model": lambda: train([sentence(n) for n in range(20)], vocab_size=400),
        "tokenizer.json": tokenizer_json,
        "given.tiktoken": lambda: ranks(b" th", b"th", b"the"),
    }
    (small_workspace.pipeline.path.parent / name).write_bytes(made[name]())
    done = tokenize(changed(small_workspace, TRAINED, f"tokenizer: {{model: {name}{settings}}}"))
    row = lake_of(small_workspace).read(TOKENIZER).to_pylist()[0]
    assert row["format"] == format and not row["keeps_marks"]
    assert done["tokenized_corpus"].checks["ids_in_vocabulary"].passed
    assert done["tokenizer"].checks["round_trip"].passed == (format != "tokenizers")  # words only


def test_a_broken_given_tokenizer_names_the_line(small_workspace: Workspace) -> None:
    (small_workspace.pipeline.path.parent / "given.model").write_bytes(b"nothing of the kind")
    workspace = changed(small_workspace, TRAINED, "tokenizer: {model: given.model}")
    with pytest.raises(ConfigError, match=r"pipeline\.yaml:2.*not a SentencePiece model"):
        materialise(STAGES["tokenizer"], Partition(), workspace)


def test_ids_out_of_range_and_another_compression_are_noticed(small_workspace: Workspace) -> None:
    through("tokenizer_report", small_workspace)
    lake, partition = lake_of(small_workspace), Partition(source="first")
    context = Context(small_workspace, lake, partition)
    assert IDS_IN_VOCABULARY.evaluate(context).passed
    rows = pq.read_table(lake.files(TOKENIZED_CORPUS, partition.values)[0], partitioning=None)
    foreign = ShardFile("0", "foreign", "ids")
    ids = pa.array([[400]] * rows.num_rows, pa.list_(pa.int32()))
    wrong = rows.set_column(rows.schema.get_field_index("tokens"), "tokens", ids)
    pq.write_table(wrong, lake.folder(TOKENIZED_CORPUS, partition.values) / foreign.name)
    lake.replace_partition(TOKENIZED_CORPUS, partition.values, [foreign])
    found = IDS_IN_VOCABULARY.evaluate(context)
    assert not found.passed and found.samples[0]["largest"] == 400
    coarser = changed(small_workspace, "vocab_size: 400", "vocab_size: 320")
    done = tokenize(coarser)
    assert not done["tokenized_corpus"].checks["bytes_per_token"].passed


def test_windows_with_overlap_go_through_plan_and_export(small_workspace: Workspace) -> None:
    workspace = changed(
        small_workspace,
        "sequence_length: 64,",
        "sequence_length: 64, packing: window, overlap: 16,",
    )
    materialise_all(workspace)
    context = Context(workspace, lake_of(workspace), Partition(recipe="small"))
    spans = context.lake.read(SEQUENCES, {"recipe": "small"}).to_pylist()
    assert any(span["start"] == 48 for span in spans)
    assert SEQUENCE_LENGTHS.evaluate(context).passed
    shorter = changed(workspace, "sequence_length: 64,", "sequence_length: 63,")
    found = SEQUENCE_LENGTHS.evaluate(Context(shorter, context.lake, context.partition))
    assert not found.passed and found.samples[0]["tokens"] == 64


def test_an_overlap_without_windows_is_refused(small_workspace: Workspace) -> None:
    with pytest.raises(ConfigError, match="overlap of 16"):
        changed(small_workspace, "sequence_length: 64,", "sequence_length: 64, overlap: 16,")


def test_a_plan_with_a_bound_on_dates_depends_on_the_dates(small_workspace: Workspace) -> None:
    bounded = changed(
        small_workspace,
        "sequence_length: 64,",
        "sequence_length: 64, bounds: [{since: 2020-01-01, max: 0.4}],",
    )
    before = digest(STAGES["mixture_plan"].settings(bounded, Partition(recipe="small")))
    catalog = bounded.catalog.path
    catalog.write_text(
        catalog.read_text().replace("priority: 0", "priority: 0\n    date: 2021-05-01")
    )
    dated = open_workspace(bounded.home, catalog, bounded.pipeline.path)
    assert digest(STAGES["mixture_plan"].settings(dated, Partition(recipe="small"))) != before


def test_a_source_without_a_token_is_named(small_workspace: Workspace) -> None:
    source = small_workspace.catalog.path.parent / "second.jsonl"
    source.write_text('{"id": "short", "text": "too short"}\n')
    done = through("tokenizer_report", small_workspace)
    assert done.checks["every_source_has_tokens"].samples == [{"source": "second"}]
