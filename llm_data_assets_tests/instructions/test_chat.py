"""Chat layouts: what trainers read, and what they train on."""

from typing import Any

import pytest

from llm_data_assets.instructions import chat


def turn(role: str, content: str) -> dict[str, Any]:
    return {"role": role, "content": content, "name": None}


def row(*turns: dict[str, Any], **other: Any) -> dict[str, Any]:
    return {"doc_id": "s/1", "system": None, "tools": None, "turns": list(turns), "n_prompt": 1,
            "rejected": None, "ratings": [], **other}  # fmt: skip


ASKED = row(turn("user", "Hi"), turn("assistant", "Hello"), turn("user", "Bye"),
            turn("assistant", "Goodbye"), system="Be kind.")  # fmt: skip


def test_a_call_is_an_assistants_message_with_tool_calls() -> None:
    called = row(
        turn("user", "Weather?"),
        turn("tool_call", '{"name": "weather", "arguments": {"city": "Bern"}}'),
        turn("tool", "rain"),
        turn("assistant", "It rains."),
        tools='[{"name": "weather"}]',
    )
    found = chat.messages(called)
    assert found["tools"] == [{"name": "weather"}]
    assert found["messages"][1] == {
        "role": "assistant",
        "content": "",
        "tool_calls": [
            {"type": "function", "function": {"name": "weather", "arguments": '{"city": "Bern"}'}}
        ],
    }
    assert [each["role"] for each in found["messages"]] == [
        "user",
        "assistant",
        "tool",
        "assistant",
    ]
    assert [each["from"] for each in chat.sharegpt(called)["conversations"]] == [
        "human", "function_call", "observation", "gpt"
    ]  # fmt: skip
    assert chat.alpaca(called) is None


def test_alpaca_keeps_earlier_turns_as_history() -> None:
    assert chat.alpaca(ASKED) == {
        "instruction": "Bye", "input": "", "output": "Goodbye", "system": "Be kind.",
        "history": [["Hi", "Hello"]],
    }  # fmt: skip


def test_only_what_the_assistant_says_is_trained_on() -> None:
    parts = chat.Template(chat.CHATML).segments(ASKED)
    whole = "".join(text for text, _ in parts)
    assert whole == (
        "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
        "<|im_start|>assistant\nHello<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n"
        "<|im_start|>assistant\nGoodbye<|im_end|>\n"
    )
    assert [text for text, trained in parts if trained] == [
        "Hello<|im_end|>\n", "Goodbye<|im_end|>\n"
    ]  # fmt: skip


def test_a_template_runs_in_a_sandbox() -> None:
    for escape in ("{{ ''.__class__.__mro__ }}", "{{ messages.append(1) }}",
                   "{% include '/etc/passwd' %}", "{{ cycler.__init__.__globals__ }}"):  # fmt: skip
        with pytest.raises(ValueError, match=r"refuses|broken"):
            chat.Template(escape).segments(ASKED)


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{% for %}", "is broken"),
        ("{{ raise_exception('no system') }}", "refuses: no system"),
        ("{{ messages | length }}", "rewrites earlier turns"),
    ],
)
def test_a_template_that_cannot_be_used_says_why(template: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        chat.Template(template).segments(ASKED)
