"""Generators: templates, and Self-Instruct against a server of our own."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from llm_data_assets.cli import app
from llm_data_assets.instructions.client import HttpClient, ModelError
from llm_data_assets.instructions.generate import expand, refuse, self_instruct

SEEDS = [f"Describe the {thing} in a few plain words" for thing in ("sea", "sun", "fox", "tax")]
ANSWER = {
    "choices": [
        {
            "message": {
                "content": "1. Explain how rivers carve deep valleys\n"
                "2. Describe the sea in a few plain words\n3. Draw a map"
            }
        }
    ]
}


@contextmanager
def server(answers: list[Any]) -> Iterator[tuple[str, list[Any]]]:
    """A server that gives the answers in turn, the last one for ever; and what it was asked."""
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked.append((self.path, self.headers.get("Authorization"), json.loads(body)))
            answer = answers[min(len(asked), len(answers)) - 1]
            if answer == "hang":
                time.sleep(1)
                return
            if answer == "drip":
                self.send_response(200)
                self.end_headers()
                for _ in range(20):
                    self.wfile.write(b" ")
                    time.sleep(0.05)
                return
            code, content = answer if isinstance(answer, tuple) else (200, answer)
            self.send_response(code)
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        def log_message(self, *_: Any) -> None:
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_port}/v1", asked
    finally:
        running.shutdown()
        running.server_close()
        thread.join()


def text(content: str) -> dict[str, Any]:
    return {"choices": [{"message": {"content": content}}]}


def test_templates_are_filled_with_every_combination() -> None:
    templates = [{"instruction": "Convert {n} {unit}", "output": "{n} {unit} are some"}]
    rows = list(expand(templates, {"n": ["1", "2"], "unit": ["m", "ft"]}))
    assert [row["instruction"] for row in rows] == [
        "Convert 1 m", "Convert 1 ft", "Convert 2 m", "Convert 2 ft"
    ]  # fmt: skip
    assert {row["synthetic"]["model"] for row in rows} == {"template"}
    with pytest.raises(ValueError, match=r"names \{unit\}, and there is no such list"):
        list(expand(templates, {"n": ["1"]}))


@pytest.mark.parametrize(
    ("instruction", "reason"),
    [
        ("Too short", "length"),
        ("Draw a picture of an old house", "beyond_text"),
        ("Write a program that sorts a list", "write_a_program"),
        ("- explain how rivers carve valleys", "punctuation"),
        ("Describe the sea in a few short words", "rouge"),
        ("Explain how rivers carve deep valleys", None),
        ("请解释河流如何形成山谷", None),
    ],
)
def test_what_self_instruct_refuses(instruction: str, reason: str | None) -> None:
    assert refuse(instruction, SEEDS) == reason


def test_new_instructions_are_answered_and_marked() -> None:
    answers = [ANSWER, text("By erosion."), text("1. Name the oldest bridges of Europe"),
               text("The Arkadiko bridge.")]  # fmt: skip
    with server(answers) as (url, asked):
        rows = list(self_instruct(HttpClient(url, "tiny", "secret"), SEEDS, 2))
    assert [(row["instruction"], row["output"]) for row in rows if isinstance(row, dict)] == [
        ("Explain how rivers carve deep valleys", "By erosion."),
        ("Name the oldest bridges of Europe", "The Arkadiko bridge."),
    ]
    made = [row["synthetic"] for row in rows if isinstance(row, dict)]
    assert all(each["model"] == "tiny" and len(each["prompt_hash"]) == 32 for each in made)
    path, key, body = asked[0]
    assert (path, key, body["model"]) == ("/v1/chat/completions", "Bearer secret", "tiny")
    assert "secret" not in repr(HttpClient(url, "tiny", "secret"))


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (["hang"], r"gave no whole answer in 0\.2 s"),
        (["drip"], r"gave no whole answer in 0\.2 s"),
        ([(404, {"error": "no such model"})], "answers 404: .*no such model"),
        ([{"choices": []}], "answers without a text"),
        ([(503, {})], "answers 503"),
    ],
)
def test_a_server_that_gives_no_answer_says_why(answers: list[Any], words: str) -> None:
    with server(answers) as (url, _), pytest.raises(ModelError, match=words):
        HttpClient(url, "tiny", timeout=0.2, pause=0).complete([{"role": "user", "content": "x"}])


def test_a_busy_server_is_asked_again_and_a_gone_one_is_named() -> None:
    with server([(503, {}), text("there")]) as (url, asked):
        client = HttpClient(url, "tiny", pause=0)
        assert client.complete([{"role": "user", "content": "x"}]) == "there"
        assert len(asked) == 2
    with pytest.raises(ModelError, match="cannot be reached"):
        client.complete([])
    with pytest.raises(ModelError, match="no http address"):
        HttpClient("file:///etc/passwd", "tiny").complete([])


def test_three_failures_in_a_row_end_the_work() -> None:
    with server([{"choices": []}]) as (url, _):
        found = list(self_instruct(HttpClient(url, "tiny", pause=0), SEEDS, 5))
    assert len(found) == 3 and all(isinstance(each, ModelError) for each in found)


def test_the_command_writes_rows_or_says_why_not(tmp_path: Path) -> None:
    (tmp_path / "units.txt").write_text("metres\nmiles\n", encoding="utf-8")
    (tmp_path / "t.yaml").write_text(
        "templates: [{instruction: 'How long is a {unit}?', output: 'A {unit} is long.'}]\n"
        "entities: {unit: units.txt}\n", encoding="utf-8"
    )  # fmt: skip
    out = tmp_path / "rows.jsonl"
    done = CliRunner().invoke(app, ["generate", str(out), "--templates", str(tmp_path / "t.yaml")])
    assert done.exit_code == 0 and len(out.read_text().splitlines()) == 2
    wrong = CliRunner().invoke(app, ["generate", str(out)])
    assert wrong.exit_code != 0
    lost = CliRunner().invoke(app, ["generate", str(out), "--templates", "no.yaml"])
    assert lost.exit_code != 0 and "no.yaml" in str(lost.exception)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows.jsonl", "t.yaml", "units.txt"]
