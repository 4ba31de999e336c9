"""Self-Instruct: tasks with instances, a dialogue an instance. Offset: byte of the line's start.

Seed tasks carry `instruction` and a list of `instances` (input, output).
"""

from collections.abc import Iterator
from typing import Any

from llm_data_assets.sources.conversation import (
    Conversation,
    Spoken,
    documents,
    exchange,
    reject,
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
    """Yield every instance of every task; a broken instance costs itself."""
    return spoken(_instances(file), _dialogue)


def _instances(file: SourceFile) -> Iterator[tuple[int, Any]]:
    """(offset, {number, instance, task}) of every instance; tasks that have none are rejects."""
    for offset, task in json_records(file):
        if isinstance(task, Reject):
            yield offset, task
            continue
        instances = task.get("instances") if isinstance(task, dict) else None
        if not isinstance(instances, list) or not instances:
            yield offset, reject("no instances: the task has none", task, offset)
            continue
        for number, instance in enumerate(instances):
            yield offset, {"instance": instance, "number": number, "task": task}


def _dialogue(record: dict[str, Any], offset: int) -> Conversation:
    task, instance = record["task"], record["instance"]
    if not isinstance(instance, dict):
        raise ValueError(f"not an object: {type(instance).__name__}")
    asked, given = text_of(task, "instruction"), text_of(instance, "input")
    question = asked and "\n\n".join(filter(None, [asked, given]))
    return Conversation(
        offset,
        exchange(question, text_of(instance, "output")),
        native_id=f"{task['id']}-{record['number']}" if task.get("id") is not None else None,
        meta={
            **rest_of(task, "id", "instruction", "instances"),
            **rest_of(instance, "input", "output"),
        },
    )
