"""SentencePiece model files made by hand, for settings that training never gives."""

import struct
from collections.abc import Sequence

from llm_data_assets.tokens.model_file import BPE, BYTE, CONTROL, NORMAL, UNKNOWN

Piece = tuple[str, float, int]
SPECIAL: list[Piece] = [("<unk>", 0, UNKNOWN), ("<s>", 0, CONTROL), ("</s>", 0, CONTROL)]
BYTES: list[Piece] = [(f"<0x{byte:02X}>", 0, BYTE) for byte in range(256)]


def bpe_model(
    pieces: Sequence[Piece],
    *,
    model_type: int = BPE,
    byte_fallback: bool = True,
    as_suffix: bool = False,
    dummy_prefix: bool = False,
    remove_spaces: bool = False,
    escape_spaces: bool = True,
) -> bytes:
    """A model of special pieces, byte pieces if asked for, and `pieces`."""
    every = [*SPECIAL, *(BYTES if byte_fallback else []), *pieces]
    trainer = _number(3, model_type) + _number(24, as_suffix) + _number(35, byte_fallback)
    normaliser = _bytes(1, b"identity") + b"".join(
        _number(field, value)
        for field, value in ((3, dummy_prefix), (4, remove_spaces), (5, escape_spaces))
    )
    return (
        b"".join(
            _bytes(
                1,
                _bytes(1, text.encode()) + b"\x15" + struct.pack("<f", score) + _number(3, kind),
            )
            for text, score, kind in every
        )
        + _bytes(2, trainer)
        + _bytes(3, normaliser)
    )


def normal(*texts: str, scores: Sequence[float] | None = None) -> list[Piece]:
    """Ordinary pieces, the first merged first."""
    ranked = scores or [-float(place) for place in range(len(texts))]
    return [(text, score, NORMAL) for text, score in zip(texts, ranked, strict=True)]


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])
