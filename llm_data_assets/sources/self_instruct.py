"""Self-Instruct: tasks with instances, a dialogue an instance. Offset: byte of the line's start.

Seed tasks carry `instruction` and a list of `instances` (input, output).
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
    """Self-Instruct has one layout."""

    model_config = ConfigDict(extra="forbid")


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield every dialogue as one document."""
    return documents(read_records(file, options))


def read_records(file: SourceFile, options: Options) -> Iterator[Spoken]:
    """Yield every instance of every task; a broken instance costs itself."""
    for offset, record in json_records(file):
        if isinstance(record, Reject):
            yield record
        else:
            yield from _dialogues(record, offset)


def _dialogues(record: Any, offset: int) -> Iterator[Spoken]:
    instances = record.get("instances") if isinstance(record, dict) else None
    if not isinstance(instances, list) or not instances:
        yield reject("no instances: the task has none", record, offset)
        return
    for number, instance in enumerate(instances):
        try:
            if not isinstance(instance, dict):
                raise ValueError(f"not an object: {type(instance).__name__}")
            asked = [text_of(record, "instruction"), text_of(instance, "input")]
            said = text_of(instance, "output")
            if not asked[0] or not said:
                raise ValueError("no answer: the field is missing or empty")
        except ValueError as error:
            yield reject(str(error), instance, offset)
            continue
        task = record.get("id")
        yield Conversation(
            offset,
            exchange("\n\n".join(each for each in asked if each), said),
            native_id=f"{task}-{number}" if task is not None else None,
            meta={
                **rest_of(record, "id", "instruction", "instances"),
                **rest_of(instance, "input", "output"),
            },
        )
