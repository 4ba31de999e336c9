"""How long a recording is, from its own header."""

import struct
from typing import BinaryIO

_FLAC_STREAMINFO = 34  # bytes; FLAC format, METADATA_BLOCK_STREAMINFO


def seconds(stream: BinaryIO) -> float | None:
    """Length of a FLAC or WAV file; None where the header is neither's or says nothing."""
    head = stream.read(12)
    if head.startswith(b"fLaC"):
        return _flac(head[4:] + stream.read(4 + _FLAC_STREAMINFO - 8))
    if head.startswith(b"RIFF") and head.endswith(b"WAVE"):
        return _wav(stream)
    return None


def _flac(block: bytes) -> float | None:
    """Sample rate (20 bits) and number of samples (36 bits) stand at byte 10 of STREAMINFO."""
    if len(block) < 4 + 18 or block[0] & 0x7F:
        return None
    packed = int.from_bytes(block[14:22], "big")
    rate, samples = packed >> 44, packed & ((1 << 36) - 1)
    return samples / rate if rate and samples else None


def _wav(stream: BinaryIO) -> float | None:
    bytes_a_second = 0
    while len(header := stream.read(8)) == 8:
        name, size = struct.unpack("<4sI", header)
        if name == b"fmt ":
            data = stream.read(size + size % 2)
            bytes_a_second = struct.unpack_from("<I", data, 8)[0] if len(data) >= 12 else 0
        elif name == b"data":
            return size / bytes_a_second if bytes_a_second else None
        else:
            stream.seek(size + size % 2, 1)
    return None
