"""Dialogues in the layouts that trainers read: messages, ShareGPT, Alpaca, preferences, tokens."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

Row = Mapping[str, Any]
# ChatML, as OpenAI published it.
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_SHAREGPT = {"user": "human", "assistant": "gpt", "system": "system",
             "tool_call": "function_call", "tool": "observation"}  # fmt: skip


def messages(row: Row) -> dict[str, Any]:
    """OpenAI's messages; a call is an assistant's message with `tool_calls`, tools stand beside."""
    said = [*_system(row), *(_message(turn) for turn in row["turns"])]
    tools = _json(row["tools"])
    return {"messages": said, **({"tools": tools} if tools else {})}


def sharegpt(row: Row) -> dict[str, Any]:
    """`conversations` of from and value, with system and tools where there are any."""
    turns = [{"from": _SHAREGPT[turn["role"]], "value": turn["content"]} for turn in row["turns"]]
    beside = {name: row[name] for name in ("system", "tools") if row[name]}
    return {"id": row["doc_id"], "conversations": turns, **beside}


def alpaca(row: Row) -> dict[str, Any] | None:
    """instruction, input, output, with `system` and earlier turns in `history`; None where tools
    are used, which the layout cannot say."""
    turns = row["turns"]
    roles = [turn["role"] for turn in turns]
    if roles != ["user", "assistant"] * (len(turns) // 2) or not turns:
        return None
    said = [turn["content"] for turn in turns]
    history = [list(pair) for pair in zip(said[:-2:2], said[1:-2:2], strict=True)]
    found: dict[str, Any] = {"instruction": said[-2], "input": "", "output": said[-1]}
    if row["system"]:
        found["system"] = row["system"]
    return found | ({"history": history} if history else {})


def preference(row: Row) -> dict[str, Any]:
    """prompt, chosen and rejected as messages, with the ratings by aspect."""
    prompt = [*_system(row), *(_message(turn) for turn in row["turns"][: row["n_prompt"]])]
    return {
        "prompt": prompt,
        "chosen": [_message(turn) for turn in row["turns"][row["n_prompt"] :]],
        "rejected": [_message(turn) for turn in row["rejected"]],
        "ratings": row["ratings"],
    }


class Template:
    """A chat template, run in Jinja's sandbox: it sees messages, and no file, module or clock."""

    def __init__(self, source: str) -> None:
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
        )
        environment.globals["raise_exception"] = _raise
        environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
        try:
            self._template = environment.from_string(source)
        except TemplateError as error:
            raise ValueError(
                f"the chat template is broken: {error}. Try: the `chat_template` of a "
                "tokenizer_config.json, as a file of its own"
            ) from error

    def segments(self, row: Row) -> list[tuple[str, bool]]:
        """The dialogue as text in order, each part with whether it is trained on.

        Trained on is what the template adds for an assistant's turn after its generation prompt.

        Raises:
            ValueError: the template refuses the dialogue, or what it writes of a part of the
                dialogue is no beginning of what it writes of the whole.
        """
        said = messages(row)["messages"]
        parts: list[tuple[str, bool]] = []
        done = ""
        for number, message in enumerate(said):
            if message["role"] != "assistant":
                continue
            asked = self._render(said[:number], row, True)
            answered = self._render(said[: number + 1], row, False)
            if not (asked.startswith(done) and answered.startswith(asked)):
                raise ValueError(
                    "the chat template rewrites earlier turns, so that no loss mask can be told. "
                    "Try: a template that only adds"
                )
            parts += [(asked[len(done) :], False), (answered[len(asked) :], True)]
            done = answered
        return [part for part in parts if part[0]]

    def _render(self, said: Sequence[Mapping[str, Any]], row: Row, prompt: bool) -> str:
        try:
            return self._template.render(
                messages=said, add_generation_prompt=prompt, tools=_json(row["tools"]) or None,
                bos_token="", eos_token="",
            )  # fmt: skip
        except (TemplateError, TypeError, OverflowError) as error:
            raise ValueError(f"the chat template refuses: {error}") from error


def _raise(message: str) -> None:
    raise TemplateError(message)


def _system(row: Row) -> list[dict[str, Any]]:
    return [{"role": "system", "content": row["system"]}] if row["system"] else []


def _message(turn: Mapping[str, Any]) -> dict[str, Any]:
    if turn["role"] != "tool_call":
        return {"role": turn["role"], "content": turn["content"]}
    call = _json(turn["content"])
    calls = call if isinstance(call, list) else [call]
    return {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"type": "function", "function": _function(each, turn)} for each in calls],
    }


def _function(call: Any, turn: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(call, dict) and isinstance(call.get("name"), str):
        arguments = call.get("arguments", {})
        text = (
            arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
        )
        return {"name": call["name"], "arguments": text}
    return {"name": "", "arguments": turn["content"]}


def _json(text: str | None) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None
