"""HH-RLHF: lines of chosen and rejected, each a dialogue. Offset: byte of the line's start."""

import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict

from llm_data_assets.sources.conversation import (
    Preference,
    Spoken,
    Turn,
    documents,
    reject,
    rest_of,
    text_of,
    turn,
)
from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.json_records import json_records

_SPEAKER = re.compile(r"\n\n(Human|Assistant): ?")


class Options(BaseModel):
    """HH-RLHF has one layout."""

    model_config = ConfigDict(extra="forbid")


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield the prompt and the chosen answer of every pair as one document."""
    return documents(read_records(file, options))


def read_records(file: SourceFile, options: Options) -> Iterator[Spoken]:
    """Yield every pair: the turns that both sides share, and how each goes on."""
    for offset, record in json_records(file):
        yield record if isinstance(record, Reject) else _pair(record, offset)


def _pair(record: Any, offset: int) -> Spoken:
    if not isinstance(record, dict):
        return reject(f"not an object: {type(record).__name__}", record, offset)
    try:
        chosen, rejected = (_turns(text_of(record, side)) for side in ("chosen", "rejected"))
    except ValueError as error:
        return reject(str(error), record, offset)
    shared = 0
    while shared < min(len(chosen), len(rejected)) - 1 and chosen[shared] == rejected[shared]:
        shared += 1
    return Preference(
        offset,
        chosen[:shared],
        chosen[shared:],
        rejected[shared:],
        meta=rest_of(record, "chosen", "rejected"),
    )


def _turns(text: str) -> list[Turn]:
    """`\\n\\nHuman: ...\\n\\nAssistant: ...` as turns."""
    parts = _SPEAKER.split(text)
    if len(parts) < 3 or parts[0].strip():
        raise ValueError("no turns: the text does not start with Human or Assistant")
    return [
        turn(speaker, said.strip()) for speaker, said in zip(parts[1::2], parts[2::2], strict=True)
    ]
