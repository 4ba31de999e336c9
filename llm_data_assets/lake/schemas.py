"""Every table of the lake: its columns, what each means, and how it is partitioned.

The descriptions travel with the Arrow field metadata into Dagster's column schemas, the SQL
models and the documentation; no column is described in two places.
"""

from dataclasses import dataclass
from types import MappingProxyType

import pyarrow as pa


@dataclass(frozen=True)
class Table:
    """One Delta table: partition columns live in the path, `schema` holds the rest."""

    name: str
    description: str
    partition_by: tuple[str, ...]
    schema: pa.Schema
    # Columns that hold what documents say: not shown of a restricted source without its role.
    texts: tuple[str, ...] = ()

    @property
    def full_schema(self) -> pa.Schema:
        """Partition columns first, then the columns stored in the files."""
        return pa.schema([*(_PARTITION_COLUMNS[name] for name in self.partition_by), *self.schema])


def _column(name: str, kind: pa.DataType, description: str) -> pa.Field:
    return pa.field(name, kind, metadata={"description": description})


_PARTITION_COLUMNS = {
    "source": _column("source", pa.string(), "The catalog's name of the source"),
    "stage": _column("stage", pa.string(), "The stage that decided"),
    "recipe": _column("recipe", pa.string(), "The recipe of pipeline.yaml"),
    "asset": _column("asset", pa.string(), "The asset that was checked"),
}

_DOC_ID = _column(
    "doc_id", pa.string(), "The document: <source>/<native id or file digest-ordinal>"
)
_ORIGIN = pa.struct(
    [
        _column("file", pa.string(), "The file, as the catalog's uris name it"),
        _column("offset", pa.int64(), "Byte offset or ordinal of the record in the file"),
        _column("native_id", pa.string(), "The record's own identifier, where the format has one"),
    ]
)

RAW_CORPUS = Table(
    "raw_corpus",
    "Documents as read: text decoded, repaired and NFC-normalised, with its exact origin.",
    ("source",),
    pa.schema(
        [
            _DOC_ID,
            _column("text", pa.string(), "Clean Unicode text (NFC, no control characters)"),
            _column("origin", _ORIGIN, "Where the record lies in the publisher's file"),
            _column("url", pa.string(), "Address the document was published at"),
            _column("title", pa.string(), "Title, where the format has one"),
            _column("language", pa.string(), "Language the publisher or the catalog declares"),
            _column("license", pa.string(), "SPDX expression where known, else the source's"),
            _column(
                "created_at", pa.string(), "Date the publisher gives, as ISO 8601 where it parses"
            ),
            _column("n_bytes", pa.int64(), "UTF-8 bytes of `text`"),
            _column("meta", pa.string(), "JSON of what else the format said"),
        ]
    ),
    texts=("text", "title", "meta"),
)

REJECTS = Table(
    "rejects",
    "Records that could not be read, each with the reason and its first bytes.",
    ("source",),
    pa.schema(
        [
            _column("file", pa.string(), "The file, as the catalog's uris name it"),
            _column("offset", pa.int64(), "Byte offset or ordinal of the record in the file"),
            _column("error", pa.string(), "Why; the part before the first colon is the reason"),
            _column("first_bytes", pa.binary(), "Up to 80 bytes of the record"),
        ]
    ),
    texts=("first_bytes",),
)

EDITS = Table(
    "edits",
    "Every change made to a text; a stage's edits, made to the text before it, give its text.",
    ("source", "stage"),
    pa.schema(
        [
            _DOC_ID,
            _column("kind", pa.string(), "nfc, mojibake, control, line, email, phone, ..."),
            _column("start", pa.int64(), "First character in the text before this stage's edits"),
            _column("length", pa.int64(), "Characters replaced or removed"),
            _column("replacement", pa.string(), "What stands there now; empty when removed"),
            _column("hash_before", pa.string(), "XXH3-128 of the text before the stage, hex"),
            _column("hash_after", pa.string(), "XXH3-128 of the text after the stage, hex"),
        ]
    ),
    texts=("replacement",),
)

