"""Language and sentence models from a folder on this machine, as ONNX: the extra `local-models`.

Nothing is downloaded. A folder holds what `optimum-cli export onnx` writes: `model.onnx`,
`tokenizer.json` and, where there are some, `config.json` and `1_Pooling/config.json`. Models run on
one thread, so that sums come in one order and equal inputs give equal scores.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from llm_data_assets.config.digest import file_checksum
from llm_data_assets.instructions.dialogue import answer_text, question_text
from llm_data_assets.instructions.scorers import MODEL_SCORERS

_CONTEXT = 512  # tokens, where config.json does not say
_FILES = ("model.onnx", "model.onnx_data", "tokenizer.json", "config.json", "1_Pooling/config.json")
_BATCH = 32


class ModelScorer:
    """`perplexity` or `ifd` of each dialogue's answer, by the language model of a folder."""

    def __init__(self, name: str, folder: Path) -> None:
        self._score, self._folder = MODEL_SCORERS[name], folder
        self.meta: Mapping[str, Any] = {"model": folder.name, "files": model_digest(folder)}

    def score(self, batch: Sequence[Mapping[str, Any]]) -> Sequence[float | None]:
        """The score of each row of raw_instructions; None where nothing is answered."""
        model = open_language_model(self._folder)
        return [self._score(model, question_text(row), answer_text(row)) for row in batch]


class OnnxLanguageModel:
    """A causal language model: `scorers.LanguageModel` over `input_ids` and `logits`."""

    def __init__(self, folder: Path) -> None:
        self._session, self._tokenizer, config = _opened(folder)
        logits = self._session.get_outputs()[0]
        if logits.name != "logits" or len(logits.shape) != 3:
            raise ValueError(
                f"{folder}/model.onnx gives {logits.name} of {len(logits.shape)} dimensions first, "
                "no logits of batch, token and vocabulary. Try: optimum-cli export onnx "
                "--task text-generation"
            )
        self._context = _context(config)
        start = config.get("bos_token_id")
        self._start = [start] if isinstance(start, int) else []

    def log_probability(self, text: str, given: str = "") -> tuple[float, int]:
        """Sum of the natural log probabilities of the tokens of `text` after `given`; how many.

        Half of the context is for `text`, whose further tokens are left out; the other half for the
        last tokens of `given`. The first token of all counts only if the model has a start token.
        """
        half = self._context // 2
        said = self._tokenizer.encode(text, add_special_tokens=False).ids[:half]
        before = self._tokenizer.encode(given, add_special_tokens=False).ids if given else []
        before = self._start + before[len(before) - min(len(before), half - 1) :]
        tokens = np.array([before + said], np.int64)
        if not said or tokens.shape[1] < 2:
            return 0.0, 0
        (logits,) = self._session.run(["logits"], _inputs(self._session, tokens))
        first = max(1, len(before))
        scores = logits[0, first - 1 : -1].astype(np.float64)
        largest = scores.max(axis=1, keepdims=True)
        total = np.log(np.exp(scores - largest).sum(axis=1)) + largest[:, 0]
        chosen = scores[np.arange(len(scores)), tokens[0, first:]]
        return float((chosen - total).sum()), len(scores)


@cache
def open_language_model(folder: Path) -> OnnxLanguageModel:
    """The language model of a folder, opened once a process.

    Raises:
        ValueError: the extra or a file is missing, or it is no causal language model.
    """
    return OnnxLanguageModel(folder)


