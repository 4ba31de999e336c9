"""Documents of one meaning: by vectors of a file, of a sentence model, or of shared words."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.schemas import DUPLICATES, VERDICTS
from llm_data_assets.stages.duplicate_audit import MEANING_CONFIRMED
from llm_data_assets.stages.graph import STAGES
from llm_data_assets.stages.materialise import lake_of
from llm_data_assets.stages.stage import Context, Partition
from llm_data_assets.stages.versions import is_fresh
from llm_data_assets_tests.conftest import sentence
from llm_data_assets_tests.stages.test_duplicates import removed, run_up_to, with_dedup

# `a` is equal to `f` and near `e` (`near` goes before meaning); b, c and d stand alone.
WITHOUT = {"e": ("a", "near"), "f": ("a", "exact")}
VECTORS = {"a": [3.0, 0.0], "b": [0.0, 1.0], "c": [2.0, 0.2], "d": [0.1, 5.0], "f": [0.0, 1.0]}


def write_vectors(folder: Path, vectors: dict[str, list[float]]) -> None:
    sources = {"a": "first", "b": "first", "c": "second", "d": "second", "e": "second"}
    ids = [f"{sources.get(name, 'third')}/{name}" for name in vectors]
    table = pa.table({"doc_id": ids, "vector": list(vectors.values())})
    pq.write_table(table, folder / "vectors.parquet")


def by_vectors(folder: Path, max_cosine: float = 0.9) -> Workspace:
    write_vectors(folder, VECTORS)
    asked = f"{{max_cosine: {max_cosine}, vectors: vectors.parquet, clusters: 1}}"
    return with_dedup(folder, f"{{semantic: {asked}}}")


def test_what_resembles_a_document_that_stays_goes_with_its_partner_and_cosine(
    tmp_path: Path,
) -> None:
    workspace = by_vectors(tmp_path)
    run_up_to(workspace, "raw_corpus", "document_signatures", "duplicates", "deduped_corpus")
    found = {
        row["doc_id"]: (row["kept_doc_id"], row["method"], row["similarity"])
        for row in lake_of(workspace).read(DUPLICATES).to_pylist()
    }
    assert found["second/c"] == ("first/a", "semantic", pytest.approx(1 / 1.01**0.5, abs=1e-6))
    assert found["second/d"] == ("first/b", "semantic", pytest.approx(1 / 1.0004**0.5, abs=1e-6))
    assert found.keys() == {"second/c", "second/d", "second/e", "third/f"}
    verdicts = {row["doc_id"]: row for row in lake_of(workspace).read(VERDICTS).to_pylist()}
    assert verdicts["second/c"]["reason"] == "semantic"
    assert verdicts["second/c"]["threshold"] == 0.9
    assert verdicts["second/e"]["threshold"] == 0.8


@pytest.mark.parametrize("by", ["vectors of a file", "shared words"])
def test_removals_by_meaning_are_confirmed_and_a_false_one_is_named(
    tmp_path: Path, by: str
) -> None:
    if by == "shared words":
        reordered = {"id": "d", "text": " ".join(reversed(sentence(2).split()))}
        workspace = with_dedup(tmp_path, "{semantic: {max_cosine: 0.98, clusters: 1}}")
        (tmp_path / "second.jsonl").write_text(json.dumps(reordered), encoding="utf-8")
    else:
        workspace = by_vectors(tmp_path)
    run_up_to(workspace, "raw_corpus", "document_signatures", "duplicates")
    context, lake = Context(workspace, lake_of(workspace), Partition()), lake_of(workspace)
    right = MEANING_CONFIRMED.evaluate(context)
    assert right.passed and right.observed == 1.0
    rows = lake.read(DUPLICATES, {"source": "second"})
    assert f"of {pc.sum(pc.equal(rows['method'], 'semantic')).as_py()} read again" in right.expected
    names = pc.if_else(pc.equal(rows["doc_id"], "second/d"), "first/a", rows["kept_doc_id"])
    place = rows.schema.get_field_index("kept_doc_id")
    false = rows.set_column(place, "kept_doc_id", names).drop_columns("source")
    file = lake.write_shard(DUPLICATES, {"source": "second"}, "all", "tampered", [false])
    lake.replace_partition(DUPLICATES, {"source": "second"}, [file])
    wrong = MEANING_CONFIRMED.evaluate(context)
    assert not wrong.passed
    assert [(row["doc_id"], row["kept_doc_id"]) for row in wrong.samples] == [
        ("second/d", "first/a")
    ]


def test_a_cosine_that_is_no_more_than_asked_for_lets_stay(tmp_path: Path) -> None:
    assert removed(by_vectors(tmp_path, 0.999)) == {**WITHOUT, "d": ("b", "semantic")}


def test_a_document_without_a_vector_stays(tmp_path: Path) -> None:
    workspace = by_vectors(tmp_path)
    write_vectors(tmp_path, {name: VECTORS[name] for name in "abd"})
    assert removed(workspace) == {**WITHOUT, "d": ("b", "semantic")}


def test_other_clusters_are_not_looked_at(tmp_path: Path) -> None:
    write_vectors(tmp_path, VECTORS)
    settings = "{max_cosine: 0.001, vectors: vectors.parquet, clusters: CLUSTERS}"
    one = with_dedup(tmp_path, f"{{semantic: {settings.replace('CLUSTERS', '1')}}}")
    assert removed(one) == {**WITHOUT, "c": ("a", "semantic"), "d": ("b", "semantic")}
    (tmp_path / "two").mkdir()
    write_vectors(tmp_path / "two", {**VECTORS, "d": [1.0, 1.0], "c": [1.0, 0.0]})
    two = with_dedup(tmp_path / "two", f"{{semantic: {settings.replace('CLUSTERS', '4')}}}")
    assert removed(two) == {**WITHOUT, "c": ("a", "semantic")}


def test_other_vectors_are_another_version(tmp_path: Path) -> None:
    workspace = by_vectors(tmp_path)
    removed(workspace)
    context = Context(workspace, lake_of(workspace), Partition())
    assert is_fresh(STAGES["duplicates"], context, STAGES)
    write_vectors(tmp_path, {**VECTORS, "d": [1.0, 1.0]})
    assert not is_fresh(STAGES["duplicates"], context, STAGES)


def test_the_same_words_in_another_order_mean_the_same_without_a_model(tmp_path: Path) -> None:
    workspace = with_dedup(tmp_path, "{semantic: {max_cosine: 0.98, clusters: 1}}")
    reordered = {"id": "g", "text": " ".join(reversed(sentence(2).split()))}
    (tmp_path / "third_more.jsonl").write_text(json.dumps(reordered), encoding="utf-8")
    assert removed(workspace) == {**WITHOUT, "g": ("b", "semantic")}


def test_a_sentence_model_of_a_folder_is_given_the_texts(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx, which writes the tiny model, is not installed")
    pytest.importorskip("onnxruntime", reason="the extra `local-models` is not installed")
    from llm_data_assets_tests.instructions.test_local_models import WORDS, a_model

    # It knows no word of these texts: all are the mean of one vector, and only the first stays.
    a_model(tmp_path / "model", "last_hidden_state", np.ones((len(WORDS), 2)))
    workspace = with_dedup(
        tmp_path, "{semantic: {max_cosine: 0.9, sentence_model: model, clusters: 1}}"
    )
    assert removed(workspace) == {**WITHOUT, **dict.fromkeys("bcd", ("a", "semantic"))}


def test_a_sentence_model_that_is_none_is_refused(tmp_path: Path) -> None:
    workspace = with_dedup(tmp_path, "{semantic: {max_cosine: 0.9, sentence_model: absent}}")
    with pytest.raises(ConfigError, match=r"absent has no model\.onnx|local models need"):
        removed(workspace)


def test_a_model_and_a_file_are_one_too_many(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has a sentence_model and vectors"):
        with_dedup(tmp_path, "{semantic: {max_cosine: 0.9, sentence_model: m, vectors: v}}")


def test_a_vector_that_is_not_finite_is_refused_by_name(tmp_path: Path) -> None:
    workspace = by_vectors(tmp_path)
    write_vectors(tmp_path, {**VECTORS, "b": [float("nan"), 1.0]})
    with pytest.raises(ConfigError, match="the vector of 'first/b' is not finite"):
        removed(workspace)


@pytest.mark.parametrize(
    ("vectors", "problem"),
    [
        ({"doc_id": ["a"], "vector": [[]]}, "its vectors have 0 dimensions"),
        ({"doc_id": ["a", "b"], "vector": [[1.0], [1.0, 2.0]]}, "its vectors have 1, 2 dimensions"),
        ({"doc_id": ["a"]}, "vector"),
        ({"doc_id": ["a"], "vector": ["no"]}, "list"),
        (None, "vectors.parquet"),
    ],
)
def test_vectors_that_cannot_be_read_are_refused(
    tmp_path: Path, vectors: dict | None, problem: str
) -> None:
    workspace = with_dedup(tmp_path, "{semantic: {max_cosine: 0.9, vectors: vectors.parquet}}")
    if vectors:
        pq.write_table(pa.table(vectors), tmp_path / "vectors.parquet")
    with pytest.raises(ConfigError, match=problem) as refused:
        removed(workspace)
    assert "a Parquet file of doc_id and vector" in str(refused.value)