VERDICTS = Table(
    "verdicts",
    "One row a document and rule that failed: why it left, or why it was flagged.",
    ("source", "stage"),
    pa.schema(
        [
            _DOC_ID,
            _column("kept", pa.bool_(), "True where the rule only flags"),
            _column(
                "reason", pa.string(), "Name of the rule or method; the first decides the drop"
            ),
            _column("position", pa.int16(), "Order among the document's failing rules; 0 decides"),
            _column("value", pa.float64(), "The measured value"),
            _column("threshold", pa.float64(), "The bound it crossed; null for set membership"),
            _column("detail", pa.string(), "The partner document, or the value where it is text"),
        ]
    ),
)

DOCUMENT_SIGNATURES = Table(
    "document_signatures",
    "What duplicates are found by: exact hash, MinHash signature, shingle count.",
    ("source",),
    pa.schema(
        [
            _DOC_ID,
            _column("text_hash", pa.binary(), "XXH3-128 of the text under the dedup normalisation"),
            _column("url", pa.binary(), "XXH3-128 of the address; null unless dedup.same_url"),
            _column("key", pa.binary(), "XXH3-128 of the field that dedup.same_key names"),
            _column("quality", pa.float64(), "Number in the field that dedup.quality names"),
            _column("n_shingles", pa.int32(), "Distinct shingles"),
            _column("signature", pa.binary(), "MinHash values: little-endian uint32 a permutation"),
            _column("made_with", pa.string(), "The settings of dedup that these follow from"),
        ]
    ),
)

DUPLICATES = Table(
    "duplicates",
    "One row a removed document: the kept document it repeats, how similar, by which method.",
    ("source",),
    pa.schema(
        [
            _DOC_ID,
            _column("kept_doc_id", pa.string(), "The document that stays"),
            _column("kept_source", pa.string(), "Its source"),
            _column("similarity", pa.float64(), "Jaccard of the shingle sets; cosine if semantic"),
            _column("method", pa.string(), "exact, near, url, key or semantic"),
        ]
    ),
)

DEDUPED_CORPUS = Table(
    "deduped_corpus",
    "The documents that survive deduplication.",
    ("source",),
    pa.schema([_DOC_ID, _column("n_bytes", pa.int64(), "UTF-8 bytes of the text")]),
)

SIGNAL_MODELS = Table(
    "signal_models",
    "Models trained here whose scores are signals, each with what judges it.",
    (),
    pa.schema(
        [
            _column("signal", pa.string(), "The column of quality_signals that it gives"),
            _column("keys", pa.list_(pa.int64()), "Of perplexity: the grams, sorted"),
            _column("counts", pa.list_(pa.int64()), "Of perplexity: how often each was seen"),
            _column("weights", pa.list_(pa.float32()), "Of a classifier: of each hashed feature"),
            _column("bias", pa.float32(), "Of a classifier: the constant"),
            _column("documents", pa.int64(), "Documents it was made from, those held out too"),
            _column("n_bytes", pa.int64(), "Their UTF-8 bytes"),
            _column("auc", pa.float64(), "Of a classifier: area under the ROC curve, held out"),
            _column("report", pa.string(), "JSON: figures of the documents held out"),
        ]
    ),
)

EVALUATION_SETS = Table(
    "evaluation_sets",
    "Questions of the benchmarks that must not be trained on, with their grams.",
    (),
    pa.schema(
        [
            _column("evaluation_set", pa.string(), "The set's name in pipeline.yaml"),
            _column("question_id", pa.string(), "<set>/<the question's own id or its line>"),
            _column("text", pa.string(), "What a model would be asked"),
            _column("width", pa.int32(), "Units (words, or Chinese characters) of a gram"),
            _column("grams", pa.list_(pa.int64()), "Hash of each gram; none if it is too short"),
        ]
    ),
)

CONTAMINATION = Table(
    "contamination",
    "Passages of documents that stand in benchmark questions: which, where, how long.",
    ("source",),
    pa.schema(
        [
            _DOC_ID,
            _column("evaluation_set", pa.string(), "The set of the question"),
            _column("question_id", pa.string(), "The question of `evaluation_sets`"),
            _column("start", pa.int64(), "First character of the passage in raw_corpus"),
            _column("length", pa.int64(), "Its characters"),
            _column("units", pa.int32(), "Words, or Chinese characters, that agree"),
            _column("question_share", pa.float64(), "Share of the question the document holds"),
        ]
    ),
)

