"""Alpaca: an array or lines of instruction, input, output. Offset: index, or byte of the line.

BELLE's sets are the same in Chinese: lines in a file named `.json`, and an input that is empty.
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
from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.json_records import json_records
from llm_data_assets.sources.json_records import split as split
from llm_data_assets.sources.options import NoOptions as Options


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield every dialogue as one document."""
    return documents(read_records(file, options))


def read_records(file: SourceFile, options: Options) -> Iterator[Spoken]:
    """Yield every instruction, with its input, and its answer."""
    return spoken(json_records(file), _dialogue)


def _dialogue(record: dict[str, Any], offset: int) -> Conversation:
    # Some copies name the answer `response`, and some carry both.
    answer = "output" if record.get("output") or "response" not in record else "response"
    asked = [text_of(record, "instruction"), text_of(record, "input")]
    return Conversation(
        offset,
        exchange("\n\n".join(filter(None, asked)), text_of(record, answer)),
        meta=rest_of(record, "instruction", "input", answer),
    )
