"""ShareGPT dialogues: an array or lines of {id?, conversations: [{from, value}]}.

Offset: index, or byte of the line. Sets of preferences carry one answer each in `chosen` and
`rejected`.
"""

from collections.abc import Iterator
from typing import Any

from llm_data_assets.sources.conversation import (
    Conversation,
    Preference,
    Spoken,
    Turn,
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
    """Yield each dialogue as one document, its turns joined under the speakers' names."""
    return documents(read_records(file, options))


def read_records(file: SourceFile, options: Options) -> Iterator[Spoken]:
    """Yield every dialogue or preference."""
    return spoken(json_records(file), _dialogue)


def _dialogue(record: dict[str, Any], offset: int) -> Spoken:
    turns = [_turn(each) for each in list_of(record, "conversations")]
    answers = [_turn(record[side]) for side in ("chosen", "rejected") if side in record]
    identifier = record.get("id")
    native_id = str(identifier) if identifier is not None else None
    if len(answers) == 2:
        meta = rest_of(record, "id", "conversations", "chosen", "rejected")
        return Preference(
            offset, turns, answers[:1], answers[1:], native_id=native_id, meta=meta
        )  # fmt: skip
    tools, system = record.get("tools"), record.get("system")
    meta = rest_of(record, "id", "conversations", *(("tools",) if isinstance(tools, str) else ()))
    return Conversation(
        offset,
        turns,
        system=system if isinstance(system, str) and system else None,
        tools=tools if isinstance(tools, str) else None,
        native_id=native_id,
        meta=rest_of(meta, "system") if isinstance(system, str) else meta,
    )


def _turn(said: Any) -> Turn:
    if not isinstance(said, dict) or not isinstance(said.get("value"), str):
        raise ValueError("broken turn: `value` is not text")
    return turn(said.get("from", "unknown"), said["value"])
