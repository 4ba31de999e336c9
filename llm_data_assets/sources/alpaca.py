"""Alpaca: an array or lines of instruction, input, output. Offset: index, or byte of the line.

BELLE's sets are the same in Chinese: lines in a file named `.json`, and an input that is empty.
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
from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.json_records import json_records


class Options(BaseModel):
    """Alpaca has one layout."""

    model_config = ConfigDict(extra="forbid")


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield every dialogue as one document."""
    return documents(read_records(file, options))


def read_records(file: SourceFile, options: Options) -> Iterator[Spoken]:
    """Yield every instruction, with its input, and its answer."""
    for offset, record in json_records(file):
        yield record if isinstance(record, Reject) else _dialogue(record, offset)


def _dialogue(record: Any, offset: int) -> Spoken:
    if not isinstance(record, dict):
        return reject(f"not an object: {type(record).__name__}", record, offset)
    # Some copies name the answer `response`, and some carry both.
    answer = "output" if record.get("output") or "response" not in record else "response"
    try:
        asked = [text_of(record, "instruction"), text_of(record, "input")]
        said = text_of(record, answer)
    except ValueError as error:
        return reject(str(error), record, offset)
    question = "\n\n".join(each for each in asked if each)
    if not question or not said:
        missing = "question" if not question else "answer"
        return reject(f"no {missing}: the field is missing or empty", record, offset)
    return Conversation(
        offset,
        exchange(question, said),
        meta=rest_of(record, "instruction", "input", answer),
    )
