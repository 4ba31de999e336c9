"""filtered_corpus of every source -> tokenizer: trained on a reproducible sample, or given."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.schemas import FILTERED_CORPUS, TOKENIZER
from llm_data_assets.stages.checks import rules_fire
from llm_data_assets.stages.filter_rules import rules_of
from llm_data_assets.stages.shards import task_key
from llm_data_assets.stages.stage import Check, CheckResult, Context, Outcome, Stage
from llm_data_assets.stages.tokenizer_sample import sample
from llm_data_assets.stages.versions import data_version
from llm_data_assets.tokens.given import Tokenizer, open_tokenizer
from llm_data_assets.tokens.model_file import SPACE_MARK
from llm_data_assets.tokens.tokenizer import train

CODE_VERSION = "2"
_ROUND_TRIP_BYTES = 200_000
_HARD_TEXTS = ("é 🙂 龘 ＡＢＣ①", "x  y\n\tz 12345", " \n ", "\r\n", "\u2581 \u2581x")


def run(context: Context) -> Outcome:
    """Train on a sample weighted by language and domain; or take the given tokenizer."""
    settings = context.workspace.pipeline.model.tokenizer
    if settings.model:
        model = given_model(context.workspace)
        sampled = pa.table({"n_bytes": pa.array([], pa.int64())})
    else:
        sampled = sample(context, int(settings.sample_mb * (1 << 20)), settings.seed)
        model = train_on(context, sampled, settings.vocab_size)
    name = xxhash.xxh3_128_hexdigest(model)
    n_bytes = pc.sum(sampled["n_bytes"]).as_py() or 0
    row = {
        "tokenizer": name,
        "model": model,
        "end_token": settings.end_token if settings.model else None,
        "pattern": settings.pattern if settings.model else None,
        "keeps_marks": settings.model is None,
        "trained_on_documents": sampled.num_rows,
        "trained_on_bytes": n_bytes,
    }
    tokenizer = open_row(row)
    row |= {"format": tokenizer.format, "vocab_size": tokenizer.vocab_size}
    table = pa.Table.from_pylist([row], TOKENIZER.schema)
    key = task_key(CODE_VERSION, name, row["end_token"], row["pattern"])
    file = context.lake.write_shard(TOKENIZER, {}, "all", key, [table])
    context.lake.replace_partition(TOKENIZER, {}, [file])
    return Outcome(
        files=[file],
        docs_in=sampled.num_rows,
        docs=sampled.num_rows,
        n_bytes=n_bytes,
        figures={"vocab_size": tokenizer.vocab_size, "tokenizer": name},
    )


def train_on(context: Context, sampled: pa.Table, vocab_size: int) -> bytes:
    """A model of the pipeline's settings and the given size.

    Raises:
        ValueError: there is no document to train on.
    """
    settings = context.workspace.pipeline.model.tokenizer
    if not sampled.num_rows:
        raise ValueError(
            "the tokenizer has nothing to train on: filtered_corpus is empty in every source. "
            'Try: `llm-data query "SELECT reason, count(*) FROM verdicts GROUP BY ALL"` to see '
            "which rule drops everything, or give `tokenizer.model`"
        )
    return train(
        (text.as_py() for text in sampled["text"]),
        model_type=settings.type,
        vocab_size=vocab_size,
        character_coverage=settings.character_coverage,
        user_defined_symbols=settings.special_tokens,
    )


def given_model(workspace: Workspace) -> bytes:
    """The tokenizer file that the pipeline names, relative to the pipeline's folder.

    Raises:
        ConfigError: it is missing, broken, or needs settings that are not there.
    """
    settings = workspace.pipeline.model.tokenizer
    assert settings.model is not None
    path = workspace.pipeline.path.parent / settings.model
    try:
        model = path.read_bytes()
        # Opened as its row will be: it is the same object then, and its tables are built once.
        _opened(model, settings.end_token, settings.pattern, False)
    except (OSError, ValueError) as error:
        raise workspace.pipeline.error(
            ("tokenizer", "model"),
            f"{path} cannot be used: {error}",
            "give another file, or remove the line to train a tokenizer",
        ) from error
    return model


def open_row(row: Mapping[str, Any]) -> Tokenizer:
    """The tokenizer that a row of the `tokenizer` table holds; the last one stays open."""
    return _opened(row["model"], row["end_token"], row["pattern"], row["keeps_marks"])


@lru_cache(maxsize=1)  # the words that it met in one shard need no merging in the next
def _opened(
    model: bytes, end_token: str | None, pattern: str | None, keeps_marks: bool
) -> Tokenizer:
    return open_tokenizer(model, end_token=end_token, pattern=pattern, keep_marks=keeps_marks)


def current_tokenizer(context: Context) -> Tokenizer:
    """The tokenizer of the corpus."""
    return open_row(context.lake.read(TOKENIZER, {}).to_pylist()[0])


def _inputs(context: Context) -> dict[str, str]:
    if context.workspace.pipeline.model.tokenizer.model:
        return {"model": xxhash.xxh3_128_hexdigest(given_model(context.workspace))}
    return {
        source: data_version(context.lake, FILTERED_CORPUS, {"source": source})
        for source in context.workspace.sources
    }


def _round_trip(context: Context) -> CheckResult:
    """Encoding and decoding give back a sample of the corpus, and text that is hard on purpose."""
    row = context.lake.read(TOKENIZER, {}).to_pylist()[0]
    tokenizer = open_row(row)
    texts = [*_HARD_TEXTS, *sample(context, _ROUND_TRIP_BYTES, seed=0)["text"].to_pylist()]
    if row["format"] == "sentencepiece" and not row["keeps_marks"]:
        # A given SentencePiece model is left its own ids: it reads its mark as a space.
        texts = [text for text in texts if SPACE_MARK not in text]
    encoded = tokenizer.encode(pa.array(texts, pa.large_string()), add_eos=False)
    ids = np.split(encoded.tokens, encoded.offsets[1:-1])
    wrong = [
        {"text": text[:200]}
        for text, each in zip(texts, ids, strict=True)
        if tokenizer.decode(each.tolist()) != text
    ]
    return CheckResult(not wrong, len(wrong), "0 texts that change", wrong[:5])


STAGE = Stage(
    name=TOKENIZER.name,
    description="""The SentencePiece model of the corpus: trained on a reproducible sample of
`filtered_corpus`, weighted so that small sources are heard, or the model that `pipeline.yaml`
names. Any Unicode text survives encoding and decoding.""",
    table=TOKENIZER,
    partitioning="none",
    upstream=(FILTERED_CORPUS.name,),
    code_version=CODE_VERSION,
    settings=lambda workspace, partition: workspace.pipeline.model.tokenizer,
    run=run,
    inputs=_inputs,
    checks=(
        Check("round_trip", "decode(encode(text)) is the text.", _round_trip, True),
        rules_fire(lambda context: [rule.name for rule in rules_of(context.workspace)]),
    ),
)
