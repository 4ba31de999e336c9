"""Dolly: lines of instruction, context, response, category. Offset: byte of the line's start."""

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
    """Dolly has one layout."""

    model_config = ConfigDict(extra="forbid")


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield every dialogue as one document."""
    return documents(read_records(file, options))


def read_records(file: SourceFile, options: Options) -> Iterator[Spoken]:
    """Yield every instruction, with its context, and its response; `meta` has the category."""
    for offset, record in json_records(file):
        yield record if isinstance(record, Reject) else _dialogue(record, offset)


def _dialogue(record: Any, offset: int) -> Spoken:
    if not isinstance(record, dict):
        return reject(f"not an object: {type(record).__name__}", record, offset)
    try:
        asked = [text_of(record, "instruction"), text_of(record, "context")]
        said = text_of(record, "response")
    except ValueError as error:
        return reject(str(error), record, offset)
    if not asked[0] or not said:
        missing = "answer" if asked[0] else "question"
        return reject(f"no {missing}: the field is missing or empty", record, offset)
    return Conversation(
        offset,
        exchange("\n\n".join(each for each in asked if each), said),
        meta=rest_of(record, "instruction", "context", "response"),
    )
