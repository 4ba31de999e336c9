"""OpenAssistant: trees of messages, or flat messages. Offset: byte of the line's start.

A tree becomes a dialogue for each path from its prompt to a leaf, or pairs of ranked siblings. Flat
messages are put together by `message_tree_id`, whose messages stand together in the export.
"""

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from llm_data_assets.sources.conversation import (
    Conversation,
    Preference,
    Spoken,
    Turn,
    documents,
    reject,
    rest_of,
    turn,
)
from llm_data_assets.sources.document import Document, Reject
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.json_records import json_records

_MAX_DEPTH = 100
_LINKS = ("message_id", "parent_id")
_Path = list[dict[str, Any]]


class Options(BaseModel):
    """What becomes of a tree."""

    model_config = ConfigDict(extra="forbid")

    records: Literal["conversations", "preferences"] = Field(
        "conversations", description="A dialogue a path, or a pair of any two ranked siblings"
    )


def read(file: SourceFile, options: Options) -> Iterator[Document | Reject]:
    """Yield every path, or the better answer of every pair, as one document."""
    return documents(read_records(file, options))


def read_records(file: SourceFile, options: Options) -> Iterator[Spoken]:
    """Yield the dialogues or the pairs of every tree; a broken tree costs itself."""
    for offset, tree in _trees(file):
        if isinstance(tree, Reject):
            yield tree
            continue
        try:
            _check(tree.get("prompt"), 0)
        except ValueError as error:
            yield reject(str(error), tree, offset)
            continue
        about = rest_of(tree, "prompt")
        if options.records == "conversations":
            for path in _paths(tree["prompt"], []):
                yield _dialogue(path, about, offset)
        else:
            yield from _pairs(tree["prompt"], [], about, offset)


def _trees(file: SourceFile) -> Iterator[tuple[int, Any]]:
    """Trees as they are, and flat messages put together."""
    flat: list[dict[str, Any]] = []
    start = 0
    for offset, record in json_records(file):
        if isinstance(record, Reject):
            yield offset, record
        elif not isinstance(record, dict):
            yield offset, reject(f"not an object: {type(record).__name__}", record, offset)
        elif "prompt" in record:
            yield offset, record
        elif "message_id" not in record:
            yield offset, reject("no tree: neither a prompt nor a message", record, offset)
        elif not all(isinstance(record.get(name), str | int | None) for name in _LINKS):
            yield offset, reject("broken link: message_id or parent_id is no id", record, offset)
        else:
            if flat and flat[0].get("message_tree_id") != record.get("message_tree_id"):
                yield from _grown(flat, start)
                flat = []
            start = start if flat else offset
            flat.append({**record, "replies": []})
    if flat:
        yield from _grown(flat, start)


def _grown(messages: list[dict[str, Any]], offset: int) -> Iterator[tuple[int, Any]]:
    """The tree of some messages; those without a way to its root are rejects."""
    known = {message["message_id"]: message for message in messages}
    root = next((each for each in messages if each.get("parent_id") is None), None)
    if root is None:
        yield offset, reject("no root: every message has a parent", messages[0], offset)
        return
    for message in messages:
        parent = known.get(message.get("parent_id"))
        if message is not root and parent is None:
            yield offset, reject("orphan: its parent is not in the tree", message, offset)
        elif message is not root and not _leads_to(root, message, known):
            yield offset, reject("cycle: messages that answer one another", message, offset)
        elif parent is not None:
            parent["replies"].append(message)
    yield offset, {"message_tree_id": root.get("message_tree_id"), "prompt": root}


def _leads_to(
    root: dict[str, Any], message: dict[str, Any], known: dict[Any, dict[str, Any]]
) -> bool:
    """Whether going from parent to parent ends at the root."""
    seen = 0
    while message is not root and seen <= len(known):
        message = known.get(message.get("parent_id"), root)
        seen += 1
    return message is root


def _check(message: Any, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise ValueError(f"too deep: over {_MAX_DEPTH} messages in a path")
    if not isinstance(message, dict) or not isinstance(message.get("text"), str):
        raise ValueError("broken turn: a message has no text")
    replies = message.get("replies") or []
    if not isinstance(replies, list):
        raise ValueError("broken tree: replies is no list")
    for reply in replies:
        _check(reply, depth + 1)


def _paths(message: dict[str, Any], before: _Path) -> Iterator[_Path]:
    path = [*before, message]
    replies = message.get("replies") or []
    for reply in replies:
        yield from _paths(reply, path)
    if not replies:
        yield path


def _dialogue(path: _Path, about: dict[str, Any], offset: int) -> Conversation:
    return Conversation(
        offset,
        [_turn(message) for message in path],
        native_id=path[-1].get("message_id"),
        language=path[0].get("lang"),
        created_at=path[0].get("created_date"),
        meta={**about, "messages": [_said_of(message) for message in path]},
    )


def _pairs(
    message: dict[str, Any], before: _Path, about: dict[str, Any], offset: int
) -> Iterator[Preference | Reject]:
    """Siblings with ranks, 0 being the best, two by two."""
    path = [*before, message]
    replies = message.get("replies") or []
    for each in replies:
        if each.get("rank") is not None and not _is_rank(each["rank"]):
            problem = f"broken rank: {each['rank']!r}"[:60] + " is no whole number from 0 on"
            yield reject(problem, _said_of(each), offset)
    ranked = sorted(
        (each for each in replies if _is_rank(each.get("rank"))), key=lambda each: each["rank"]
    )
    for place, better in enumerate(ranked):
        for worse in ranked[place + 1 :]:
            if better["rank"] == worse["rank"]:
                continue
            yield Preference(
                offset,
                [_turn(each) for each in path],
                [_turn(better)],
                [_turn(worse)],
                scores={"chosen": {"rank": better["rank"]}, "rejected": {"rank": worse["rank"]}},
                native_id=f"{better.get('message_id')}-{worse.get('message_id')}",
                language=path[0].get("lang"),
                meta={**about, "messages": [_said_of(each) for each in (better, worse)]},
            )
    for reply in replies:
        yield from _pairs(reply, path, about, offset)


def _is_rank(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _turn(message: dict[str, Any]) -> Turn:
    return turn(message.get("role", "unknown"), message["text"])


def _said_of(message: dict[str, Any]) -> dict[str, Any]:
    return rest_of(message, "text", "replies")
