"""ShareGPT dialogues: a JSON array of {id?, conversations: [{from, value}]}. Offset: index."""

import json
from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile, open_decompressed
from llm_data_assets.sources.json_array import elements

_SPEAKERS = {
    "human": "User", "user": "User", "gpt": "Assistant", "assistant": "Assistant",
    "chatgpt": "Assistant", "bing": "Assistant", "bard": "Assistant", "system": "System",
    "function_call": "Function call", "observation": "Observation", "tool": "Tool",
}  # fmt: skip


class Options(BaseModel):
    """ShareGPT has one layout."""

    model_config = ConfigDict(extra="forbid")


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield each dialogue as one document, its turns joined under the speakers' names."""
    with open_decompressed(file) as stream:
        for index, dialogue in enumerate(elements(stream, file.uri)):
            yield _dialogue(dialogue, index)


def _dialogue(dialogue: object, index: int) -> Document | Reject:
    turns = dialogue.get("conversations") if isinstance(dialogue, dict) else None
    if not isinstance(dialogue, dict) or not isinstance(turns, list) or not turns:
        return _reject("no turns: `conversations` is missing or empty", dialogue, index)
    said = []
    for turn in turns:
        if not isinstance(turn, dict) or not isinstance(turn.get("value"), str):
            return _reject("broken turn: `value` is not text", dialogue, index)
        role = str(turn.get("from", "unknown"))
        said.append(f"{_SPEAKERS.get(role, role.capitalize())}: {turn['value']}")
    rest = {key: value for key, value in dialogue.items() if key not in ("id", "conversations")}
    return Document(
        "\n\n".join(said),
        index,
        native_id=str(dialogue["id"]) if dialogue.get("id") is not None else None,
        meta={**rest, "turns": len(turns)},
    )


def _reject(error: str, dialogue: object, index: int) -> Reject:
    first = json.dumps(dialogue, ensure_ascii=False)[:80].encode("utf-8", "replace")
    return Reject(index, error, first)
