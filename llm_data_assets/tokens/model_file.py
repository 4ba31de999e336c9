"""What a SentencePiece model file says: its pieces, and the settings that decide how it encodes.

Read from the protocol-buffer bytes themselves (sentencepiece_model.proto, sentencepiece 0.2):
SentencePiece's own Python bindings do not show every setting, and its generated classes ask for a
newer protobuf than Dagster allows.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
UNIGRAM, BPE = 1, 2
SPACE_MARK = "\u2581"  # how SentencePiece writes a space


@dataclass(frozen=True)
class ModelFile:
    """Pieces in order of id (UTF-8, score, type), and settings under their names in the file."""

    pieces: list[bytes]
    scores: list[float]
    types: list[int]
    model_type: int
    byte_fallback: bool
    treat_whitespace_as_suffix: bool
    has_character_map: bool
    add_dummy_prefix: bool
    remove_extra_whitespaces: bool
    escape_whitespaces: bool


def read_model(model: bytes) -> ModelFile:
    """Parse a model file.

    Raises:
        ValueError: the bytes are no protocol buffer of this kind.
    """
    pieces: list[bytes] = []
    scores: list[float] = []
    types: list[int] = []
    trainer: dict[int, Any] = {}
    normaliser: dict[int, Any] = {}
    try:
        for number, value in _fields(model):
            if number == 1:
                piece = dict(_fields(value))
                pieces.append(piece.get(1, b""))
                scores.append(struct.unpack("<f", piece[2])[0] if 2 in piece else 0.0)
                types.append(piece.get(3, NORMAL))
            elif number == 2:
                trainer = dict(_fields(value))
            elif number == 3:
                normaliser = dict(_fields(value))
    except (IndexError, struct.error, TypeError) as error:
        raise ValueError("not a SentencePiece model: its protocol buffer is broken") from error
    return ModelFile(
        pieces,
        scores,
        types,
        model_type=trainer.get(3, UNIGRAM),
        byte_fallback=bool(trainer.get(35, False)),
        treat_whitespace_as_suffix=bool(trainer.get(24, False)),
        has_character_map=bool(normaliser.get(2, b"")),
        add_dummy_prefix=bool(normaliser.get(3, True)),
        remove_extra_whitespaces=bool(normaliser.get(4, True)),
        escape_whitespaces=bool(normaliser.get(5, True)),
    )


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Field numbers and values: int for a varint, bytes for all else."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        if tag & 7 == 0:
            value: Any
            value, at = _varint(data, at)
        else:
            size, at = _varint(data, at) if tag & 7 == 2 else ({1: 8, 5: 4}[tag & 7], at)
            value, at = data[at : at + size], at + size
            if at > len(data):
                raise IndexError("a field reaches past the end")
        yield tag >> 3, value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
