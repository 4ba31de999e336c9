"""Benchmarks as their publishers ship them: bytes in, (question id, text) pairs out.

A question is what a model would be asked, with the answer that completes it where the question
alone is too short to be told from common speech (PIQA, WinoGrande, HumanEval).
"""

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Question = tuple[str, str]


def read_questions(
    data: bytes, form: str, fields: Sequence[str] = (), id_field: str = "id"
) -> list[Question]:
    """The questions of one file, plain or gz, in its order.

    Args:
        form: one of `FORMATS`, or `jsonl` with the `fields` that make the question.

    Raises:
        ValueError: a line that is not what the format says; the message names it.
    """
    text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8-sig")
    if form == "mmlu":
        return list(_mmlu(text))
    questions = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            asked = (
                "\n".join(str(record[field]) for field in fields)
                if form == "jsonl"
                else _QUESTIONS[form](record)
            )
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise ValueError(f"line {number} is no {form} question: {error!r}") from error
        questions.append((str(_name(record, id_field, number)), asked))
    return questions


def _name(record: Mapping[str, Any], id_field: str, number: int) -> Any:
    return next((record[key] for key in (id_field, "task_id", "id") if key in record), number)


def _mmlu(text: str) -> Iterator[Question]:
    """Hendrycks et al.: CSV without a head; question, four choices, the letter of the right one."""
    for number, row in enumerate(csv.reader(io.StringIO(text)), start=1):
        if len(row) != 6 or row[5] not in "ABCD":
            raise ValueError(
                f"line {number} has {len(row)} fields: not question, A, B, C, D, answer"
            )
        yield str(number), row[0]


def _gsm8k(record: Mapping[str, Any]) -> str:
    return str(record["question"])


def _humaneval(record: Mapping[str, Any]) -> str:
    return f"{record['prompt']}{record['canonical_solution']}"


def _arc(record: Mapping[str, Any]) -> str:
    asked = record.get("question", record.get("query"))
    stem = asked["stem"] if isinstance(asked, Mapping) else asked
    return _stem(stem)


def _piqa(record: Mapping[str, Any]) -> str:
    if "goal" in record:
        label = int(record.get("label", 0))
        return f"{record['goal']} {record[f'sol{label + 1}']}"
    return f"{_stem(record['query'])} {record['choices'][record['gold']]}"


def _winogrande(record: Mapping[str, Any]) -> str:
    if "sentence" in record:
        option = record[f"option{record.get('answer') or 1}"]
        return str(record["sentence"]).replace("_", str(option))
    return f"{record['context_options'][record['gold']]} {record['continuation']}"


def _stem(asked: Any) -> str:
    if not isinstance(asked, str):
        raise KeyError("question")
    # Evaluation harnesses write the prompt's own word before it.
    return asked.removeprefix("Question:").strip()


_QUESTIONS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "gsm8k": _gsm8k,
    "humaneval": _humaneval,
    "arc": _arc,
    "piqa": _piqa,
    "winogrande": _winogrande,
}
FORMATS = ("jsonl", "mmlu", *_QUESTIONS)