REPEATED_SPANS = Table(
    "repeated_spans",
    "Passages of surviving documents that stood in their source before.",
    ("source",),
    pa.schema(
        [
            _DOC_ID,
            _column("kind", pa.string(), "repeated_line, _paragraph, _sentences or _substring"),
            _column("start", pa.int64(), "First character in the text of raw_corpus"),
            _column("length", pa.int64(), "Characters"),
            _column("copies", pa.int64(), "How often it stands in the source; null of substrings"),
            _column("first_doc_id", pa.string(), "Where it stands first; null of substrings"),
        ]
    ),
)

FILTERED_CORPUS = Table(
    "filtered_corpus",
    "Survivors of the rules, after the edits asked for: the text that is tokenised.",
    ("source",),
    pa.schema(
        [
            _DOC_ID,
            _column("text", pa.string(), "Text after line removal and masking"),
            _column("language", pa.string(), "Detected language"),
            _column("license", pa.string(), "SPDX expression where known"),
            _column("url", pa.string(), "Address the document was published at"),
            _column("n_bytes", pa.int64(), "UTF-8 bytes of `text`"),
        ]
    ),
    texts=("text",),
)

TOKENIZER = Table(
    "tokenizer",
    "The tokenizer of the corpus: one row.",
    (),
    pa.schema(
        [
            _column("tokenizer", pa.string(), "Digest of the model"),
            _column("model", pa.binary(), "The model file"),
            _column("format", pa.string(), "sentencepiece, tokenizers or tiktoken"),
            _column("end_token", pa.string(), "What ends a document, where the file names none"),
            _column("pattern", pa.string(), "What cuts texts, where the file names nothing"),
            _column("keeps_marks", pa.bool_(), "U+2581 in a text stays what it is"),
            _column("vocab_size", pa.int32(), "Pieces in the model"),
            _column("trained_on_documents", pa.int64(), "Documents sampled; 0 for a given model"),
            _column("trained_on_bytes", pa.int64(), "UTF-8 bytes sampled; 0 for a given model"),
        ]
    ),
)

TOKENIZER_REPORT = Table(
    "tokenizer_report",
    "What the tokenizer does to the corpus, one figure a row.",
    (),
    pa.schema(
        [
            _column("scope", pa.string(), "corpus, source, language, held_out, advice or piece"),
            _column("metric", pa.string(), "Name of the figure, or why a piece is named"),
            _column("value", pa.float64(), "The figure; of a piece, how often it was seen"),
            _column("source", pa.string(), "The source, of figures that have one"),
            _column("language", pa.string(), "The language, of figures that have one"),
            _column("vocab_size", pa.int32(), "Pieces tried on held-out text, or advised"),
            _column("token", pa.int32(), "Id of a piece"),
            _column("piece", pa.string(), "How the model writes it"),
        ]
    ),
)

TOKENIZED_CORPUS = Table(
    "tokenized_corpus",
    "Token ids with document boundaries; each document ends in the end-of-sequence token.",
    ("source",),
    pa.schema(
        [
            _DOC_ID,
            _column("tokens", pa.list_(pa.int32()), "Token ids"),
            _column("n_tokens", pa.int32(), "Number of token ids"),
            _column("n_bytes", pa.int64(), "UTF-8 bytes of the text behind them"),
            _column("n_words", pa.int32(), "Words of the text behind them, split at white space"),
            _column("n_unknown", pa.int32(), "Ids that stand for something unknown"),
        ]
    ),
    texts=("tokens",),
)

MIXTURE_PLAN = Table(
    "mixture_plan",
    "How many sequences and epochs each source gives to a recipe's phases, and why.",
    ("recipe",),
    pa.schema(
        [
            _column(
                "phase", pa.string(), "Part of the run, in order; `validation` stands after it"
            ),
            _column("first_position", pa.int64(), "Position in the run that the phase starts at"),
            _column("source", pa.string(), "The source"),
            _column("available_tokens", pa.int64(), "Tokens in tokenized_corpus"),
            _column("available_sequences", pa.int64(), "Packed sequences of the recipe's length"),
            _column("first_sequence", pa.int64(), "Number of the first of them"),
            _column("weight", pa.float64(), "Share asked for"),
            _column("share", pa.float64(), "Share planned, after caps and rounding"),
            _column("sequences", pa.int64(), "Sequences the phase takes"),
            _column("epochs", pa.float64(), "Passes over the source up to the end of the phase"),
            _column("next_epoch_value", pa.float64(), "Worth of a further pass; 1 is fresh text"),
            _column(
                "bound_by", pa.string(), "What decided: weight, temperature, unimax or epoch cap"
            ),
        ]
    ),
)

