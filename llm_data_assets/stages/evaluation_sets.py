"""The benchmarks that must not be trained on, as (question id, text) pairs."""

import gzip
import json
from pathlib import Path

from llm_data_assets.config.pipeline import EvaluationSet
from llm_data_assets.config.workspace import Workspace

Questions = tuple[tuple[str, str], ...]


def evaluation_questions(workspace: Workspace) -> Questions:
    """Every question of every evaluation set, in order of set and file.

    Raises:
        ConfigError: a file is missing or a field is not in it; the message names the pipeline's
            line and the way out.
    """
    questions: list[tuple[str, str]] = []
    for name, settings in sorted(workspace.pipeline.model.evaluation_sets.items()):
        path = workspace.pipeline.path.parent / settings.uri
        try:
            questions += _read(name, path, settings)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise workspace.pipeline.error(
                ("evaluation_sets", name, "uri"),
                f"{path} cannot be read as JSONL with fields {settings.fields}: {error!r}",
                "give a JSONL file (plain or gz) and fields that every line has",
            ) from error
    return tuple(questions)


def _read(name: str, path: Path, settings: EvaluationSet) -> list[tuple[str, str]]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8")
    questions = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            record = json.loads(line)
            shown = "\n".join(str(record[field]) for field in settings.fields)
            questions.append((f"{name}/{record.get(settings.id_field, number)}", shown))
    return questions
