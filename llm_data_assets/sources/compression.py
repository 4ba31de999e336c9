"""Streams without their compression: gzip, bzip2, zstd and xz, told by their first bytes."""

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Iterator
from typing import BinaryIO, cast

import zstandard

from llm_data_assets.sources.document import UnreadableFileError

# A stream this much larger than the bytes it was made of, and this large, is a bomb: real text
# compresses 3 to 30 times.
_MAX_RATIO = 1_000
_MAX_UNCHECKED_BYTES = 1 << 30
_BLOCK = 1 << 18
# Four bytes of zstd can stand for 128 KiB (RFC 8878, 3.1.1.2): a step holds 128 MiB at most.
_ZSTD_STEP = 1 << 12
# `zstd --long=31`, which large dumps are packed with, needs 2 GiB.
_ZSTD_MAX_WINDOW = 1 << 31


def decompressed(raw: BinaryIO, uri: str) -> BinaryIO:
    """`raw`, at its start, without compression; several members in a row are one stream.

    What was read before a fault stands: the error comes when the reader reaches it.

    Raises:
        UnreadableFileError: while reading: `truncated stream`, `damaged stream` or
            `decompression bomb`.
    """
    head = raw.read(6)
    raw.seek(0)
    if head.startswith(b"\x1f\x8b"):
        blocks = _blocks(gzip.GzipFile(fileobj=raw))
    elif head.startswith(b"BZh"):
        blocks = _blocks(bz2.BZ2File(raw))
    elif head.startswith(b"\xfd7zXZ\x00"):
        blocks = _blocks(lzma.LZMAFile(raw))  # noqa: SIM115 - the caller closes `raw`
    elif head.startswith(b"\x28\xb5\x2f\xfd") or (
        head[1:4] == b"\x2a\x4d\x18" and head[0] >> 4 == 5
    ):
        blocks = _zstd_blocks(raw)
    else:
        return raw
    return cast(BinaryIO, io.BufferedReader(_Decompressed(blocks, raw, uri), 1 << 20))


def _blocks(stream: gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile) -> Iterator[bytes]:
    # read1 hands out what there is before it meets a fault; read would throw it away.
    return iter(lambda: stream.read1(_BLOCK), b"")


def _zstd_blocks(raw: BinaryIO) -> Iterator[bytes]:
    """Decompressed blocks; unlike zstandard's own reader, a frame cut short is an error."""
    decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_MAX_WINDOW)
    frame = None
    while data := raw.read(_ZSTD_STEP):
        while data:
            frame = frame or decompressor.decompressobj()
            yield frame.decompress(data)
            data = b""
            if frame.eof:
                data, frame = frame.unused_data, None
    if frame is not None:
        raise EOFError("the last zstd frame is not complete")


class _Decompressed(io.RawIOBase):
    """Blocks as a raw stream that names its faults and refuses to grow out of all proportion."""

    def __init__(self, blocks: Iterator[bytes], raw: BinaryIO, uri: str) -> None:
        self._blocks, self._raw, self._uri = blocks, raw, uri
        self._left = memoryview(b"")
        self._seen = 0

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._raw.close()
        super().close()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._left:
            block = self._next()
            if block is None:
                return 0
            self._left = memoryview(block)
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size

    def _next(self) -> bytes | None:
        try:
            block = next(self._blocks, None)
        except EOFError as error:
            raise UnreadableFileError(f"truncated stream: {self._uri}: {error}") from error
        except (OSError, zlib.error, lzma.LZMAError, zstandard.ZstdError) as error:
            raise UnreadableFileError(f"damaged stream: {self._uri}: {error}") from error
        self._seen += len(block or b"")
        if self._seen > max(_MAX_UNCHECKED_BYTES, _MAX_RATIO * self._raw.tell()):
            raise UnreadableFileError(
                f"decompression bomb: {self._uri} grew over {_MAX_RATIO} times. "
                "Try: decompress it yourself if it is meant to"
            )
        return block