SEQUENCES = Table(
    "sequences",
    "Packed sequences: which part of which document stands where.",
    ("recipe", "source"),
    pa.schema(
        [
            _column("sequence", pa.int64(), "Number of the sequence within recipe and source"),
            _DOC_ID,
            _column("start", pa.int32(), "First token of the document that stands in it"),
            _column("length", pa.int32(), "Tokens of the document that stand in it"),
        ]
    ),
)

MIXED_CORPUS = Table(
    "mixed_corpus",
    "Which packed sequence of a source stands at which position of the run: an index, no tokens.",
    ("recipe", "source"),
    pa.schema(
        [
            _column("position", pa.int64(), "Position in the run, from 0"),
            _column("sequence", pa.int64(), "The sequence of `sequences`"),
            _column("epoch", pa.int32(), "Pass over the source, from 0"),
        ]
    ),
)

TRAINING_EXPORT = Table(
    "training_export",
    "The files a trainer opens, with checksums.",
    ("recipe",),
    pa.schema(
        [
            _column("file", pa.string(), "Path below the home"),
            _column("format", pa.string(), "megatron, mds, parquet, jsonl or webdataset"),
            _column("n_bytes", pa.int64(), "Size"),
            _column("checksum", pa.string(), "XXH3-128 of the file, hex"),
            _column("first_position", pa.int64(), "Position in the run that the file starts at"),
            _column("sequences", pa.int64(), "Sequences in the file"),
            _column("tokens", pa.int64(), "Tokens in the file"),
        ]
    ),
)

DRIFT = Table(
    "drift",
    "How far the signals and domains of a source moved, at each materialisation.",
    ("source",),
    pa.schema(
        [
            _column("ts", pa.timestamp("us", tz="UTC"), "When it was measured"),
            _column("signal", pa.string(), "The signal; url of domains"),
            _column("measure", pa.string(), "psi, js, new_domains or vanished_domains"),
            _column("value", pa.float64(), "The measure: nats, or how many domains"),
            _column("chance", pa.float64(), "PSI that two samples of one distribution show"),
            _column("bound", pa.float64(), "PSI beyond chance that warns; null without one"),
            _column("blocking_bound", pa.float64(), "PSI beyond chance that stops the source"),
            _column("baseline_version", pa.int64(), "Version of quality_signals compared with"),
            _column("version", pa.int64(), "Version of quality_signals that was measured"),
            _column("data_version", pa.string(), "Digest of what was measured"),
            _column("examples", pa.list_(pa.string()), "Some of the domains"),
        ]
    ),
)

SCALING_FIT = Table(
    "scaling_fit",
    "Laws fitted to one's own runs: constants with intervals, optima, residuals.",
    (),
    pa.schema(
        [
            _column("fit", pa.string(), "parametric, all_runs (no outlier left out) or isoflop"),
            _column("kind", pa.string(), "constant, optimum (of one budget), residual or refused"),
            _column("name", pa.string(), "Of the constant, or why a budget was refused"),
            _column("value", pa.float64(), "The constant, or the log residual of a run's loss"),
            _column("standard_error", pa.float64(), "Of a constant, over resampled runs"),
            _column("low", pa.float64(), "2.5 % of resamples lie below"),
            _column("high", pa.float64(), "2.5 % of resamples lie above"),
            _column("flops", pa.float64(), "Compute of the run or the budget"),
            _column("params", pa.float64(), "Parameters of the run, or best at the budget"),
            _column("tokens", pa.float64(), "Tokens of the run, or best at the budget"),
        ]
    ),
)

BUDGET_PLAN = Table(
    "budget_plan",
    "What the pipeline's `plan` means under every law; empty without a budget.",
    (),
    pa.schema(
        [
            _column("law", pa.string(), "The law; `own` is that of scaling_fit"),
            _column("params", pa.float64(), "Parameters"),
            _column("tokens", pa.float64(), "Training tokens"),
            _column("flops", pa.float64(), "Training compute"),
            _column("loss", pa.float64(), "Nats a token, comparable within a law only"),
            _column("chosen", pa.bool_(), "Whether the corpus is held against this law"),
        ]
    ),
)

