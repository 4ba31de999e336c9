"""Dolly: lines of instruction, context, response, category. Offset: byte of the line's start."""

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
from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.json_records import json_records
from llm_data_assets.sources.json_records import split as split
from llm_data_assets.sources.options import NoOptions as Options


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield every dialogue as one document."""
    return documents(read_records(file, options))


def read_records(file: SourceFile, options: Options) -> Iterator[Spoken]:
    """Yield every instruction, with its context, and its response; `meta` has the category."""
    return spoken(json_records(file), _dialogue)


def _dialogue(record: dict[str, Any], offset: int) -> Conversation:
    asked, context = text_of(record, "instruction"), text_of(record, "context")
    question = asked and "\n\n".join(filter(None, [asked, context]))
    return Conversation(
        offset,
        exchange(question, text_of(record, "response")),
        meta=rest_of(record, "instruction", "context", "response"),
    )
