"""Dialogues and preferences: one schema for what instruction sets say in a dozen ways."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llm_data_assets.sources.document import Document, Reject

# The publishers' names of those who speak, and ours.
ROLES = {
    "human": "user", "user": "user", "prompter": "user", "instruction": "user",
    "gpt": "assistant", "assistant": "assistant", "chatgpt": "assistant", "bing": "assistant",
    "bard": "assistant", "model": "assistant", "system": "system",
    "function_call": "tool_call", "observation": "tool", "tool": "tool", "function": "tool",
}  # fmt: skip
_SPEAKERS = {"user": "User", "assistant": "Assistant", "system": "System",
             "tool_call": "Function call"}  # fmt: skip


@dataclass(slots=True)
class Turn:
    """What one side said. `role` is user, assistant, system, tool_call or tool; `name` as given."""

    role: str
    content: str
    name: str | None = None


@dataclass(slots=True)
class Conversation:
    """One dialogue; what the format says beside the fields stands in `meta`."""

    offset: int
    turns: Sequence[Turn]
    system: str | None = None
    tools: str | None = None
    native_id: str | None = None
    language: str | None = None
    license: str | None = None
    created_at: str | None = None
    meta: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Preference:
    """Two ways to go on from `prompt`; `scores` by aspect, for `chosen` and `rejected`."""

    offset: int
    prompt: Sequence[Turn]
    chosen: Sequence[Turn]
    rejected: Sequence[Turn]
    scores: dict[str, dict[str, float]] = field(default_factory=dict)
    native_id: str | None = None
    language: str | None = None
    meta: dict[str, Any] = field(default_factory=dict)


Spoken = Conversation | Preference | Reject


def turn(speaker: Any, content: Any) -> Turn:
    """A turn by the publisher's name of the speaker.

    Raises:
        ValueError: the content is not text (`broken turn`).
    """
    if not isinstance(content, str):
        raise ValueError("broken turn: what was said is not text")
    name = str(speaker)
    return Turn(ROLES.get(name.lower(), name.lower()), content, name)


def exchange(question: str, answer: str) -> list[Turn]:
    """One question and its answer.

    Raises:
        ValueError: one of them is empty (`no question`, `no answer`).
    """
    if not question or not answer:
        missing = "answer" if question else "question"
        raise ValueError(f"no {missing}: the field is missing or empty")
    return [Turn("user", question), Turn("assistant", answer)]


def spoken(
    records: Iterable[tuple[int, Any]], parse: Callable[[dict[str, Any], int], Spoken]
) -> Iterator[Spoken]:
    """What `parse` makes of every record (offset, object); a reject where it raises ValueError."""
    for offset, record in records:
        if isinstance(record, Reject):
            yield record
        elif not isinstance(record, dict):
            yield reject(f"not an object: {type(record).__name__}", record, offset)
        else:
            try:
                yield parse(record, offset)
            except ValueError as error:
                yield reject(str(error), record, offset)


def reject(error: str, record: Any, offset: int) -> Reject:
    """A record that is no dialogue, with its first bytes."""
    first = json.dumps(record, ensure_ascii=False, default=str)[:80]
    return Reject(offset, error, first.encode("utf-8", "replace"))


def text_of(record: Mapping[str, Any], name: str) -> str:
    """A field that has to be text; empty where it is null or not there.

    Raises:
        ValueError: it is something else (`wrong type`).
    """
    value = record.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(f"wrong type: {name} is {type(value).__name__}, not text")
    return value


def list_of(record: Mapping[str, Any], name: str) -> list[Any]:
    """The turns that a field lists.

    Raises:
        ValueError: it lists none (`no turns`).
    """
    value = record.get(name)
    if not isinstance(value, list) or not value:
        raise ValueError(f"no turns: `{name}` is missing or empty")
    return value


def rest_of(record: Mapping[str, Any], *used: str) -> dict[str, Any]:
    """The fields that have no place of their own."""
    return {name: value for name, value in record.items() if name not in used}


def documents(records: Iterable[Spoken]) -> Iterator[Document | Reject]:
    """Dialogues as documents for pre-training: turns under the speakers' names.

    A preference is its prompt and the answer that was chosen.
    """
    for record in records:
        if isinstance(record, Reject):
            yield record
        elif isinstance(record, Preference):
            turns = [*record.prompt, *record.chosen]
            yield Document(
                rendered(turns), record.offset, native_id=record.native_id,
                language=record.language,
                meta={
                    **record.meta, "turns": len(turns), "scores": record.scores,
                    "rejected": rendered(record.rejected),
                },
            )  # fmt: skip
        else:
            meta = {**record.meta, "turns": len(record.turns)}
            if record.tools is not None:
                meta["tools"] = record.tools
            system = [Turn("system", record.system)] if record.system else []
            yield Document(
                rendered([*system, *record.turns]), record.offset, native_id=record.native_id,
                language=record.language, license=record.license, created_at=record.created_at,
                meta=meta,
            )  # fmt: skip


def rendered(turns: Iterable[Turn]) -> str:
    """Turns as text."""
    return "\n\n".join(
        f"{_SPEAKERS.get(each.role, (each.name or each.role).capitalize())}: {each.content}"
        for each in turns
    )
