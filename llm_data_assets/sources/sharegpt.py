"""ShareGPT dialogues: a JSON array of {id?, conversations: [{from, value}]}. Offset: index."""

import json
from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile, UnreadableFileError, open_decompressed

_SPEAKER = {"human": "User", "user": "User", "gpt": "Assistant", "assistant": "Assistant"}


class Options(BaseModel):
    """ShareGPT has one layout."""

    model_config = ConfigDict(extra="forbid")


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield each dialogue as one document, its turns joined under the speakers' names."""
    with open_decompressed(file) as stream:
        try:
            dialogues = json.load(stream)
        except (ValueError, RecursionError) as error:
            raise UnreadableFileError(f"not json: {file.uri}: {error}") from error
    if not isinstance(dialogues, list):
        raise UnreadableFileError(f"not an array: {file.uri} holds {type(dialogues).__name__}")
    for index, dialogue in enumerate(dialogues):
        yield _dialogue(dialogue, index)


def _dialogue(dialogue: object, index: int) -> Document | Reject:
    first = json.dumps(dialogue, ensure_ascii=False)[:80].encode("utf-8", "replace")
    turns = dialogue.get("conversations") if isinstance(dialogue, dict) else None
    if not isinstance(dialogue, dict) or not isinstance(turns, list) or not turns:
        return Reject(index, "no turns: `conversations` is missing or empty", first)
    said = []
    for turn in turns:
        if not isinstance(turn, dict) or not isinstance(turn.get("value"), str):
            return Reject(index, "broken turn: `value` is not text", first)
        role = str(turn.get("from", "unknown"))
        said.append(f"{_SPEAKER.get(role, role.title())}: {turn['value']}")
    rest = {key: value for key, value in dialogue.items() if key not in ("id", "conversations")}
    return Document(
        "\n\n".join(said),
        index,
        native_id=str(dialogue["id"]) if dialogue.get("id") is not None else None,
        meta={**rest, "turns": len(turns)},
    )
