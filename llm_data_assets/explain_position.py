"""From a place in a training run back to the documents that stand there."""

import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.lake.catalog import rows
from llm_data_assets.stages.export_files import MANIFEST
from llm_data_assets.tokens import megatron


def documents_at(
    connection: duckdb.DuckDBPyConnection, recipe: str, position: int, token: int | None = None
) -> list[dict[str, Any]]:
    """What stands at a position of a recipe's run, in reading order.

    Returns a row for each document of the sequence (`doc_id`, `source`, `sequence`, `epoch`;
    `first_token` and `tokens` say which of its tokens stand there, `at` from which token of the
    sequence on); with `token`, only the document that this token of the sequence belongs to.

    Raises:
        ConfigError: the recipe has no run, or the run no such position.
    """
    length = connection.execute(
        "SELECT count(*) FROM mixed_corpus WHERE recipe = ?", [recipe]
    ).fetchone()
    if not length or not length[0]:
        raise ConfigError("--recipe", recipe, "has no run", "`llm-data run`, or another recipe")
    if not 0 <= position < length[0]:
        raise ConfigError(
            "--position", str(position), f"is not in the run of {recipe}", f"0 to {length[0] - 1}"
        )
    found = rows(
        connection,
        """
        SELECT doc_id, source, sequence, epoch, start AS first_token, length AS tokens,
            sum(length) OVER (ORDER BY doc_id, start) - length AS at
        FROM mixed_corpus JOIN sequences USING (recipe, source, sequence)
        WHERE recipe = ? AND position = ? ORDER BY doc_id, start
        """,
        [recipe, position],
    )
    return [row for row in found if token is None or row["at"] <= token < row["at"] + row["tokens"]]


def place_in_file(file: Path, offset: int) -> tuple[str, int, int]:
    """(recipe, position, token of the sequence) of a byte in an exported `.bin` file.

    Raises:
        ConfigError: the file is no part of an export, or ends before `offset`.
    """
    if file.suffix != ".bin":
        raise ConfigError(
            "--file", str(file), "is no Megatron `.bin`",
            "the other formats carry each sequence's `position`: `--position` and `--recipe`",
        )  # fmt: skip
    folder = next((each for each in file.absolute().parents if (each / MANIFEST).is_file()), None)
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8")) if folder else {}
    name = file.absolute().relative_to(folder).as_posix() if folder else ""
    files = manifest.get("files", ())
    row = next((each for each in files if f"/{each['file']}".endswith(f"/{name}")), None)
    if row is None:
        raise ConfigError(
            "--file", str(file), f"is not listed in a {MANIFEST} above it",
            "the file where the export wrote it",
        )  # fmt: skip
    if not 0 <= offset < file.stat().st_size:
        raise ConfigError(
            "--offset", str(offset), "is not in the file", f"0 to {file.stat().st_size - 1}"
        )
    index = megatron.read(file.with_suffix(""))
    number = int(np.searchsorted(index.pointers, offset, side="right")) - 1
    token = (offset - int(index.pointers[number])) // index.tokens.itemsize
    return manifest["recipe"], row["first_position"] + number, token
