"""`llm-data generate`: synthetic instructions into a file that a source of format alpaca reads."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.instructions.client import HttpClient, ModelError
from llm_data_assets.instructions.generate import expand, self_instruct


def from_templates(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of a YAML file of `templates` and `entities` (lists, or files of a line each).

    Raises:
        ConfigError: the file cannot be read, or a template names what is not there.
    """
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
        entities = {
            name: each if isinstance(each, list)
            else (path.parent / each).read_text(encoding="utf-8").split("\n")
            for name, each in (said.get("entities") or {}).items()
        }  # fmt: skip
        filled = {
            name: [str(each).strip() for each in values if str(each).strip()]
            for name, values in entities.items()
        }
        yield from expand(said["templates"], filled)
    except (OSError, KeyError, TypeError, AttributeError, ValueError, yaml.YAMLError) as error:
        problem, _, way_out = str(error).partition(" Try: ")
        raise ConfigError(
            str(path), "", problem,
            way_out or "`templates:` with instruction and output, `entities:` with lists",
        ) from error  # fmt: skip


def from_model(
    url: str, model: str, seeds: Path, n: int, timeout: float, seed: int
) -> Iterator[dict[str, Any] | ModelError]:
    """Rows by Self-Instruct; the key is read from the environment, LLM_DATA_API_KEY.

    Raises:
        ConfigError: the seeds cannot be read.
    """
    try:
        lines = [line for line in seeds.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            str(seeds), "", f"cannot be read: {error}", "a UTF-8 file with an instruction a line"
        ) from error
    client = HttpClient(url, model, os.environ.get("LLM_DATA_API_KEY"), timeout)
    yield from self_instruct(client, lines, n, seed=seed)


def write_rows(out: Path, rows: Iterator[dict[str, Any] | ModelError]) -> tuple[int, list[str]]:
    """Write rows as JSON lines, whole or not at all; returns how many, and the errors met."""
    written, errors = 0, []
    beside = out.with_suffix(out.suffix + ".tmp")
    try:
        with beside.open("w", encoding="utf-8", newline="\n") as stream:
            for row in rows:
                if isinstance(row, ModelError):
                    errors.append(str(row))
                    continue
                stream.write(json.dumps(row, ensure_ascii=False) + "\n")
                written += 1
        if written:
            beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)
    return written, errors