DATA_GAP = Table(
    "data_gap",
    "Tokens wanted of each source under a recipe against tokens there; empty without a budget.",
    ("recipe",),
    pa.schema(
        [
            _column("source", pa.string(), "The source"),
            _column("wanted", pa.float64(), "Tokens that the plan wants of it"),
            _column("there", pa.int64(), "Tokens in tokenized_corpus, or estimated"),
            _column("there_low", pa.float64(), "2.5 % bound of an estimate, else as there"),
            _column("there_high", pa.float64(), "97.5 % bound of an estimate, else as there"),
            _column("basis", pa.string(), "tokenized, or estimated from a sample of records"),
            _column("epochs", pa.float64(), "Passes that the plan needs"),
            _column("effective", pa.float64(), "What these passes are worth in fresh tokens"),
            _column("next_epoch_value", pa.float64(), "Worth of a further pass; 1 is fresh text"),
            _column("shortfall", pa.float64(), "Fresh tokens to add to keep to max_epochs"),
        ]
    ),
)

STAGE_STATS = Table(
    "stage_stats",
    "One row a materialised partition: what came in, what went out, and what it was made from.",
    ("stage",),
    pa.schema(
        [
            _column("partition", pa.string(), "The Dagster partition; empty for a global stage"),
            _column("source", pa.string(), "The source, where the stage has one"),
            _column("recipe", pa.string(), "The recipe, where the stage has one"),
            _column("run_id", pa.string(), "The Dagster run"),
            _column("ts", pa.timestamp("us", tz="UTC"), "When the partition was committed"),
            _column("seconds", pa.float64(), "Wall time of the stage"),
            _column("docs_in", pa.int64(), "Documents that came in"),
            _column("docs", pa.int64(), "Documents that went out"),
            _column("bytes", pa.int64(), "UTF-8 bytes of text that went out"),
            _column("tokens", pa.int64(), "Tokens that went out; null before tokenisation"),
            _column("config_hash", pa.string(), "Digest of code version and settings"),
            _column(
                "settings",
                pa.string(),
                "JSON: the stage's code version and settings; null before they were noted",
            ),
            _column(
                "input_version", pa.string(), "Digest of config_hash and every input's version"
            ),
            _column("data_version", pa.string(), "Digest of the content that was committed"),
            _column("table_version", pa.int64(), "Version of the stage's Delta table"),
        ]
    ),
)

CHECKS = Table(
    "checks",
    "Every evaluation of every asset check.",
    ("asset",),
    pa.schema(
        [
            _column("partition", pa.string(), "The Dagster partition; empty for a global asset"),
            _column("check", pa.string(), "Name of the check"),
            _column("run_id", pa.string(), "The Dagster run"),
            _column("ts", pa.timestamp("us", tz="UTC"), "When it was evaluated"),
            _column("severity", pa.string(), "ERROR or WARN"),
            _column("blocking", pa.bool_(), "Whether a failure stops what comes after"),
            _column("passed", pa.bool_(), "Whether it held"),
            _column("observed", pa.float64(), "The measured value"),
            _column("expected", pa.string(), "The bound, in words"),
            _column("samples", pa.string(), "JSON: rows that fail"),
        ]
    ),
)


def quality_signals(signals: pa.Schema) -> Table:
    """The signal table for the given columns; which signals exist is the text room's to say."""
    return Table(
        "quality_signals",
        "One row a document, one column a measured signal; thresholds appear nowhere.",
        ("source",),
        pa.schema([_DOC_ID, *signals]),
    )


# Tables that only grow: they hold times and run ids, and nothing makes them again.
HISTORY = (STAGE_STATS, CHECKS, DRIFT)

TABLES: MappingProxyType[str, Table] = MappingProxyType(
    {
        table.name: table
        for table in (
            RAW_CORPUS,
            REJECTS,
            EDITS,
            VERDICTS,
            DOCUMENT_SIGNATURES,
            DUPLICATES,
            DEDUPED_CORPUS,
            REPEATED_SPANS,
            SIGNAL_MODELS,
            EVALUATION_SETS,
            CONTAMINATION,
            FILTERED_CORPUS,
            TOKENIZER,
            TOKENIZER_REPORT,
            TOKENIZED_CORPUS,
            MIXTURE_PLAN,
            SEQUENCES,
            MIXED_CORPUS,
            TRAINING_EXPORT,
            DRIFT,
            SCALING_FIT,
            BUDGET_PLAN,
            DATA_GAP,
            STAGE_STATS,
            CHECKS,
        )
    }
)
