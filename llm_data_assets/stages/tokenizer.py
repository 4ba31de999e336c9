"""filtered_corpus of every source -> tokenizer: trained on a reproducible sample, or given."""

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from llm_data_assets.config.workspace import Workspace
from llm_data_assets.lake.catalog import relation
from llm_data_assets.lake.schemas import FILTERED_CORPUS, TOKENIZER
from llm_data_assets.stages.checks import rules_fire
from llm_data_assets.stages.filter_rules import rules_of
from llm_data_assets.stages.shards import task_key
from llm_data_assets.stages.stage import Check, CheckResult, Context, Outcome, Stage
from llm_data_assets.stages.versions import data_version
from llm_data_assets.tokens.sample import sample_documents
from llm_data_assets.tokens.tokenizer import load, train

CODE_VERSION = "1"
_ROUND_TRIP_BYTES = 200_000
_SPACE_MARK = "\u2581"  # SentencePiece's own sign for a space: the one character it cannot keep
_HARD_TEXTS = ("é 🙂 龘 ＡＢＣ①", "x  y\n\tz 12345", " \n ", "\r\n")


def run(context: Context) -> Outcome:
    """Train on a sample of every source, weighted by size to `sample_alpha`; or take the model."""
    settings = context.workspace.pipeline.model.tokenizer
    if settings.model:
        model, sampled = (
            given_model(context.workspace),
            pa.table({"n_bytes": pa.array([], pa.int64())}),
        )
    else:
        sampled = _sample(context, int(settings.sample_mb * (1 << 20)), settings.seed)
        if not sampled.num_rows:
            raise ValueError(
                "the tokenizer has nothing to train on: filtered_corpus is empty in every source. "
                'Try: `llm-data query "SELECT reason, count(*) FROM verdicts GROUP BY ALL"` to see '
                "which rule drops everything, or give `tokenizer.model`"
            )
        model = train(
            (text.as_py() for text in sampled["text"]),
            model_type=settings.type,
            vocab_size=settings.vocab_size,
            character_coverage=settings.character_coverage,
            user_defined_symbols=settings.special_tokens,
        )
    name = xxhash.xxh3_128_hexdigest(model)
    n_bytes = pc.sum(sampled["n_bytes"]).as_py() or 0
    row = pa.table(
        {
            "tokenizer": [name],
            "model": pa.array([model], pa.binary()),
            "vocab_size": pa.array([load(model).vocab_size()], pa.int32()),
            "trained_on_documents": [sampled.num_rows],
            "trained_on_bytes": [n_bytes],
        }
    )
    file = context.lake.write_shard(TOKENIZER, {}, "all", task_key(CODE_VERSION, name), [row])
    context.lake.replace_partition(TOKENIZER, {}, [file])
    return Outcome(
        files=[file],
        docs_in=sampled.num_rows,
        docs=sampled.num_rows,
        n_bytes=n_bytes,
        figures={"vocab_size": row["vocab_size"][0].as_py(), "tokenizer": name},
    )


def given_model(workspace: Workspace) -> bytes:
    """The model file that the pipeline names, relative to the pipeline's folder.

    Raises:
        ConfigError: it is missing or is not a SentencePiece model.
    """
    named = workspace.pipeline.model.tokenizer.model
    assert named is not None
    path = workspace.pipeline.path.parent / named
    try:
        model = path.read_bytes()
        load(model)
    except (OSError, RuntimeError, ValueError) as error:
        raise workspace.pipeline.error(
            ("tokenizer", "model"),
            f"{path} cannot be used: {error}",
            "give a SentencePiece .model file, or remove the line to train one",
        ) from error
    return model


def current_model(context: Context) -> bytes:
    """The model of the `tokenizer` table."""
    return context.lake.read(TOKENIZER, {}, ["model"])["model"][0].as_py()


def _sample(context: Context, total_bytes: int, seed: int) -> pa.Table:
    """doc_id, text and n_bytes of about `total_bytes` of filtered_corpus, in order of id."""
    documents = {
        source: context.lake.read(FILTERED_CORPUS, {"source": source}, ["doc_id", "n_bytes"])
        for source in context.workspace.sources
    }
    chosen = sample_documents(
        documents,
        total_bytes=total_bytes,
        alpha=context.workspace.pipeline.model.tokenizer.sample_alpha,
        seed=seed,
    )
    names = pa.table({"doc_id": pa.array(sorted(chosen), pa.string())})
    connection = duckdb.connect()
    connection.register("names", names)
    return connection.sql(
        f"""SELECT doc_id, text, n_bytes FROM {relation(context.lake, FILTERED_CORPUS)}
        SEMI JOIN names USING (doc_id) ORDER BY doc_id"""
    ).to_arrow_table()


def _inputs(context: Context) -> dict[str, str]:
    if context.workspace.pipeline.model.tokenizer.model:
        return {"model": xxhash.xxh3_128_hexdigest(given_model(context.workspace))}
    return {
        source: data_version(context.lake, FILTERED_CORPUS, {"source": source})
        for source in context.workspace.sources
    }


def _round_trip(context: Context) -> CheckResult:
    """Encoding and decoding give back a sample of the corpus, and text that is hard on purpose."""
    processor = load(current_model(context))
    corpus = _sample(context, _ROUND_TRIP_BYTES, seed=0)["text"].to_pylist()
    texts = [*_HARD_TEXTS, *(text for text in corpus if _SPACE_MARK not in text)]
    wrong = [
        {"text": text[:200]} for text in texts if processor.decode(processor.encode(text)) != text
    ]
    return CheckResult(not wrong, len(wrong), "0 texts that change", wrong)


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
