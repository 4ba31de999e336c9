"""Scorers of one's own: any function over dialogues, by entry point.

A package registers an object under the group `llm_data_assets.scorers`; `pipeline.yaml` names it in
`instructions.scorers`. What it says stands in a column of its name, for rules and selection.
"""

import difflib
import math
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import entry_points
from typing import Any, Protocol, runtime_checkable

ENTRY_POINTS = "llm_data_assets.scorers"


@runtime_checkable
class Scorer(Protocol):
    """What an entry point has to be.

    `meta` says what the scores depend on (model, revision, prompt hash): rows are scored again when
    it changes, and only then.
    """

    meta: Mapping[str, Any]

    def score(self, batch: Sequence[Mapping[str, Any]]) -> Sequence[float | None]:
        """One number a dialogue (a row of raw_instructions, as a dict), in order; None is none."""
        ...


class LanguageModel(Protocol):
    """What perplexity and IFD need of a model."""

    def log_probability(self, text: str, given: str = "") -> tuple[float, int]:
        """Sum of the natural log probabilities of the tokens of `text` after `given`; how many."""
        ...


def load_scorer(name: str) -> Scorer:
    """The scorer of a name.

    Raises:
        ValueError: none is registered, or it lacks `score` or `meta`.
    """
    found = {each.name: each for each in entry_points(group=ENTRY_POINTS)}
    if name not in found:
        if name in MODEL_SCORERS:
            raise ValueError(
                f"the scorer {name!r} needs a language model. Try: `language_model:` beside it, a "
                "folder with model.onnx and tokenizer.json"
            )
        close = difflib.get_close_matches(name, found, n=3) or sorted(found) or ["none yet"]
        raise ValueError(
            f"there is no scorer {name!r} among the entry points of {ENTRY_POINTS}. "
            f"Try: {', '.join(close)}"
        )
    try:
        loaded = found[name].load()
    except Exception as error:  # another package's import may fail in any way
        raise ValueError(
            f"the scorer {name!r}, {found[name].value}, cannot be imported: {error}. "
            "Try: install or mend the package that registers it"
        ) from error
    scorer = loaded() if isinstance(loaded, type) else loaded
    if not isinstance(scorer, Scorer):
        raise ValueError(
            f"the scorer {name!r}, {found[name].value}, lacks `score` or `meta`. "
            "Try: docs/instructions.md shows what a scorer has"
        )
    return scorer


def run_scorer(
    scorer: Scorer, rows: Sequence[Mapping[str, Any]], batch: int = 64
) -> tuple[list[float | None], list[str]]:
    """What a scorer says of each row, and what is wrong with it: `none` where nothing is.

    A batch that fails is tried row by row, so that one row costs itself: `failed: ...`. What is no
    finite number is `nonsense: ...`. Both are null.
    """
    values: list[float | None] = []
    faults: list[str] = []
    for start in range(0, len(rows), batch):
        part = rows[start : start + batch]
        said = _said(scorer, part)
        if isinstance(said, str) and len(part) > 1:
            answers = [_said(scorer, [row]) for row in part]
            results = [each if isinstance(each, str) else each[0] for each in answers]
        else:
            results = [said] if isinstance(said, str) else list(said)
        for each in results:
            value, fault = _checked(each)
            values.append(value)
            faults.append(fault)
    return values, faults


def perplexity(model: LanguageModel, question: str, answer: str) -> float | None:
    """exp of the mean negative log probability of the answer's tokens, given the question."""
    total, count = model.log_probability(answer, question)
    return math.exp(-total / count) if count else None


def ifd(model: LanguageModel, question: str, answer: str) -> float | None:
    """Instruction-following difficulty: mean cross entropy of the answer given the question, by
    that of the answer alone (Li et al. 2024, Cherry LLM, equation 4). Above 1 the question does not
    help: such rows are dropped, the highest of the rest are taken."""
    given, count = model.log_probability(answer, question)
    alone, count_alone = model.log_probability(answer)
    # A model without a start token says nothing of the first token of an answer alone.
    return given / count / (alone / count_alone) if count and count_alone and alone else None


# The scorers that `instructions.language_model` brings.
MODEL_SCORERS: Mapping[str, Callable[[LanguageModel, str, str], float | None]] = {
    "perplexity": perplexity,
    "ifd": ifd,
}


def _said(scorer: Scorer, part: Sequence[Mapping[str, Any]]) -> Sequence[Any] | str:
    try:
        answers = list(scorer.score(part))
    except Exception as error:  # a scorer of another package may fail in any way
        return f"failed: {type(error).__name__}: {error}"[:200]
    if len(answers) != len(part):
        return f"nonsense: {len(answers)} scores for {len(part)} rows"
    return answers


def _checked(answer: Any) -> tuple[float | None, str]:
    if isinstance(answer, str) and answer.startswith(("failed: ", "nonsense: ")):
        return None, answer
    if answer is None:
        return None, "none"
    try:
        value = float(answer)
    except (TypeError, ValueError):
        return None, f"nonsense: {answer!r} is no number"[:200]
    return (value, "none") if math.isfinite(value) else (None, f"nonsense: {value}")
