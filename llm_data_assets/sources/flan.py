"""FLAN: chain-of-thought TSV, or lines of inputs and targets. Offset: byte of the row or line.

The TSV of Flan v2 (question, answer, rationale) has no header, and writes a line break as the two
characters `\\n`.
"""

from collections.abc import Iterator
from typing import Any

from llm_data_assets.sources.conversation import (
    Conversation,
    Spoken,
    documents,
    exchange,
    rest_of,
    spoken,
    text_of,
)
from llm_data_assets.sources.delimited import Dialect, rows
from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile, open_decompressed
from llm_data_assets.sources.json_records import json_records
from llm_data_assets.sources.options import NoOptions as Options

_COLUMNS = ["question", "answer", "rationale"]
_TSV = Dialect("\t", None, _COLUMNS, None)


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield every question, with its rationale and answer, as one document."""
    return documents(read_records(file, options))


def read_records(file: SourceFile, options: Options) -> Iterator[Spoken]:
    """Yield every exchange."""
    with open_decompressed(file) as stream:
        is_json = stream.read(64).lstrip()[:1] in (b"{", b"[")
    if is_json:
        yield from spoken(json_records(file), _collection)
    else:
        yield from spoken(rows(file, _TSV, _COLUMNS), _chain)


def _chain(record: dict[str, str], offset: int) -> Conversation:
    question, answer, rationale = (record[name].replace("\\n", "\n") for name in _COLUMNS)
    said = f"{rationale}\nThe answer is {answer}." if rationale and answer else answer
    return Conversation(
        offset, exchange(question, said), meta={"answer": answer, "rationale": rationale}
    )


def _collection(record: dict[str, Any], offset: int) -> Conversation:
    turns = exchange(text_of(record, "inputs"), text_of(record, "targets"))
    return Conversation(offset, turns, meta=rest_of(record, "inputs", "targets"))
