"""LIMA: lines of conversations, whose turns alternate. Offset: byte of the line's start."""

from collections.abc import Iterator
from typing import Any

from llm_data_assets.sources.conversation import (
    Conversation,
    Spoken,
    documents,
    list_of,
    rest_of,
    spoken,
    turn,
)
from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.json_records import json_records
from llm_data_assets.sources.json_records import split as split
from llm_data_assets.sources.options import NoOptions as Options


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield every dialogue as one document."""
    return documents(read_records(file, options))


def read_records(file: SourceFile, options: Options) -> Iterator[Spoken]:
    """Yield every dialogue; `meta.unanswered` marks one that ends with a question."""
    return spoken(json_records(file), _dialogue)


def _dialogue(record: dict[str, Any], offset: int) -> Conversation:
    said = list_of(record, "conversations")
    turns = [turn(("user", "assistant")[number % 2], each) for number, each in enumerate(said)]
    meta = rest_of(record, "conversations")
    return Conversation(
        offset, turns, meta={**meta, "unanswered": True} if len(turns) % 2 else meta
    )
