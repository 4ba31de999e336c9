"""A row of raw_instructions: its prompt, its answer, whether its turns make sense."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
_KNOWN = frozenset(("system", "user", "assistant", "tool_call", "tool"))


def question_text(row: Row) -> str:
    """What is asked: all turns before the answer."""
    return _said(row["turns"][: row["n_prompt"]])


def answer_text(row: Row) -> str:
    """The (chosen) answer; empty where the dialogue ends with a question."""
    return _said(row["turns"][row["n_prompt"] :])


def rejected_text(row: Row) -> str | None:
    """Of a preference, the answer that was rejected."""
    return None if row["rejected"] is None else _said(row["rejected"])


def dialogue_text(row: Row) -> str:
    """Everything that is said, for comparison: system, turns under their roles, rejected turns."""
    turns = [(turn["role"], turn["content"]) for turn in row["turns"]]
    turns += [("rejected", turn["content"]) for turn in row["rejected"] or ()]
    return "\n".join([row["system"] or "", *(f"{role} {said}" for role, said in turns)])


def role_fault(turns: Sequence[Mapping[str, Any]]) -> str:
    """What is wrong with the order of those who speak; `none` if nothing is.

    unknown_role: a role that is none of ours; starts_with_answer: nobody asked; repeated_role: the
    user or the assistant speaks twice in a row; stray_tool: a tool's result without a call before.
    """
    roles = [turn["role"] for turn in turns]
    if not _KNOWN.issuperset(roles):
        return "unknown_role"
    spoken = [role for role in roles if role != "system"]
    if spoken[:1] != ["user"]:
        return "starts_with_answer"
    for before, role in itertools.pairwise(spoken):
        if role == "tool" and before not in ("tool_call", "tool"):
            return "stray_tool"
        if role == before and role in ("user", "assistant"):
            return "repeated_role"
    return "none"


def _said(turns: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(turn["content"] for turn in turns)
