"""HH-RLHF: lines of chosen and rejected, each a dialogue. Offset: byte of the line's start."""

import re
from collections.abc import Iterator
from typing import Any

from llm_data_assets.sources.conversation import (
    Preference,
    Spoken,
    Turn,
    documents,
    rest_of,
    spoken,
    text_of,
    turn,
)
from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.json_records import json_records
from llm_data_assets.sources.json_records import split as split
from llm_data_assets.sources.options import NoOptions as Options

_SPEAKER = re.compile(r"\n\n(Human|Assistant): ?")


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield the prompt and the chosen answer of every pair as one document."""
    return documents(read_records(file, options))


def read_records(file: SourceFile, options: Options) -> Iterator[Spoken]:
    """Yield every pair: the turns that both sides share, and how each goes on."""
    return spoken(json_records(file), _pair)


def _pair(record: dict[str, Any], offset: int) -> Preference:
    chosen, rejected = (_turns(text_of(record, side)) for side in ("chosen", "rejected"))
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
