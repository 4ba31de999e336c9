"""The tables of the instructions branch."""

import pyarrow as pa

from llm_data_assets.lake.schemas import RAW_CORPUS, Table


def schema(*columns: tuple[str, pa.DataType, str]) -> pa.Schema:
    """Columns with their types and what each means."""
    return pa.schema(
        [pa.field(name, kind, metadata={"description": said}) for name, kind, said in columns]
    )


_ROW = ("doc_id", pa.string(), "The dialogue: <source>/<native id or file digest-offset>")
TURN = pa.struct([("role", pa.string()), ("content", pa.string()), ("name", pa.string())])
RATING = pa.struct([("aspect", pa.string()), ("chosen", pa.float64()), ("rejected", pa.float64())])

RAW_INSTRUCTIONS = Table(
    "raw_instructions",
    "Dialogues and preferences as read, in one schema, with their exact origin.",
    ("source",),
    schema(
        _ROW,
        ("kind", pa.string(), "conversation, or preference: two ways to answer one prompt"),
        ("system", pa.string(), "What the model was told it is"),
        ("tools", pa.string(), "JSON of the tools it was offered"),
        ("turns", pa.list_(TURN), "Roles user, assistant, system, tool_call (content is JSON of "
         "the call) and tool; of a preference the prompt, then the chosen answer"),
        ("n_prompt", pa.int32(), "Turns before the answer, which are trained on as a question"),
        ("rejected", pa.list_(TURN), "Of a preference: the other way to go on"),
        ("ratings", pa.list_(RATING), "By aspect; of a conversation, `chosen` is its own"),
        ("origin", RAW_CORPUS.schema.field("origin").type, "Where it lies in the file"),
        ("language", pa.string(), "Language the publisher or the catalog declares"),
        ("license", pa.string(), "SPDX expression where known, else the source's"),
        ("created_at", pa.string(), "Date the publisher gives"),
        ("model", pa.string(), "Of a synthetic row: the model that wrote it"),
        ("prompt_hash", pa.string(), "Of a synthetic row: XXH3-128 of its prompt, hex"),
        ("n_bytes", pa.int64(), "UTF-8 bytes of all turns"),
        ("n_repairs", pa.int32(), "Repairs made to the text: decoding, controls, NFC"),
        ("meta", pa.string(), "JSON of what else the format said"),
    ),
    texts=("system", "tools", "turns", "rejected", "meta"),
)  # fmt: skip

INSTRUCTION_DUPLICATES = Table(
    "instruction_duplicates",
    "One row a removed dialogue: the kept one it repeats, how similar, by which method.",
    ("source",),
    schema(
        _ROW,
        ("kept_doc_id", pa.string(), "The dialogue that stays"),
        ("kept_source", pa.string(), "Its source"),
        ("similarity", pa.float64(), "Jaccard of the dialogues (near), ROUGE-L F of the questions"),
        ("method", pa.string(), "exact, near or rouge"),
    ),
)

DEDUPED_INSTRUCTIONS = Table(
    "deduped_instructions",
    "The names of the dialogues that repeat no other.",
    ("source",),
    schema(_ROW, ("n_bytes", pa.int64(), "UTF-8 bytes of all turns")),
)

SELECTED_INSTRUCTIONS = Table(
    "selected_instructions",
    "The dialogues taken, with what took them.",
    ("source",),
    schema(
        _ROW,
        ("reason", pa.string(), "The method that took the row"),
        ("rank", pa.int64(), "Its place among those taken, from 0"),
        ("score", pa.float64(), "What ranked it; null under `all`"),
        ("task_type", pa.string(), "recall, reasoning, creative or tool_use"),
        ("cluster", pa.int32(), "Its k-means cluster, of the method `clusters`"),
        ("nearest", pa.float64(), "Cosine to the nearest row taken before, of `diverse`"),
    ),
)

SELECTION_REPORT = Table(
    "selection_report",
    "What a selection covers, one figure a row.",
    ("source",),
    schema(
        ("metric", pa.string(), "Name of the figure"),
        ("key", pa.string(), "Of what: a task type, a score; null of the whole"),
        ("value", pa.float64(), "The figure"),
    ),
)

INSTRUCTION_MIX = Table(
    "instruction_mix",
    "Which dialogue stands at which position of which split.",
    (),
    schema(
        ("split", pa.string(), "train or validation"),
        ("position", pa.int64(), "Place in the split, from 0"),
        _ROW,
        ("source", pa.string(), "Its source"),
        ("kind", pa.string(), "conversation or preference"),
        ("question_hash", pa.string(), "XXH3-128 of the prompt, which one split has alone"),
    ),
)

INSTRUCTION_FILES = Table(
    "instruction_files",
    "The files a trainer opens, with checksums.",
    (),
    schema(
        ("file", pa.string(), "Path below the home"),
        ("format", pa.string(), "messages, sharegpt, alpaca, tokenized or preferences"),
        ("split", pa.string(), "train or validation"),
        ("rows", pa.int64(), "Rows in it"),
        ("n_skipped", pa.int64(), "Rows that the format cannot say, or that are too long"),
        ("n_bytes", pa.int64(), "Size"),
        ("checksum", pa.string(), "XXH3-128 of the file, hex"),
    ),
)

INSTRUCTION_TABLES = (
    RAW_INSTRUCTIONS,
    INSTRUCTION_DUPLICATES,
    DEDUPED_INSTRUCTIONS,
    SELECTED_INSTRUCTIONS,
    SELECTION_REPORT,
    INSTRUCTION_MIX,
    INSTRUCTION_FILES,
)


def scored_instructions(scores: pa.Schema) -> Table:
    """The score table for the given columns; which scores exist is the instructions room's."""
    return Table(
        "scored_instructions",
        "One row a dialogue, one column a score; thresholds appear nowhere.",
        ("source",),
        pa.schema([*schema(_ROW), *scores]),
    )
