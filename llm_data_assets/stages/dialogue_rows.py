"""Dialogues and preferences as rows of raw_instructions."""

from collections.abc import Mapping, Sequence
from typing import Any

from llm_data_assets.sources.conversation import Conversation, Preference, Spoken, Turn
from llm_data_assets.sources.document import Reject
from llm_data_assets.sources.files import SourceFile
from llm_data_assets.sources.storable import strict_json, without_surrogates
from llm_data_assets.stages.record_rows import finite, repaired, row_id


def dialogue_row(
    settings: Mapping[str, Any], file: SourceFile, record: Spoken, ordinal: int
) -> dict[str, Any] | Reject:
    """The row of a dialogue, or the reject that it is.

    Args:
        ordinal: its number among the records of its offset.
    """
    if isinstance(record, Reject):
        return record
    pair = record if isinstance(record, Preference) else None
    spoken = record.turns if isinstance(record, Conversation) else [*record.prompt, *record.chosen]
    try:
        turns, repairs = _turns(spoken)
        unanswered = [] if pair else _cut_unanswered(turns)
        rejected, more = _turns(pair.rejected) if pair else (None, 0)
        system, extra = _repaired(getattr(record, "system", None))
        meta = strict_json(record.meta | ({"unanswered_turns": unanswered} if unanswered else {}))
    except ValueError as error:
        return Reject(record.offset, str(error))
    if not turns or (pair and not (pair.chosen and rejected)):
        return Reject(record.offset, "no turns: nobody says anything")
    native = record.native_id
    tools = getattr(record, "tools", None)
    ends_answered = turns[-1]["role"] in ("assistant", "tool_call")
    answers = len(pair.chosen) if pair else int(ends_answered)
    synthetic = record.meta.get("synthetic")
    made = synthetic if isinstance(synthetic, dict) else {}
    size = sum(len(turn["content"].encode()) for turn in (*turns, *(rejected or ())))
    return {
        "doc_id": row_id(settings["source"], file, record.offset, native, ordinal),
        "kind": "preference" if pair else "conversation",
        "system": system,
        "tools": tools and without_surrogates(tools),
        "turns": turns,
        "n_prompt": len(turns) - answers,
        "rejected": rejected,
        "ratings": _ratings(record),
        "origin": {"file": file.uri, "offset": record.offset, "native_id": native},
        "language": record.language or settings["language"],
        "license": getattr(record, "license", None) or settings["license"],
        "created_at": getattr(record, "created_at", None),
        "model": _text(made.get("model")),
        "prompt_hash": _text(made.get("prompt_hash")),
        "n_bytes": size + len((system or "").encode()),
        "n_repairs": repairs + more + extra,
        "meta": meta,
    }


def _cut_unanswered(turns: list[dict[str, Any]]) -> list[str]:
    """Take questions that nobody answers off the end of an answered dialogue; returns them."""
    answered = [place for place, turn in enumerate(turns) if turn["role"] == "assistant"]
    last = answered[-1] + 1 if answered else len(turns)
    cut = [turn["content"] for turn in turns[last:]]
    if any(turn["role"] != "user" for turn in turns[last:]):
        return []
    del turns[last:]
    return cut


def _turns(turns: Sequence[Turn]) -> tuple[list[dict[str, Any]], int]:
    """Turns as structs, repaired, and how many repairs that took."""
    rows, repairs = [], 0
    for turn in turns:
        content, made = _repaired(turn.content)
        rows.append({"role": without_surrogates(turn.role), "content": content or "",
                     "name": _text(turn.name)})  # fmt: skip
        repairs += made
    return rows, repairs


def _repaired(text: str | None) -> tuple[str | None, int]:
    if text is None:
        return None, 0
    return repaired(text)


def _text(value: Any) -> str | None:
    return without_surrogates(value) if isinstance(value, str) else None


def _ratings(record: Any) -> list[dict[str, Any]]:
    """Scores by aspect; those of a conversation stand in its meta."""
    if isinstance(record, Preference):
        sides = [record.scores.get(side) or {} for side in ("chosen", "rejected")]
    else:
        scores = record.meta.get("scores")
        sides = [scores if isinstance(scores, dict) else {}, {}]
    return [
        {"aspect": aspect, "chosen": finite(sides[0].get(aspect)),
         "rejected": finite(sides[1].get(aspect))}
        for aspect in sorted({*sides[0], *sides[1]})
    ]  # fmt: skip
