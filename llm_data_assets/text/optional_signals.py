"""Signals that are measured only where they are asked for: each costs more than all the others."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from llm_data_assets.text.classifier import Classifier, classify
from llm_data_assets.text.language import UNDETERMINED, detect
from llm_data_assets.text.lines import DEFAULT, clean_lines
from llm_data_assets.text.ngram_model import NgramModel, perplexities
from llm_data_assets.text.personal_data import KINDS, mask
from llm_data_assets.text.signals import Signal
from llm_data_assets.text.word_lists import WordList, listed_share

_F64, _I64, _STR = pa.float64(), pa.int64(), pa.string()
# Shorter lines are names and numbers, whose language nobody can tell.
LINE_CHARACTERS = 20

LINE_LANGUAGES = (
    Signal("language_line_share", _F64, "Of lines of 20 characters or more: share in `language`"),
    Signal("language_char_share", _F64, "Of their characters: share in `language`"),
    Signal("second_language", _STR, "The language of most of the other such lines; null of none"),
    Signal("second_language_share", _F64, "Of their characters: share in it"),
)
BOILERPLATE = Signal(
    "boilerplate_share", _F64, "Share of characters in lines and marks that the edits would remove"
)
PERSONAL_DATA = tuple(
    Signal(f"personal_data_{kind}", _I64, f"How many {kind}s the masking would find")
    for kind in KINDS
)
# Of models and lists that `signals` in pipeline.yaml names; their keys are the names before "_".
PERPLEXITY = Signal("perplexity", _F64, "A byte, by a small model of `signals.perplexity`'s source")
SCORES = tuple(
    Signal(f"{name}_score", _F64, f"Probability of being like `signals.classifiers.{name}.like`")
    for name in ("quality", "spam", "toxicity")
)
LISTED = tuple(
    Signal(f"{name}_words", _F64, f"Share of words on the list `signals.words.{name}`")
    for name in ("spam", "toxicity")
)
OF_MODELS = (PERPLEXITY, *SCORES, *LISTED)
OPTIONAL = (*LINE_LANGUAGES, BOILERPLATE, *PERSONAL_DATA, *OF_MODELS)


@dataclass(frozen=True)
class Models:
    """What scores texts, by the name of the signal."""

    perplexity: NgramModel | None = None
    classifiers: Mapping[str, Classifier] = field(default_factory=dict)
    words: Mapping[str, WordList] = field(default_factory=dict)


def measure_optional(
    texts: pa.Array, languages: pa.Array, asked: Collection[str], models: Models
) -> pa.Table:
    """The columns of `OPTIONAL` for texts: string[n]; null where nothing asked.

    Args:
        languages: string[n], of each text.
        asked: names of signals that need no model; those of `models` are always measured.
    """
    found: dict[str, Any] = {}
    plain = texts.to_pylist()
    if any(each.name in asked for each in LINE_LANGUAGES):
        rows = [
            line_languages(text, language)
            for text, language in zip(plain, languages.to_pylist(), strict=True)
        ]
        found |= {each.name: [row[i] for row in rows] for i, each in enumerate(LINE_LANGUAGES)}
    if BOILERPLATE.name in asked:
        found[BOILERPLATE.name] = [boilerplate_share(text) for text in plain]
    kinds = [kind for kind, each in zip(KINDS, PERSONAL_DATA, strict=True) if each.name in asked]
    if kinds:
        masked = [[edit.kind for edit in mask(text, kinds)[1]] for text in plain]
        found |= {f"personal_data_{kind}": [row.count(kind) for row in masked] for kind in kinds}
    if models.perplexity:
        found[PERPLEXITY.name] = perplexities(models.perplexity, texts)
    for name, classifier in models.classifiers.items():
        found[name] = classify(classifier, plain)
    for name, listed in models.words.items():
        found[name] = [listed_share(text, listed) for text in plain]
    columns = [
        pa.array(found[each.name], each.dtype)
        if each.name in found
        else pa.nulls(len(texts), each.dtype)
        for each in OPTIONAL
    ]
    return pa.table(columns, names=[each.name for each in OPTIONAL])


def line_languages(text: str, language: str) -> tuple[float, float, str | None, float]:
    """Share of lines and of characters in `language`; the second language and its share."""
    lines = [line for line in text.split("\n") if len(line.strip()) >= LINE_CHARACTERS]
    if not lines:
        return 0.0, 0.0, None, 0.0
    sizes: dict[str, int] = {}
    alike = 0
    for line, spoken in zip(lines, detect(pa.array(lines))[0].to_pylist(), strict=True):
        sizes[spoken] = sizes.get(spoken, 0) + len(line)
        alike += spoken == language
    characters = sum(sizes.values())
    others = {each: size for each, size in sizes.items() if each not in (language, UNDETERMINED)}
    second = max(sorted(others), key=lambda each: others[each], default=None)
    return (
        alike / len(lines),
        sizes.get(language, 0) / characters,
        second,
        others[second] / characters if second else 0.0,
    )


def boilerplate_share(text: str) -> float:
    """Characters that `lines.clean_lines` would remove, over all."""
    _, edits = clean_lines(text, DEFAULT)
    return sum(edit.length for edit in edits) / len(text) if text else 0.0
