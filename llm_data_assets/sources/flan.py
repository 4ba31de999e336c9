"""FLAN: chain-of-thought TSV, or lines of inputs and targets. Offset: byte of the row or line.

The TSV of Flan v2 (question, answer, rationale) has no header, and writes a line break as the two
characters `\\n`.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict

from llm_data_assets.sources.conversation import (
    Conversation,
    Spoken,
    documents,
    exchange,
    reject,
    rest_of,
    text_of,
)
from llm_data_assets.sources.delimited import Dialect, rows
from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile, open_decompressed
from llm_data_assets.sources.json_records import json_records

_COLUMNS = ["question", "answer", "rationale"]
_TSV = Dialect("\t", None, _COLUMNS, None)


class Options(BaseModel):
    """FLAN's two layouts are told by their first byte."""

    model_config = ConfigDict(extra="forbid")


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield every question, with its rationale and answer, as one document."""
    return documents(read_records(file, options))


def read_records(file: SourceFile, options: Options) -> Iterator[Spoken]:
    """Yield every exchange."""
    with open_decompressed(file) as stream:
        is_json = stream.read(64).lstrip()[:1] in (b"{", b"[")
    for offset, record in json_records(file) if is_json else rows(file, _TSV, _COLUMNS):
        if isinstance(record, Reject):
            yield record
        elif not isinstance(record, dict):
            yield reject(f"not an object: {type(record).__name__}", record, offset)
        else:
            yield _collection(record, offset) if is_json else _chain(record, offset)


def _chain(record: dict[str, str], offset: int) -> Spoken:
    question, answer, rationale = (record[name].replace("\\n", "\n") for name in _COLUMNS)
    if not question or not answer:
        missing = "answer" if question else "question"
        return reject(f"no {missing}: the cell is empty", record, offset)
    said = f"{rationale}\nThe answer is {answer}." if rationale else answer
    return Conversation(
        offset, exchange(question, said), meta={"answer": answer, "rationale": rationale}
    )


def _collection(record: dict[str, Any], offset: int) -> Spoken:
    try:
        asked, said = text_of(record, "inputs"), text_of(record, "targets")
    except ValueError as error:
        return reject(str(error), record, offset)
    if not asked or not said:
        missing = "answer" if asked else "question"
        return reject(f"no {missing}: the field is missing or empty", record, offset)
    return Conversation(offset, exchange(asked, said), meta=rest_of(record, "inputs", "targets"))
