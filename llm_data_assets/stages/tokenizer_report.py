"""tokenized_corpus + tokenizer -> tokenizer_report: what the tokenizer does to the corpus."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from llm_data_assets.lake.schemas import (
    FILTERED_CORPUS,
    TOKENIZED_CORPUS,
    TOKENIZER,
    TOKENIZER_REPORT,
)
from llm_data_assets.stages.budget_plan import budget_settings, planned_vocabulary
from llm_data_assets.stages.shards import batches, task_key
from llm_data_assets.stages.stage import Check, CheckResult, Context, Outcome, Stage
from llm_data_assets.stages.tokenizer import current_tokenizer, train_on
from llm_data_assets.stages.tokenizer_sample import sample
from llm_data_assets.tokens.given import Tokenizer, open_tokenizer
from llm_data_assets.tokens.report import (
    Tally,
    figures,
    glitch_candidates,
    longest_pieces,
    premium,
)
from llm_data_assets.tokens.words import count_words

CODE_VERSION = "2"
_PIECES_NAMED = 20
_HELD_OUT = 10  # one document in so many of the sample compares vocabularies, and trains none
_SPECIAL = re.compile(r"<[^<>\s]+>")  # how every maker writes control tokens

Row = dict[str, Any]


def run(context: Context) -> Outcome:
    """Count ids by source and language, and compare vocabulary sizes where sizes are named."""
    tokenizer = current_tokenizer(context)
    pieces = [tokenizer.piece(token) for token in range(tokenizer.vocab_size)]
    is_byte = np.array([tokenizer.is_byte(token) for token in range(len(pieces))])
    by_source, by_language = _tallies(context, len(pieces))
    whole = Tally(counts=np.zeros(len(pieces), np.int64))
    for tally in by_source.values():
        whole.add(tally)
    rows = _rows("corpus", figures(whole, is_byte))
    for source, tally in by_source.items():
        rows += _rows("source", figures(tally, is_byte), source=source)
    costs = premium(by_language)
    for language, tally in sorted(by_language.items()):
        values = figures(tally, is_byte) | {"token_premium": costs[language]}
        rows += _rows("language", values, language=language)
    rows += _piece_rows(pieces, whole.counts, tokenizer, is_byte)
    rows += _comparison(context)
    rows += _advice(context)
    table = pa.Table.from_pylist(rows, TOKENIZER_REPORT.schema)
    key = task_key(CODE_VERSION, rows)
    file = context.lake.write_shard(TOKENIZER_REPORT, {}, "all", key, [table])
    context.lake.replace_partition(TOKENIZER_REPORT, {}, [file])
    return Outcome(
        files=[file],
        docs_in=whole.n_documents,
        docs=whole.n_documents,
        n_bytes=0,
        tokens=whole.n_tokens,
        figures={name: round(value, 4) for name, value in figures(whole, is_byte).items()},
    )


def _tallies(context: Context, vocab_size: int) -> tuple[dict[str, Tally], dict[str, Tally]]:
    """Sums by source, and by language."""
    by_source: dict[str, Tally] = {}
    by_language: dict[str, Tally] = {}
    for source in context.workspace.sources:
        partition = {"source": source}
        columns = ["doc_id", "language"]
        spoken = {
            row["doc_id"]: row["language"] or "unknown"
            for row in context.lake.read(FILTERED_CORPUS, partition, columns).to_pylist()
        }
        for file in context.lake.shards(TOKENIZED_CORPUS, partition):
            for rows in batches(context.lake, TOKENIZED_CORPUS, partition, file):
                languages = pa.array([spoken[each] for each in rows["doc_id"].to_pylist()])
                for language in languages.unique().to_pylist():
                    tally = _tally(rows.filter(pc.equal(languages, language)), vocab_size)
                    if tally.n_tokens:
                        by_source.setdefault(source, Tally()).add(tally)
                        by_language.setdefault(language, Tally()).add(tally)
    return by_source, by_language


def _tally(rows: pa.Table, vocab_size: int) -> Tally:
    ids = rows["tokens"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    sums = {name: pc.sum(rows[name]).as_py() or 0 for name in
            ("n_bytes", "n_words", "n_tokens", "n_unknown")}  # fmt: skip
    return Tally(rows.num_rows, **sums, counts=np.bincount(ids, minlength=vocab_size))


def _piece_rows(
    pieces: list[str], counts: np.ndarray, tokenizer: Tokenizer, is_byte: np.ndarray
) -> Iterator[Row]:
    is_ordinary = ~is_byte & np.array([not _SPECIAL.fullmatch(piece) for piece in pieces])
    if tokenizer.unknown >= 0:
        is_ordinary[tokenizer.unknown] = False
    for metric, tokens in (
        ("longest", longest_pieces(pieces, _PIECES_NAMED)),
        ("glitch_candidate", glitch_candidates(pieces, counts, is_ordinary, _PIECES_NAMED)),
    ):
        for token in tokens:
            yield _row("piece", metric, float(counts[token]), piece=pieces[token], token=token)


def _comparison(context: Context) -> Iterator[Row]:
    """Each size trained on nine tenths of the sample, measured on the rest."""
    settings = context.workspace.pipeline.model.tokenizer
    if settings.model or not settings.compare_vocab_sizes:
        return
    sampled = sample(context, int(settings.sample_mb * (1 << 20)), settings.seed)
    drawn = [
        xxhash.xxh3_64_intdigest(doc_id.encode(), settings.seed + 1) % _HELD_OUT == 0
        for doc_id in sampled["doc_id"].to_pylist()
    ]
    held_out = sampled.filter(pa.array(drawn, pa.bool_()))
    train = sampled.filter(pc.invert(pa.array(drawn, pa.bool_())))
    if not held_out.num_rows or not train.num_rows:
        return
    texts = held_out["text"].combine_chunks()
    for size in sorted({settings.vocab_size, *settings.compare_vocab_sizes}):
        tokenizer = open_tokenizer(train_on(context, train, size), keep_marks=True)
        ids = tokenizer.encode(texts, add_eos=False).tokens
        tally = Tally(
            held_out.num_rows,
            pc.sum(held_out["n_bytes"]).as_py(),
            int(count_words(texts).sum()),
            len(ids),
            int((ids == tokenizer.unknown).sum()),
            np.bincount(ids, minlength=tokenizer.vocab_size),
        )
        is_byte = np.array([tokenizer.is_byte(token) for token in range(tokenizer.vocab_size)])
        yield from _rows("held_out", figures(tally, is_byte), vocab_size=tokenizer.vocab_size)


def _advice(context: Context) -> Iterator[Row]:
    """The sizes that the vocabulary laws advise for the model of `plan`; none without one."""
    found = planned_vocabulary(context.workspace)
    if found is None:
        return
    for approach in ("isoflop", "derivative", "parametric"):
        size = found[approach]
        yield _row("advice", f"advised_by_{approach}", size, vocab_size=size)
    yield _row("advice", "for_parameters", found["params"])


def _rows(scope: str, values: dict[str, float], **named: Any) -> list[Row]:
    return [_row(scope, metric, value, **named) for metric, value in values.items()]


def _row(scope: str, metric: str, value: float, **named: Any) -> Row:
    names = ("source", "language", "vocab_size", "token", "piece")
    return {"scope": scope, "metric": metric, "value": float(value)} | {
        name: named.get(name) for name in names
    }


def _every_source_has_tokens(context: Context) -> CheckResult:
    heard = context.lake.read(TOKENIZER_REPORT, {}, ["scope", "source"]).to_pylist()
    named = {row["source"] for row in heard if row["scope"] == "source"}
    silent = [{"source": name} for name in context.workspace.sources if name not in named]
    return CheckResult(not silent, len(silent), "0 sources without a token", silent)


STAGE = Stage(
    name=TOKENIZER_REPORT.name,
    description="""What the tokenizer does to the corpus: compression, unknown and byte-fallback
rates by source and language, use of the vocabulary, its longest pieces and those hardly ever seen,
other vocabulary sizes on held-out text, and the sizes that the vocabulary laws advise for the
model of `plan`.""",
    table=TOKENIZER_REPORT,
    partitioning="none",
    upstream=(FILTERED_CORPUS.name, TOKENIZER.name, TOKENIZED_CORPUS.name),
    code_version=CODE_VERSION,
    settings=lambda workspace, partition: [
        workspace.pipeline.model.tokenizer,
        budget_settings(workspace),
    ],
    run=run,
    checks=(
        Check(
            "every_source_has_tokens",
            "A source without a token can give nothing to a recipe.",
            _every_source_has_tokens,
        ),
    ),
)