def sentence_vectors(folder: Path, texts: Sequence[str], dimensions: int | None) -> np.ndarray:
    """float32[n, d], rows of length 1: what the sentence model of a folder says of each text.

    Its output `sentence_embedding` if it has one, else its tokens' vectors: their mean, or the
    first where `1_Pooling/config.json` says so, as sentence-transformers does.

    Args:
        dimensions: the size that is expected; None is any.

    Raises:
        ValueError: the extra or a file is missing, or the vectors are of another size.
    """
    session, tokenizer, config = _opened(folder)
    tokenizer.enable_truncation(_context(config))
    pooling = _json(folder / "1_Pooling" / "config.json")
    names = [output.name for output in session.get_outputs()]
    name = "sentence_embedding" if "sentence_embedding" in names else names[0]
    encoded = [each.ids or [0] for each in tokenizer.encode_batch(list(texts))]
    order = sorted(range(len(texts)), key=lambda row: len(encoded[row]))
    vectors: np.ndarray = np.empty((0, dimensions or 0), np.float32)
    for start in range(0, len(order), _BATCH):
        rows = order[start : start + _BATCH]
        width = len(encoded[rows[-1]])
        tokens, mask = np.zeros((2, len(rows), width), np.int64)
        for place, row in enumerate(rows):
            tokens[place, : len(encoded[row])] = encoded[row]
            mask[place, : len(encoded[row])] = 1
        (said,) = session.run([name], _inputs(session, tokens, mask))
        if said.ndim == 3 and pooling.get("pooling_mode_cls_token"):
            said = said[:, 0]
        elif said.ndim == 3:
            said = (said * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        if said.ndim != 2 or dimensions not in (None, said.shape[1]):
            raise ValueError(
                f"{folder}/model.onnx gives vectors of another size: {said.shape[-1]} numbers, "
                f"not {dimensions}. Try: dimensions: {said.shape[-1]}, or leave it out"
            )
        if not start:
            vectors = np.empty((len(texts), said.shape[1]), np.float32)
        vectors[rows] = said
    if not np.isfinite(vectors).all():
        raise ValueError(
            f"{folder}/model.onnx gives numbers that are not finite. Try: the model in float32"
        )
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, lengths, out=vectors, where=lengths > 0)


def model_digest(folder: Path) -> dict[str, str]:
    """Checksums of a model's files: scores are made again when one changes."""
    return {name: file_checksum(folder / name) for name in _FILES if (folder / name).is_file()}


def _opened(folder: Path) -> tuple[Any, Any, Mapping[str, Any]]:
    """(session, tokenizer, config) of a folder."""
    try:
        import onnxruntime
        import tokenizers
    except ImportError as error:
        raise ValueError(
            f"local models need {error.name}. Try: pip install 'llm_data_assets[local-models]'"
        ) from error
    for name in ("model.onnx", "tokenizer.json"):
        if not (folder / name).is_file():
            raise ValueError(
                f"{folder} has no {name}. Try: a folder that `optimum-cli export onnx` wrote"
            )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # both packages raise plain Exception
        raise ValueError(
            f"the model of {folder} cannot be opened: {error}. Try: export it again"
        ) from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return session, tokenizer, _json(folder / "config.json")


def _context(config: Mapping[str, Any]) -> int:
    """Tokens that a model reads; RoBERTa's positions start at 2, so two fewer than it says."""
    said = config.get("n_positions") or config.get("max_position_embeddings")
    return max(2, said - 2) if isinstance(said, int) else _CONTEXT


def _inputs(session: Any, tokens: np.ndarray, mask: np.ndarray | None = None) -> dict[str, Any]:
    """What a session wants: tokens int64[batch, length], masks, places, an empty past."""
    inputs: dict[str, Any] = {}
    for wanted in session.get_inputs():
        if wanted.name == "input_ids":
            inputs[wanted.name] = tokens
        elif wanted.name == "attention_mask":
            inputs[wanted.name] = np.ones_like(tokens) if mask is None else mask
        elif wanted.name == "position_ids":
            inputs[wanted.name] = np.broadcast_to(np.arange(tokens.shape[1]), tokens.shape)
        elif wanted.name == "token_type_ids":
            inputs[wanted.name] = np.zeros_like(tokens)
        elif wanted.name.startswith("past_key_values"):
            shape = [each if isinstance(each, int) else 0 for each in wanted.shape]
            inputs[wanted.name] = np.zeros([len(tokens), *shape[1:]], np.float32)
    return inputs


def _json(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
