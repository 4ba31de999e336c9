"""LIMA: lines of conversations, whose turns alternate. Offset: byte of the line's start."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict

from llm_data_assets.sources.conversation import (
    Conversation,
    Spoken,
    documents,
    reject,
    rest_of,
    turn,
)
from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.json_records import json_records


class Options(BaseModel):
    """LIMA has one layout."""

    model_config = ConfigDict(extra="forbid")


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield every dialogue as one document."""
    return documents(read_records(file, options))


def read_records(file: SourceFile, options: Options) -> Iterator[Spoken]:
    """Yield every dialogue; `meta.unanswered` marks one that ends with a question."""
    for offset, record in json_records(file):
        yield record if isinstance(record, Reject) else _dialogue(record, offset)


def _dialogue(record: Any, offset: int) -> Spoken:
    said = record.get("conversations") if isinstance(record, dict) else None
    if not isinstance(said, list) or not said:
        return reject("no turns: `conversations` is missing or empty", record, offset)
    try:
        turns = [turn(("user", "assistant")[number % 2], each) for number, each in enumerate(said)]
    except ValueError as error:
        return reject(str(error), record, offset)
    meta = rest_of(record, "conversations")
    return Conversation(
        offset, turns, meta={**meta, "unanswered": True} if len(turns) % 2 else meta
    )
