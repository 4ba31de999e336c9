"""deduped_corpus of the named sources -> signal_models: what perplexity and scores come from."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from llm_data_assets.config.pipeline import ClassifierUse, ReferenceText
from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.delta import Lake
from llm_data_assets.lake.schemas import DEDUPED_CORPUS, RAW_CORPUS, SIGNAL_MODELS
from llm_data_assets.lake.shard_files import ShardFile
from llm_data_assets.stages.shards import batches, task_key
from llm_data_assets.stages.stage import Check, CheckResult, Context, Outcome, Stage
from llm_data_assets.stages.versions import data_version
from llm_data_assets.text.classifier import Classifier, train_classifier
from llm_data_assets.text.ngram_model import NgramModel, train_ngrams
from llm_data_assets.text.optional_signals import PERPLEXITY, Models
from llm_data_assets.text.word_lists import WordList, read_words

CODE_VERSION = "1"


def run(context: Context) -> Outcome:
    """Train each model whose sources or settings changed."""
    files, documents, n_bytes = [], 0, 0
    for signal, settings in _wanted(context.workspace).items():
        versions = {each: _versions(context, each) for each in _sources(settings)}
        key = task_key(CODE_VERSION, signal, settings.model_dump(mode="json"), versions)
        file = context.lake.find_shard(SIGNAL_MODELS, {}, signal, key)
        if file is None:
            row = {"signal": signal} | _trained(context, signal, settings)
            table = pa.Table.from_pylist([row], SIGNAL_MODELS.schema)
            file = context.lake.write_shard(SIGNAL_MODELS, {}, signal, key, [table])
        files.append(file)
    context.lake.replace_partition(SIGNAL_MODELS, {}, sorted(files))
    rows = context.lake.read(SIGNAL_MODELS, {}, ["documents", "n_bytes"]).to_pylist()
    documents = sum(row["documents"] for row in rows)
    n_bytes = sum(row["n_bytes"] for row in rows)
    return Outcome(files=sorted(files), docs_in=documents, docs=documents, n_bytes=n_bytes)


def _wanted(workspace: Workspace) -> dict[str, ReferenceText | ClassifierUse]:
    """The models of the pipeline by the signal they give.

    Raises:
        ConfigError: one learns from a source that the catalog does not have.
    """
    signals = workspace.pipeline.model.signals
    wanted: dict[str, tuple[tuple[str, ...], ReferenceText | ClassifierUse]] = {}
    if signals.perplexity:
        wanted[PERPLEXITY.name] = (("signals", "perplexity"), signals.perplexity)
    for name, sides in signals.classifiers.items():
        wanted[f"{name}_score"] = (("signals", "classifiers", name), sides)
    for place, use in wanted.values():
        for source in _sources(use):
            if source not in workspace.sources:
                known = ", ".join(workspace.sources)
                raise workspace.pipeline.error(
                    place, f"there is no source {source!r} to learn from", f"one of {known}"
                )
    return {signal: use for signal, (_, use) in wanted.items()}


def _sources(settings: ReferenceText | ClassifierUse) -> list[str]:
    if isinstance(settings, ReferenceText):
        return [settings.source]
    return [*settings.like, *settings.unlike]


def _versions(context: Context, source: str) -> list[str]:
    partition = {"source": source}
    return [data_version(context.lake, each, partition) for each in (RAW_CORPUS, DEDUPED_CORPUS)]


def _trained(
    context: Context, signal: str, settings: ReferenceText | ClassifierUse
) -> dict[str, Any]:
    if isinstance(settings, ReferenceText):
        most = int(settings.sample_mb * (1 << 20))
        texts = _drawn(context, [settings.source], most_bytes=most)
        _some(context, ("signals", "perplexity"), texts, [settings.source])
        grams = train_ngrams(texts)
        return _sizes(texts) | {"keys": grams.keys, "counts": grams.counts, "report": "{}"}
    place = ("signals", "classifiers", signal.removesuffix("_score"))
    like = _drawn(context, settings.like, most_documents=settings.documents)
    unlike = _drawn(context, settings.unlike, most_documents=settings.documents)
    try:
        model, report = train_classifier(like, unlike)
    except ValueError as error:
        problem, _, way_out = str(error).partition(" Try: ")
        raise context.workspace.pipeline.error(place, problem, way_out) from None
    return _sizes([*like, *unlike]) | {
        "weights": model.weights,
        "bias": model.bias,
        "auc": report["auc"],
        "report": json.dumps(report),
    }


def _some(
    context: Context, place: tuple[str, ...], texts: Sequence[str], sources: Sequence[str]
) -> None:
    if not texts:
        raise context.workspace.pipeline.error(
            place, f"no document of {', '.join(sources)} is left to learn from", "another source"
        )


def _sizes(texts: Sequence[str]) -> dict[str, int]:
    return {"documents": len(texts), "n_bytes": sum(len(text.encode()) for text in texts)}


def _drawn(
    context: Context,
    sources: Sequence[str],
    most_documents: int | None = None,
    most_bytes: int | None = None,
) -> list[str]:
    """Surviving documents of sources, those whose ids hash least, in the order of the hash."""
    ranked: list[tuple[int, str, int]] = []
    for source in sources:
        rows = context.lake.read(DEDUPED_CORPUS, {"source": source}, ["doc_id", "n_bytes"])
        ranked += [
            (xxhash.xxh3_64_intdigest(row["doc_id"].encode()), row["doc_id"], row["n_bytes"])
            for row in rows.to_pylist()
        ]
    ranked.sort()
    before = np.cumsum([0, *(size for _, _, size in ranked)])
    chosen = [
        doc_id
        for place, (_, doc_id, _) in enumerate(ranked[:most_documents])
        if most_bytes is None or before[place] < most_bytes
    ]
    texts = dict(_texts(context, sources, pa.array(chosen, pa.string())))
    return [texts[doc_id] for doc_id in chosen]


def _texts(context: Context, sources: Sequence[str], names: pa.Array) -> Iterator[tuple[str, str]]:
    for source in sources:
        partition = {"source": source}
        for file in context.lake.shards(RAW_CORPUS, partition):
            for rows in batches(context.lake, RAW_CORPUS, partition, file, ["doc_id", "text"]):
                mine = rows.filter(pc.is_in(rows["doc_id"], names))
                yield from zip(mine["doc_id"].to_pylist(), mine["text"].to_pylist(), strict=True)


def word_lists(workspace: Workspace) -> dict[str, tuple[str, str]]:
    """By signal, the path of a word list and the digest of its file.

    Raises:
        ConfigError: a list cannot be read.
    """
    found = {}
    for name, uri in workspace.pipeline.model.signals.words.items():
        path = workspace.pipeline.path.parent / uri
        try:
            digest = xxhash.xxh3_128_hexdigest(path.read_bytes())
            _words(str(path), digest)
        except (OSError, ValueError) as error:
            raise workspace.pipeline.error(
                ("signals", "words", name),
                f"{path} cannot be read: {error}",
                "a UTF-8 file with a term a line",
            ) from error
        found[f"{name}_words"] = (str(path), digest)
    return found


@lru_cache(maxsize=8)
def _words(path: str, digest: str) -> WordList:
    """A list as its file stood when it had this digest."""
    return read_words(Path(path))


def trained_models(context: Context) -> tuple[ShardFile, ...]:
    """The files of the models that the pipeline asks for.

    Raises:
        FileNotFoundError: one has not been trained yet.
    """
    files = tuple(context.lake.shards(SIGNAL_MODELS, {}))
    missing = set(_wanted(context.workspace)) - {file.shard for file in files}
    if missing:
        raise FileNotFoundError(
            f"no model gives {', '.join(sorted(missing))} yet. "
            f"Try: llm-data run --to {SIGNAL_MODELS.name}"
        )
    return files


def open_models(
    lake: Lake, files: tuple[ShardFile, ...], lists: Mapping[str, tuple[str, str]]
) -> Models:
    """The models and lists that score texts."""
    perplexity, classifiers = _models(lake, files)
    words = {signal: _words(*each) for signal, each in lists.items()}
    return Models(perplexity, classifiers, words)


@lru_cache(maxsize=1)
def _models(
    lake: Lake, files: tuple[ShardFile, ...]
) -> tuple[NgramModel | None, dict[str, Classifier]]:
    perplexity, classifiers = None, {}
    for file in files:
        row = lake.read_shard(SIGNAL_MODELS, {}, file)
        values = {name: row[name].combine_chunks().flatten() for name in ("keys", "counts")}
        if row["signal"][0].as_py() == PERPLEXITY.name:
            perplexity = NgramModel(values["keys"].to_numpy(), values["counts"].to_numpy())
        else:
            weights = row["weights"].combine_chunks().flatten().to_numpy()
            classifiers[row["signal"][0].as_py()] = Classifier(weights, row["bias"][0].as_py())
    return perplexity, classifiers


def _inputs(context: Context) -> dict[str, str]:
    """Only the sources that a model learns from matter."""
    learnt = {each for use in _wanted(context.workspace).values() for each in _sources(use)}
    return {source: " ".join(_versions(context, source)) for source in sorted(learnt)}


def _separates(context: Context) -> CheckResult:
    bound = context.workspace.pipeline.model.checks.min_classifier_auc
    rows = context.lake.read(SIGNAL_MODELS, {}, ["signal", "auc", "report"]).to_pylist()
    judged = sorted((row for row in rows if row["auc"] is not None), key=lambda row: row["auc"])
    worst = judged[0]["auc"] if judged else 1.0
    return CheckResult(worst >= bound, worst, f"AUC of documents held out at least {bound:g}",
                       judged)  # fmt: skip


STAGE = Stage(
    name=SIGNAL_MODELS.name,
    description="""The small models of `signals` in pipeline.yaml: a byte n-gram model of a
reference source, whose perplexity is a signal, and linear classifiers that tell some sources from
others, judged on documents that they did not learn from. Empty where none is asked for.""",
    table=SIGNAL_MODELS,
    partitioning="none",
    upstream=(RAW_CORPUS.name, DEDUPED_CORPUS.name),
    code_version=CODE_VERSION,
    settings=lambda workspace, partition: {
        signal: use.model_dump(mode="json") for signal, use in _wanted(workspace).items()
    },
    run=run,
    inputs=_inputs,
    checks=(
        Check(
            "classifiers_separate",
            "A classifier tells its sources apart on documents it did not learn from.",
            _separates,
        ),
    ),
)
