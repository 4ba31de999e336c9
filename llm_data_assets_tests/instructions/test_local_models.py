"""Models from a folder: a bigram model and a table of vectors, written here as ONNX."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.instructions.local_models import (
    ModelScorer,
    open_language_model,
    sentence_vectors,
)
from llm_data_assets_tests.stages.test_instructions import rows, run_branch, workspace_of

onnx = pytest.importorskip("onnx", reason="onnx, which writes the tiny models, is not installed")
tokenizers = pytest.importorskip("tokenizers", reason="the extra `local-models` is not installed")
pytest.importorskip("onnxruntime", reason="the extra `local-models` is not installed")

WORDS = ("<s>", "[UNK]", "who", "what", "wrote", "faust", "goethe", "mint", "green", "did")
START, UNKNOWN, WHO, WHAT, WROTE, FAUST, GOETHE, MINT, GREEN, DID = range(len(WORDS))


def a_model(folder: Path, output: str, table: np.ndarray, **config: object) -> Path:
    """A model whose answer to a token is a row of a table."""
    folder.mkdir()
    helper, kind = onnx.helper, onnx.TensorProto
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "input_ids"], [output])],
        "table",
        [helper.make_tensor_value_info("input_ids", kind.INT64, ["batch", "length"]),
         helper.make_tensor_value_info("attention_mask", kind.INT64, ["batch", "length"])],
        [helper.make_tensor_value_info(output, kind.FLOAT, ["batch", "length", table.shape[1]])],
        [onnx.numpy_helper.from_array(table.astype(np.float32), "table")],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.save(model, str(folder / "model.onnx"))
    words = dict(zip(WORDS, range(len(WORDS)), strict=True))
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="[UNK]"))
    made.normalizer = tokenizers.normalizers.Lowercase()
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def bigrams(folder: Path, **config: object) -> Path:
    """Every word is as likely as another, but `goethe` after `faust`: 0.91."""
    table = np.zeros((len(WORDS), len(WORDS)))
    table[FAUST, GOETHE] = math.log(91)  # against nine others
    return a_model(folder, "logits", table, **config)


def test_perplexity_and_ifd_are_those_of_the_models_own_table(tmp_path: Path) -> None:
    folder = bigrams(tmp_path / "lm", bos_token_id=START)
    model = open_language_model(folder)
    assert model.log_probability("goethe did", "who wrote faust") == (
        pytest.approx(math.log(0.91) + math.log(0.1)), 2,
    )  # fmt: skip
    asked = {
        "turns": [{"role": "user", "content": "who wrote faust"},
                  {"role": "assistant", "content": "Goethe"}],
        "n_prompt": 1,
    }  # fmt: skip
    unanswered = {**asked, "turns": asked["turns"][:1]}
    said = ModelScorer("perplexity", folder).score([asked, unanswered])
    assert said == [pytest.approx(1 / 0.91), None]
    said = ModelScorer("ifd", folder).score([asked, unanswered])
    assert said == [pytest.approx(math.log(0.91) / math.log(0.1)), None]


def test_without_a_start_token_the_first_word_alone_says_nothing(tmp_path: Path) -> None:
    model = open_language_model(bigrams(tmp_path / "lm"))
    assert model.log_probability("goethe") == (0.0, 0)
    assert model.log_probability("faust goethe") == (pytest.approx(math.log(0.91)), 1)
    assert model.log_probability("") == (0.0, 0)


def test_a_context_keeps_the_start_of_the_answer_and_the_end_of_the_question(
    tmp_path: Path,
) -> None:
    model = open_language_model(bigrams(tmp_path / "lm", n_positions=8, bos_token_id=START))
    # Six tokens: three of the answer, and of the question what stands right before it.
    said = model.log_probability("goethe did mint green", "green mint green who wrote faust")
    assert said == (pytest.approx(math.log(0.91) + 2 * math.log(0.1)), 3)


def vectors_of(folder: Path, **config: object) -> Path:
    table = np.eye(len(WORDS))[:, :5] + 0.0
    table[UNKNOWN:] = [[1, 0, 0, 0, 0]]
    table[WHO], table[FAUST] = [0, 3, 0, 0, 0], [0, 0, 4, 0, 0]
    return a_model(folder, "last_hidden_state", table, **config)


def test_sentence_vectors_are_means_of_tokens_without_the_padding(tmp_path: Path) -> None:
    folder = vectors_of(tmp_path / "sentences")
    found = sentence_vectors(folder, ["who faust", "who", "mint mint mint who"], None)
    mean = np.array([0, 1.5, 2, 0, 0]) / 2.5
    np.testing.assert_allclose(found[0], mean, atol=1e-6)
    np.testing.assert_allclose(found[1], [0, 1, 0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(found[2], np.array([1, 1, 0, 0, 0]) / 2**0.5, atol=1e-6)
    assert sentence_vectors(folder, [], 5).shape == (0, 5)
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    first = sentence_vectors(folder, ["who faust"], None)
    np.testing.assert_allclose(first, [[0, 1, 0, 0, 0]], atol=1e-6)


ASKED = [
    {"instruction": "Who wrote Faust", "input": "", "output": "Goethe did"},
    {"instruction": "What is green", "input": "", "output": "Mint is green"},
    {"instruction": "Who wrote mint", "input": "", "output": "Goethe"},
]


def asking(folder: Path, settings: str) -> Workspace:
    return workspace_of(folder, f"instructions: {{dedup: {{rouge: null}}, {settings}}}\n", a=ASKED)


def test_rows_are_scored_and_selected_by_models_of_ones_own(tmp_path: Path) -> None:
    bigrams(tmp_path / "lm", bos_token_id=START)
    vectors_of(tmp_path / "sentences")
    workspace = asking(
        tmp_path,
        "language_model: lm, scorers: [perplexity, ifd], rules: [{name: no_help, signal: ifd, "
        "max: 0.999}], select: {method: diverse, score: ifd, sentence_model: sentences}",
    )
    run_branch(workspace)
    scored = rows(workspace, "SELECT said.name, round(said.value, 3) FROM (SELECT unnest(scorers) "
                  "AS said FROM scored_instructions) ORDER BY ALL")  # fmt: skip
    helped = round((math.log(0.91) + math.log(0.1)) / (2 * math.log(0.1)), 3)
    assert scored == [("ifd", helped), ("ifd", 1.0), ("ifd", 1.0),
                      ("perplexity", round((0.91 * 0.1) ** -0.5, 3)),
                      ("perplexity", 10.0), ("perplexity", 10.0)]  # fmt: skip
    taken = rows(workspace, "SELECT turns[1].content FROM raw_instructions SEMI JOIN "
                 "selected_instructions USING (doc_id)")  # fmt: skip
    assert taken == [("Who wrote Faust",)]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("scorers: [ifd]", "the scorer 'ifd' needs a language model"),
        ("scorers: [ifd], language_model: none", "has no model.onnx"),
        ("scorers: [ifd], language_model: sentences", "gives last_hidden_state"),
        ("scorers: [ifd], language_model: broken", "cannot be opened"),
        ("select: {method: diverse, sentence_model: none}", "has no model.onnx"),
        ("select: {method: diverse, sentence_model: sentences, dimensions: 384}",
         "vectors of another size: 5 numbers, not 384"),
        ("select: {method: diverse, sentence_model: odd}", "not finite"),
    ],
)  # fmt: skip
def test_a_model_that_does_not_fit_names_the_line_and_the_way_out(
    settings: str, words: str, tmp_path: Path
) -> None:
    vectors_of(tmp_path / "sentences")
    a_model(tmp_path / "odd", "last_hidden_state", np.full((len(WORDS), 5), np.nan))
    (bigrams(tmp_path / "broken") / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(ConfigError, match=words) as raised:
        run_branch(asking(tmp_path, settings))
    assert "pipeline.yaml:1" in str(raised.value) and "Try: " in str(raised.value)


def test_scores_are_made_again_when_the_model_changes(tmp_path: Path) -> None:
    folder = bigrams(tmp_path / "lm")
    before = ModelScorer("ifd", folder).meta
    (folder / "config.json").write_text("{}\n")
    assert ModelScorer("ifd", folder).meta != before
