"""Disk space for a file that is to be written through memory."""

import os
from typing import IO


def reserve(file: IO[bytes], n_bytes: int) -> None:
    """Give an open file `n_bytes` on disk before it is mapped.

    A page of a mapped file that finds no space ends the process by SIGBUS; this raises instead.

    Raises:
        OSError: the disk is full.
    """
    if n_bytes and hasattr(os, "posix_fallocate"):  # not on macOS
        os.posix_fallocate(file.fileno(), 0, n_bytes)
